// Discord's markdown within a line: marks, mentions, times, links, code.
import { h } from "./dom.js";
import { store } from "./store.js";
import { timestamp } from "./times.js";

const web = (address) => /^https?:\/\//i.test(address) && URL.canParse(address);

/** Return a link that leads outside; the page itself never fetches it. */
export function outside(address, ...words) {
  return h("a", { href: address, target: "_blank", rel: "noreferrer noopener", title: address }, ...words);
}

const mention = (...words) => h("span", { class: "mention" }, ...words);

function user(id) {
  const found = store.member(id);
  if (!found) return mention("@unknown");
  return h("button", { type: "button", class: "mention", data: { person: id } }, `@${found.display_name}`);
}

function channel(id) {
  const found = store.sight?.channels.find((each) => each.id === id);
  if (!found) return mention("#unknown");
  const sign = found.type === 2 || found.type === 13 ? "🔊 " : "#";
  return h("button", { type: "button", class: "mention", data: { goto: id } }, `${sign}${found.name}`);
}

function role(id) {
  const found = store.sight?.roles.find((each) => each.id === id);
  return mention(found ? `@${found.name}` : "@unknown role");
}

function spoiler(children) {
  const open = (event) => { event.currentTarget.dataset.open = "yes"; };
  return h("button", { type: "button", class: "spoiler", "aria-label": "Spoiler, press to show", on: { click: open } }, children);
}

// Tried in this order at each place; the first that fits is taken.
const RULES = [
  [/^\\([^\w\s])/, (m) => m[1]],
  [/^(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/, (m) => h("code", {}, m[2].replace(/^ (.*) $/, "$1"))],
  [/^<@!?(\d+)>/, (m) => user(m[1])],
  [/^<#(\d+)>/, (m) => channel(m[1])],
  [/^<@&(\d+)>/, (m) => role(m[1])],
  [/^<\/([^:>]+):\d+>/, (m) => mention(`/${m[1]}`)],
  [/^<t:(-?\d{1,13})(?::([tTdDfFsSR]))?>/, (m) => timestamp(Number(m[1]), m[2])],
  [/^<a?:(\w+):\d+>/, (m) => h("span", { class: "emoji-name" }, `:${m[1]}:`)],
  [/^@(everyone|here)\b/, (m) => mention(m[0])],
  [/^\[([^\]\n]+)\]\(<?(https?:\/\/[^\s)>]+)>?(?: "[^"]*")?\)/i, (m) => web(m[2]) && outside(m[2], inline(m[1]))],
  [/^<(https?:\/\/[^\s>]+)>/i, (m) => web(m[1]) && outside(m[1], m[1])],
  [/^https?:\/\/[^\s<]*[^\s<.,:;"'\])]/i, (m) => web(m[0]) && outside(m[0], m[0])],
  [/^\*\*\*([\s\S]+?)\*\*\*(?!\*)/, (m) => h("strong", {}, h("em", {}, inline(m[1])))],
  [/^\*\*([\s\S]+?)\*\*(?!\*)/, (m) => h("strong", {}, inline(m[1]))],
  [/^__([\s\S]+?)__(?!_)/, (m) => h("u", {}, inline(m[1]))],
  [/^\*(?=\S)([\s\S]*?\S)\*(?!\*)/, (m) => h("em", {}, inline(m[1]))],
  [/^_(?=\S)([\s\S]*?\S)_(?!\w)/, (m, before) => !/\w$/.test(before) && h("em", {}, inline(m[1]))],
  [/^~~([\s\S]+?)~~/, (m) => h("s", {}, inline(m[1]))],
  [/^\|\|([\s\S]+?)\|\|/, (m) => spoiler(inline(m[1]))],
];
const SPECIAL = /[\\`<@[hH*_~|]/;

/** Return the nodes of one line's or paragraph's text. */
export function inline(text) {
  const nodes = [];
  let plain = "";
  let place = 0;
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = "";
  };
  while (place < text.length) {
    const found = SPECIAL.test(text[place]) && match(text.slice(place), text.slice(0, place));
    if (found) {
      if (typeof found.node === "string") plain += found.node;
      else {
        flush();
        nodes.push(found.node);
      }
      place += found.length;
    } else {
      plain += text[place];
      place += 1;
    }
  }
  flush();
  return nodes;
}

function match(rest, before) {
  for (const [pattern, make] of RULES) {
    const found = pattern.exec(rest);
    const node = found && make(found, before);
    if (node) return { node, length: found[0].length };
  }
  return null;
}
