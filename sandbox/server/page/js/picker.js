// One list to pick from, for everything that is picked: people, channels, ores, whom to act as.
import { fill, h, newId } from "./dom.js";
import { face } from "./people.js";
import { icon } from "./icons.js";

const SEARCH_FROM = 8;

/**
 * Let a person pick; the promise gives the values picked, or null when they thought better of it.
 * @param {Element} anchor what was pressed; the list opens beside it
 * @param {string} title what is picked, for everybody
 * @param {Array} options `{value, label, description?, face?, sign?, selected?}`
 * @param {{min: number, max: number}} count how many; a single one is taken at once
 */
export function pick(anchor, title, options, { min = 1, max = 1 } = {}) {
  return new Promise((done) => new Picker(anchor, title, options, min, max, done));
}

class Picker {
  constructor(anchor, title, options, min, max, done) {
    Object.assign(this, { anchor, options, min, max, done, active: 0, shown: options });
    this.several = max > 1;
    this.picked = new Set(options.filter((each) => each.selected).map((each) => each.value));
    this.list = h("ul", { role: "listbox", id: newId("choices"), "aria-label": title, on: { pointerdown: (event) => event.preventDefault() },
      "aria-multiselectable": this.several ? "true" : null });
    this.search = h("input", { type: "text", role: "combobox", class: "search", placeholder: "Search", autocomplete: "off",
      "aria-label": `${title}: search`, "aria-controls": this.list.id, "aria-expanded": "true", "aria-autocomplete": "list",
      on: { input: () => this.filter() } });
    if (options.length < SEARCH_FROM) this.search.classList.add("unseen");
    this.panel = h("div", { class: "picker", role: "dialog", "aria-label": title, on: { keydown: (event) => this.key(event) } },
      h("div", { class: "picker-head" }, h("strong", {}, title), this.closer()), this.search, this.list, this.foot());
    this.layer = h("div", { class: "picker-layer", on: { pointerdown: (event) => event.target === this.layer && this.end(null) } }, this.panel);
    // The keyboard stays in the list until something is picked or it is closed.
    this.panel.addEventListener("focusout", ({ relatedTarget }) => { if (relatedTarget && !this.panel.contains(relatedTarget)) this.search.focus(); });
    (anchor.closest("dialog") ?? document.body).append(this.layer);
    this.active = Math.max(0, options.findIndex((each) => each.selected));
    this.show();
    this.stand();
    this.search.focus();
  }

  closer() {
    return h("button", { type: "button", class: "plain", "aria-label": "Close", on: { click: () => this.end(null) } }, icon("close"));
  }

  foot() {
    if (!this.several && this.min > 0) return null;
    this.count = h("span", { class: "soft", role: "status" });
    this.take = h("button", { type: "button", class: "button primary", on: { click: () => this.end([...this.picked]) } }, "Done");
    return h("div", { class: "picker-foot" }, this.count, this.take);
  }

  filter() {
    const words = this.search.value.toLowerCase();
    this.shown = this.options.filter((each) => `${each.label} ${each.description ?? ""}`.toLowerCase().includes(words));
    this.active = 0;
    this.show();
  }

  show() {
    fill(this.list, this.shown.map((each, place) => this.option(each, place)));
    if (!this.shown.length) this.list.append(h("li", { class: "nothing" }, "Nothing is called that."));
    this.mark();
  }

  option(each, place) {
    const taken = this.picked.has(each.value);
    return h("li", { role: "option", id: `${this.list.id}-${place}`, "aria-selected": String(taken), data: { value: each.value },
      on: { click: () => this.choose(place), pointermove: () => this.active !== place && this.mark(place) } },
    this.several && h("span", { class: "tick", "aria-hidden": "true" }),
    each.face && face(each.value, each.label, "small"),
    each.sign && h("span", { class: "sign", "aria-hidden": "true" }, each.sign),
    h("span", { class: "words" }, h("span", {}, each.label), each.description && h("small", {}, each.description)));
  }

  mark(place = this.active) {
    this.active = Math.min(Math.max(place, 0), Math.max(this.shown.length - 1, 0));
    for (const each of this.list.children) each.classList.remove("active");
    const now = this.list.children[this.active];
    now?.classList.add("active");
    now?.scrollIntoView({ block: "nearest" });
    if (now?.id) this.search.setAttribute("aria-activedescendant", now.id);
    if (this.take) {
      this.take.disabled = this.picked.size < this.min || this.picked.size > this.max;
      this.count.textContent = this.several ? `${this.picked.size} of up to ${this.max}` : "";
    }
  }

  choose(place) {
    const { value } = this.shown[place];
    if (!this.several) return this.end(this.min === 0 && this.picked.has(value) ? [] : [value]);
    if (!this.picked.delete(value) && this.picked.size < this.max) this.picked.add(value);
    this.active = place;
    const item = this.list.children[place];
    item.setAttribute("aria-selected", String(this.picked.has(value)));
    return this.mark();
  }

  key(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in moves) this.mark(this.active + moves[event.key]);
    else if (event.key === "Enter" && event.ctrlKey && this.take && !this.take.disabled) this.end([...this.picked]);
    else if (event.key === "Enter" && event.target === this.search) this.shown.length && this.choose(this.active);
    else if (event.key === "Escape") this.end(null);
    else if (event.key === "Tab" && !this.several) this.end(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  stand() {
    const place = this.anchor.getBoundingClientRect();
    const below = innerHeight - place.bottom - 16;
    const above = place.top - 16;
    const width = Math.min(Math.max(place.width, 280), innerWidth - 16);
    const { style } = this.panel;
    style.width = `${width}px`;
    style.left = `${Math.min(Math.max(place.left, 8), innerWidth - width - 8)}px`;
    style.maxHeight = `${Math.min(Math.max(above, below), 420)}px`;
    if (below >= Math.min(this.panel.offsetHeight, 300) || below >= above) style.top = `${place.bottom + 6}px`;
    else style.bottom = `${innerHeight - place.top + 6}px`;
  }

  end(values) {
    this.layer.remove();
    if (this.anchor.isConnected) this.anchor.focus();
    this.done(values);
  }
}
