// Components of messages, old rows and new layouts, each pressed through the control address.
import { act } from "./act.js";
import { api } from "./api.js";
import { optionsOf } from "./choices.js";
import { h } from "./dom.js";
import { css } from "./embeds.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { outside } from "./markdown-inline.js";
import { file, picture } from "./media.js";
import { pick } from "./picker.js";
import { store } from "./store.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "premium" };
const SELECTS = [3, 5, 6, 7, 8];
const WORDS = { 5: "Pick people", 6: "Pick roles", 7: "Pick people or roles", 8: "Pick channels" };

const MAKERS = {
  1: (part, message) => h("div", { class: "row" }, parts(part.components, message)),
  2: button,
  9: (part, message) => h("div", { class: "section" },
    h("div", { class: "section-text" }, parts(part.components, message)), parts([part.accessory], message)),
  10: (part) => h("div", { class: "words" }, markdown(part.content)),
  11: (part) => veiled(part, picture(part.media.url, part.description, "thumbnail")),
  12: (part) => h("div", { class: "gallery", data: { count: String(part.items.length) } },
    part.items.map((each) => veiled(each, picture(each.media.url, each.description)))),
  13: (part, message) => veiled(part, file(message.id, part.name ?? part.file.url.split("/").pop(), part.size)),
  14: (part) => h("hr", { class: `${part.divider === false ? "blank" : ""} ${part.spacing === 2 ? "far" : ""}` }),
  17: container,
};

/** Return the elements of a message's components. */
export function parts(list, message) {
  return (list ?? []).map((part) => {
    if (SELECTS.includes(part.type)) return select(part, message);
    const make = MAKERS[part.type];
    return make ? make(part, message) : h("p", { class: "soft" }, `A component of type ${part.type}, which this page does not know.`);
  });
}

function button(part, message) {
  const words = [part.emoji && h("span", { class: "emoji" }, part.emoji.id ? `:${part.emoji.name}:` : part.emoji.name), part.label];
  const style = `button ${STYLES[part.style] ?? "secondary"}`;
  if (part.style === 5) {
    const link = outside(part.url, ...words.filter(Boolean), icon("out"));
    link.className = style;
    return link;
  }
  if (part.style === 6) return h("button", { type: "button", class: style, disabled: true }, "Buy (not for sale here)");
  const press = (event) => act(api.click(store.place, message.id, part.custom_id), event.currentTarget);
  return h("button", { type: "button", class: style, disabled: Boolean(part.disabled), data: { customId: part.custom_id },
    on: { click: press } }, words);
}

function select(part, message) {
  const options = optionsOf(part);
  const picked = options.filter((each) => each.selected);
  const title = part.placeholder || WORDS[part.type] || "Pick one";
  const many = part.max_values ?? 1;
  const least = Math.min(part.min_values ?? 1, options.length);
  const open = async (event) => {
    const pressed = event.currentTarget;
    const values = await pick(pressed, title, options, { min: least, max: Math.min(many, options.length) });
    if (values) await act(api.choose(store.place, message.id, part.custom_id, values), pressed);
  };
  return h("button", { type: "button", class: "select", disabled: Boolean(part.disabled), "aria-haspopup": "listbox",
    data: { customId: part.custom_id }, on: { click: open } },
  h("span", { class: picked.length ? "" : "soft" }, picked.length ? picked.map((each) => each.label).join(", ") : title), icon("down"));
}

function container(part, message) {
  const box = h("div", { class: "container" }, parts(part.components, message));
  if (part.accent_color !== null && part.accent_color !== undefined) {
    box.classList.add("edged");
    box.style.setProperty("--edge", css(part.accent_color));
  }
  return veiled(part, box);
}

function veiled(part, content) {
  if (!part.spoiler) return content;
  const lift = (event) => event.currentTarget.replaceWith(content);
  return h("button", { type: "button", class: "veil", on: { click: lift } }, icon("eye"), "Spoiler: press to show");
}
