// Line drawings of our own, 24 by 24.
const DRAWN = {
  hash: "M5 9h14M5 15h14M10 4 8 20M16 4l-2 16",
  speaker: "M4 10v4h4l5 4V6l-5 4zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11",
  stage: "M12 4a3 3 0 0 1 3 3v4a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v3M8 20h8",
  direct: "M4 6h16v12H4zM4 7l8 6 8-6",
  thread: "M5 5h14v10H10l-5 4z",
  mic: "M12 4a3 3 0 0 1 3 3v4a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v3",
  micOff: "M12 4a3 3 0 0 1 3 3v4a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v3M4 4l16 16",
  ear: "M5 14v-2a7 7 0 0 1 14 0v2M5 14h3v5H5zM16 14h3v5h-3z",
  earOff: "M5 14v-2a7 7 0 0 1 14 0v2M5 14h3v5H5zM16 14h3v5h-3zM4 4l16 16",
  stream: "M4 5h16v11H4zM9 20h6M12 16v4",
  leave: "M14 5h5v14h-5M11 8l-4 4 4 4M7 12h8",
  menu: "M4 7h16M4 12h16M4 17h16",
  log: "M5 4h14v16H5zM8 9h8M8 13h8M8 17h5",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M19 14.5A8 8 0 0 1 9.5 5a8 8 0 1 0 9.5 9.5z",
  people: "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM3 20a6 6 0 0 1 12 0M16 5.5a3.5 3.5 0 0 1 0 6.5M18 14.5a6 6 0 0 1 3 5.5",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  close: "M6 6l12 12M18 6 6 18",
  down: "M6 9l6 6 6-6",
  out: "M10 5H5v14h14v-5M13 5h6v6M19 5l-9 9",
  send: "M4 12 20 4l-5 16-4-6zM11 14l9-10",
  chat: "M4 5h16v11H9l-5 4z",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  pin: "M9 4h6l-1 6 4 4H6l4-4zM12 14v6",
  copy: "M8 8h11v12H8zM5 16V4h11",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  crown: "M4 18h16l1-10-5 4-4-7-4 7-5-4z",
};
const SVG = "http://www.w3.org/2000/svg";

/** Return an icon; it says nothing to a screen reader unless it has a title. */
export function icon(name, title = null) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", DRAWN[name]);
  if (title) {
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", title);
    const words = document.createElementNS(SVG, "title");
    words.textContent = title;
    drawing.append(words);
  } else {
    drawing.setAttribute("aria-hidden", "true");
  }
  drawing.append(path);
  return drawing;
}
