// Embeds: a card with a coloured edge.
import { h } from "./dom.js";
import { markdown } from "./markdown.js";
import { inline, outside } from "./markdown-inline.js";
import { picture } from "./media.js";
import { full, day, hour } from "./times.js";

/** Return a colour of the API as CSS has it. */
export const css = (number) => `#${number.toString(16).padStart(6, "0")}`;

export function embed(one) {
  const card = h("article", { class: "embed", "aria-label": one.title ?? "Embed" },
    h("div", { class: "embed-text" },
      one.author && h("div", { class: "embed-author" }, linked(one.author.url, one.author.name)),
      one.title && h("div", { class: "embed-title" }, linked(one.url, ...inline(one.title))),
      one.description && h("div", { class: "words" }, markdown(one.description)),
      one.fields?.length > 0 && h("dl", { class: "fields" }, one.fields.map(field))),
    one.thumbnail && picture(one.thumbnail.url, "", "thumbnail"),
    one.image && picture(one.image.url, "", "wide"),
    (one.footer || one.timestamp) && h("footer", {}, [one.footer?.text, one.timestamp && stamp(one.timestamp)].filter(Boolean).flatMap((each, place) => (place ? [" · ", each] : [each]))));
  if (one.color) card.style.setProperty("--edge", css(one.color));
  return card;
}

function linked(url, ...words) {
  return /^https?:/i.test(url ?? "") ? outside(url, ...words) : words;
}

function field(one) {
  return h("div", { class: one.inline ? "inline" : "" }, h("dt", {}, inline(one.name)), h("dd", { class: "words" }, markdown(one.value)));
}

function stamp(iso) {
  const moment = new Date(iso);
  return h("time", { dateTime: iso, title: full(moment) }, `${day(moment)}, ${hour(moment)}`);
}
