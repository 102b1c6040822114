// Elements from code; text is always a text node, so nothing that a bot says becomes markup.

/**
 * Make an element.
 * @param {string} tag its name
 * @param {object} props properties, attributes (aria-*, role, ...), `class`, `data` and `on` (listeners)
 * @param {...(Node|string|null|Array)} children nodes or text; null and false are left out
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") for (const [event, hear] of Object.entries(value)) element.addEventListener(event, hear);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

/** Append children, however nested; null and false are left out. */
export function add(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child);
  }
  return element;
}

/** Put these children in the place of all there are. */
export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

let numbers = 0;
/** Return an id that no element has yet. */
export function newId(word) {
  numbers += 1;
  return `${word}-${numbers}`;
}

/** Wait until nothing was asked for `milliseconds`, then run once with the latest arguments. */
export function calmed(run, milliseconds) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), milliseconds);
  };
}

/** Never run twice at a time: who asks while it runs gets one more run after it. */
export function oneAtATime(run) {
  let running = null;
  let again = null;
  const start = () => {
    running = run().finally(() => { running = null; });
    return running;
  };
  return () => {
    if (!running) return start();
    again ??= running.catch(() => {}).then(() => { again = null; return start(); });
    return again;
  };
}
