// A channel's messages; only those that changed are made anew, so nothing open is lost.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { message } from "./message.js";
import { store } from "./store.js";
import { turnRelative } from "./times.js";

const TOGETHER = 7 * 60 * 1000;
const NEAR = 60;

class MessageList extends HTMLElement {
  #shown = new Map();
  #place = "";
  stuck = true;

  connectedCallback() {
    this.pile = h("div", { class: "pile" });
    this.list = h("div", { class: "messages", role: "log", "aria-label": "Messages", tabIndex: 0 }, this.pile);
    this.jump = h("button", { type: "button", class: "button primary jump", hidden: true, on: { click: () => this.toEnd() } }, icon("down"), "New below");
    this.append(this.list, this.jump);
    // Whoever reads further up stays there; at the end, pictures that come late do not push the end away.
    this.list.addEventListener("scroll", () => {
      this.stuck = this.atEnd;
      if (this.stuck) this.jump.hidden = true;
    });
    const sizes = new ResizeObserver(() => this.stuck && this.toEnd());
    sizes.observe(this.list);
    sizes.observe(this.pile);
    store.follow(["messages", "place"], () => this.show());
    store.addEventListener("sight", () => this.again());
    store.addEventListener("clock", turnRelative);
  }

  get atEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.list;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    this.stuck = true;
    this.jump.hidden = true;
  }

  /** Names of people and channels may have changed: make everything anew, unless somebody is busy in it. */
  again() {
    const names = JSON.stringify([store.sight.members.map((each) => each.display_name), store.sight.channels.map((each) => each.name)]);
    if (names === this.names) return;
    this.names = names;
    this.#shown.clear();
    this.show();
  }

  show() {
    const place = Object.values(store.place).join("/");
    const moved = place !== this.#place;
    if (moved) this.#shown.clear();
    this.#place = place;
    const stick = moved || this.stuck;
    const before = this.#shown;
    const wanted = store.messages.map((one, number) => this.#element(one, store.messages[number - 1], before));
    this.#shown = new Map(wanted.map((each) => [each.id, each]));
    const elements = wanted.map((each) => each.element);
    const news = elements.length && elements.at(-1) !== this.pile.lastElementChild;
    if (!elements.length) elements.push(this.#empty());
    this.#arrange(elements);
    if (stick) this.toEnd();
    else if (news) this.jump.hidden = false;
    turnRelative();
  }

  #element(one, previous, before) {
    const first = !previous || previous.author.id !== one.author.id || Boolean(one.interaction) || Boolean(one.referenced_message)
      || new Date(one.timestamp) - new Date(previous.timestamp) > TOGETHER || (one.flags & 64) !== (previous.flags & 64);
    const state = JSON.stringify([one, first]);
    const old = before.get(one.id);
    return old?.state === state ? old : { id: one.id, state, element: message(one, first) };
  }

  #arrange(elements) {
    const wanted = new Set(elements);
    for (const each of [...this.pile.children]) if (!wanted.has(each)) each.remove();
    elements.forEach((each, place) => {
      if (this.pile.children[place] !== each) this.pile.insertBefore(each, this.pile.children[place] ?? null);
    });
  }

  #empty() {
    const name = store.channel?.name;
    return h("div", { class: "empty" }, h("p", { class: "big" }, name ? `This is the start of ${store.channel.type === 0 ? "#" : ""}${name}.` : "Nothing here yet."),
      name && h("p", { class: "soft" }, "Say something, or type / to see what the bot can do."));
  }
}

customElements.define("message-list", MessageList);
