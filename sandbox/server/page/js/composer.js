// Where a person writes, or begins a command with a slash.
import { capital } from "./act.js";
import { api, Refusal } from "./api.js";
import { fill, h, newId } from "./dom.js";
import { commandCard } from "./command-card.js";
import { icon } from "./icons.js";
import { store } from "./store.js";
import { toast } from "./toasts.js";

const MOST = 2000;

class MessageComposer extends HTMLElement {
  #offered = [];
  #active = 0;

  connectedCallback() {
    this.menu = h("ul", { role: "listbox", class: "command-menu", id: newId("commands"), hidden: true, "aria-label": "Commands" });
    this.input = h("textarea", { id: "say", rows: 1, role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list",
      "aria-controls": this.menu.id, on: { input: () => this.typed(), blur: () => this.hide(), keydown: (event) => this.key(event) } });
    this.button = h("button", { type: "button", class: "plain slash", "aria-label": "Commands", title: "Commands of the bot",
      on: { click: () => this.begin() } }, "/");
    this.sender = h("button", { type: "button", class: "plain", "aria-label": "Send", on: { click: () => this.send() } }, icon("send"));
    this.line = h("div", { class: "say-line" }, this.button, this.input, this.sender);
    this.append(this.menu, this.line);
    store.follow(["place", "sight"], () => this.place());
    store.addEventListener("place", () => this.close());
  }

  place() {
    const { channel } = store;
    const may = channel?.may.includes("write") || channel?.may.includes("command");
    this.input.disabled = this.sender.disabled = !may;
    this.button.disabled = !channel?.may.includes("command");
    const where = channel ? `${channel.type === 0 ? "#" : ""}${channel.name}` : "";
    const words = !channel ? "Pick a channel" : may ? `Message ${where} as ${store.actor?.display_name ?? ""}` : "You may not write here";
    this.input.placeholder = words;
    this.input.setAttribute("aria-label", words);
  }

  begin() {
    this.input.value = "/";
    this.typed();
    this.input.focus();
  }

  typed() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 160)}px`;
    const text = this.input.value;
    if (!text.startsWith("/") || this.button.disabled) return this.hide();
    const words = text.slice(1).toLowerCase().trimStart();
    const menu = store.commands(1);
    const rank = (each) => (each.shown.startsWith(words) || each.command.startsWith(words) ? 0 : each.shown.includes(words) ? 1 : each.description.toLowerCase().includes(words) ? 2 : 3);
    this.#offered = menu.filter((each) => rank(each) < 3).sort((one, other) => rank(one) - rank(other) || one.shown.localeCompare(other.shown));
    return this.offer(menu.length);
  }

  offer(known) {
    const none = known ? "No command is called that." : store.sight?.bot.connected ? "The bot has no commands here." : "No bot is connected, so there are no commands yet.";
    fill(this.menu, this.#offered.map((each, place) => h("li", { role: "option", id: `${this.menu.id}-${place}`, data: { command: each.command },
      on: { pointerdown: (event) => event.preventDefault(), click: () => this.open(each) } },
    h("b", {}, `/${each.shown}`), h("span", { class: "options" }, each.options.map((one) => h("code", {}, one.required ? one.shown : `${one.shown}?`))),
    h("small", {}, each.description))));
    if (!this.#offered.length) this.menu.append(h("li", { class: "nothing" }, none));
    this.menu.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    if (this.#offered.length) this.mark(0);
  }

  mark(place) {
    this.#active = place;
    [...this.menu.children].forEach((each, number) => {
      each.classList.toggle("active", number === place);
      each.setAttribute("aria-selected", String(number === place));
    });
    const now = this.menu.children[place];
    now?.scrollIntoView({ block: "nearest" });
    if (now?.id) this.input.setAttribute("aria-activedescendant", now.id);
  }

  hide() {
    this.menu.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const count = this.#offered.length;
    const choosing = !this.menu.hidden && count;
    if (choosing && event.key === "ArrowDown") this.mark((this.#active + 1) % count);
    else if (choosing && event.key === "ArrowUp") this.mark((this.#active + count - 1) % count);
    else if (choosing && (event.key === "Enter" || event.key === "Tab")) this.open(this.#offered[this.#active]);
    else if (!this.menu.hidden && event.key === "Escape") this.hide();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.send();
    else return;
    event.preventDefault();
  }

  open(command) {
    this.hide();
    this.input.value = "";
    this.card?.remove();
    this.card = commandCard(command, () => { this.close(); this.input.focus(); });
    this.line.hidden = true;
    this.append(this.card);
    this.card.start();
  }

  close() {
    this.card?.remove();
    this.card = null;
    this.line.hidden = false;
    this.hide();
  }

  async send() {
    const text = this.input.value;
    if (!text.trim() || (text.startsWith("/") && !this.button.disabled)) return;
    this.input.value = "";
    this.input.style.height = "auto";
    try {
      await (store.channel.type === 1 ? api.direct(store.place, text) : api.say(store.place, text));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.input.value = text;
      toast(capital(error.message));
    }
  }
}

customElements.define("message-composer", MessageComposer);
