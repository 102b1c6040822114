// JSON to read, its names, texts and numbers in colours.
import { h } from "./dom.js";

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MOST = 60000;

/** Return a value as indented JSON. */
export function json(value) {
  let text = JSON.stringify(value, null, 2);
  if (text.length > MOST) text = `${text.slice(0, MOST)}\n… and ${text.length - MOST} characters more`;
  const nodes = [];
  let place = 0;
  for (const found of text.matchAll(TOKEN)) {
    nodes.push(text.slice(place, found.index));
    const kind = found[1] ? (found[2] ? "key" : "text") : found[3] ? "word" : "number";
    nodes.push(h("span", { class: `json-${kind}` }, found[0]));
    place = found.index + found[0].length;
  }
  nodes.push(text.slice(place));
  return h("pre", { tabIndex: 0, "aria-label": "The entry as JSON" }, nodes);
}
