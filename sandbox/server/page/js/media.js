// Files and pictures. What the sandbox holds is shown; what lies outside is named and never fetched.
import { api, here } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { outside } from "./markdown-inline.js";

/** Return a picture, or a note of where it would be. */
export function picture(url, description = "", extra = "") {
  const path = here(url);
  if (!path) return h("span", { class: "elsewhere" }, icon("out"), outside(url, "A picture from outside"), " is not fetched");
  return h("img", { src: path, alt: description ?? "", loading: "lazy", class: `picture ${extra}` });
}

/** Return a file with its size and a way to download it. */
export function file(messageId, name, size) {
  return h("div", { class: "file", data: { file: name } }, icon("file"),
    h("span", { class: "words" }, h("strong", {}, name), h("small", {}, bytes(size))),
    h("a", { class: "button quiet", href: api.file(messageId, name), download: name, "aria-label": `Download ${name}` },
      icon("download"), "Download"));
}

/** Return an attachment: a picture or sound as such, anything else as a file. */
export function attachment(messageId, one) {
  const path = here(one.url);
  const kind = (one.content_type ?? "").split("/")[0];
  if (path && kind === "image") {
    return h("figure", {}, h("a", { href: api.file(messageId, one.filename), download: one.filename }, picture(one.url, one.description ?? one.filename)));
  }
  if (path && kind === "audio") return h("audio", { controls: true, src: path, preload: "none", "aria-label": one.filename });
  return file(messageId, one.filename, one.size);
}

/** Return a number of bytes in words. */
export function bytes(size) {
  if (size === null || size === undefined) return "";
  if (size < 1024) return `${size} B`;
  return size < 1048576 ? `${(size / 1024).toFixed(1)} kB` : `${(size / 1048576).toFixed(1)} MB`;
}
