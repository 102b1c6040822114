// Discord's markdown in blocks: code, headings, subtext, quotes, lists and the lines between them.
import { h } from "./dom.js";
import { inline } from "./markdown-inline.js";

const FENCE = /^```(?:([\w+-]+)\n)?\n?([\s\S]*?)\n?```/;
const ITEM = /^(\s*)([-*]|\d{1,9}\.)\s+(.*)$/;

/** Return the nodes of a text. */
export function markdown(text) {
  const nodes = [];
  let rest = text;
  while (rest) {
    const start = rest.indexOf("```");
    const fence = start < 0 ? null : FENCE.exec(rest.slice(start));
    if (!fence) {
      nodes.push(...blocks(rest));
      break;
    }
    if (start > 0) nodes.push(...blocks(rest.slice(0, start).replace(/\n$/, "")));
    nodes.push(h("pre", { class: "code", tabIndex: 0, "aria-label": "Code" }, h("code", {}, fence[2])));
    rest = rest.slice(start + fence[0].length).replace(/^\n/, "");
  }
  return nodes;
}

function blocks(text) {
  const nodes = [];
  const lines = text.split("\n");
  let open = [];
  const flush = () => {
    if (open.length) nodes.push(h("div", { class: "lines" }, inline(open.join("\n"))));
    open = [];
  };
  while (lines.length) {
    const line = lines[0];
    const block = quote(lines) ?? heading(lines) ?? list(lines);
    if (block) {
      flush();
      nodes.push(block);
    } else {
      open.push(line);
      lines.shift();
    }
  }
  flush();
  return nodes;
}

function heading(lines) {
  const found = /^(#{1,3}|-#) +(\S.*)$/.exec(lines[0]);
  if (!found) return null;
  lines.shift();
  if (found[1] === "-#") return h("small", { class: "subtext" }, inline(found[2]));
  const level = found[1].length;
  return h("div", { class: `heading h${level}`, role: "heading", "aria-level": String(level + 2) }, inline(found[2]));
}

function quote(lines) {
  if (lines[0].startsWith(">>> ")) {
    const all = lines.splice(0).join("\n").slice(4);
    return h("blockquote", {}, blocks(all));
  }
  const quoted = [];
  while (lines.length && /^> /.test(lines[0])) quoted.push(lines.shift().slice(2));
  return quoted.length ? h("blockquote", {}, blocks(quoted.join("\n"))) : null;
}

function list(lines) {
  const first = ITEM.exec(lines[0]);
  if (!first) return null;
  const depth = first[1].length;
  const ordered = /\d/.test(first[2]);
  const made = h(ordered ? "ol" : "ul", ordered ? { start: parseInt(first[2], 10) } : {});
  while (lines.length) {
    const item = ITEM.exec(lines[0]);
    if (!item || item[1].length < depth) break;
    if (item[1].length > depth && made.lastElementChild) {
      made.lastElementChild.append(list(lines));
      continue;
    }
    if (/\d/.test(item[2]) !== ordered) break;
    made.append(h("li", {}, inline(item[3])));
    lines.shift();
  }
  return made;
}
