// The log drawer: every frame and request between the bot and the sandbox, one line each.
import { api, Refusal } from "./api.js";
import { capital } from "./act.js";
import { fill, h, oneAtATime } from "./dom.js";
import { icon } from "./icons.js";
import { json } from "./json.js";
import { store } from "./store.js";
import { clockTime } from "./times.js";
import { toast } from "./toasts.js";

const OPS = ["dispatch", "heartbeat", "identify", "presence", "voice state", "", "resume", "reconnect", "members", "invalid session", "hello", "heartbeat ack"];
const LONGEST = 28;
const BEATS = new Set([1, 11]);
const PAUSE = 150;
const MOST = 1000, SHOWN = 400;
const KINDS = [["rest", "Requests"], ["gateway", "Gateway"], ["voice", "Voice"], ["other", "People, notes"]];

class LogDrawer extends HTMLElement {
  static observedAttributes = ["hidden"];
  #lines = [];

  connectedCallback() {
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Log");
    this.kinds = new Set(KINDS.map(([kind]) => kind));
    this.words = h("input", { type: "search", placeholder: "Filter: a path, an event, a status", "aria-label": "Filter the log", on: { input: () => this.show() } });
    this.list = h("ol", { class: "log-lines", "aria-label": "Entries", tabIndex: 0 });
    this.detail = h("div", { class: "log-detail", "aria-live": "polite" }, h("p", { class: "soft" }, "Press an entry to see all of it."));
    fill(this, h("div", { class: "log-head" }, h("strong", {}, "Log"),
      KINDS.map(([kind, words]) => h("button", { type: "button", class: "chip", "aria-pressed": "true", data: { kind }, on: { click: (event) => this.toggle(event.currentTarget, kind) } }, words)),
      this.words,
      h("button", { type: "button", class: "plain", "aria-label": "Close the log", on: { click: () => document.querySelector(".log-button").click() } }, icon("close"))),
    h("div", { class: "log-body" }, this.list, this.detail));
    store.addEventListener("log", () => !this.hidden && this.load());
  }

  attributeChangedCallback() {
    if (!this.hidden && this.list) this.load();
  }

  load = oneAtATime(async () => {
    try {
      const news = await api.lines(this.#lines.at(-1)?.number ?? -1);
      this.#lines = [...this.#lines, ...news].slice(-MOST);
      this.show();
      // A busy bot fills the log faster than anybody reads.
      await new Promise((done) => setTimeout(done, PAUSE));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      toast(capital(error.message));
    }
  });

  toggle(pressed, kind) {
    if (!this.kinds.delete(kind)) this.kinds.add(kind);
    pressed.setAttribute("aria-pressed", String(this.kinds.has(kind)));
    this.show();
  }

  show() {
    const wanted = this.words.value.toLowerCase();
    const end = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    const kind = (each) => (["rest", "gateway", "voice"].includes(each.kind) ? each.kind : "other");
    const found = this.#lines.filter((each) => this.kinds.has(kind(each)) && !(each.kind !== "rest" && BEATS.has(each.op))
      && `${title(each)} ${each.status ?? ""} ${each.kind}`.toLowerCase().includes(wanted)).slice(-SHOWN);
    fill(this.list, found.map((each) => this.line(each)));
    if (!found.length) this.list.append(h("li", { class: "nothing" }, "Nothing like that has passed yet."));
    if (end) this.list.scrollTop = this.list.scrollHeight;
  }

  line(each) {
    const bad = each.status >= 400;
    return h("li", {}, h("button", { type: "button", class: `${bad ? "bad" : ""} ${each.number === this.open ? "open" : ""}`, data: { number: String(each.number) },
      on: { click: () => this.look(each.number) } },
    h("time", {}, clockTime(new Date(each.at))),
    h("span", { class: `way ${each.direction}`, title: each.direction === "in" ? "from the bot" : "to the bot" }, each.direction === "in" ? "→" : "←"),
    h("span", { class: `kind ${each.kind}` }, each.kind), h("span", { class: "title" }, title(each)),
    each.status && h("b", { class: "status" }, String(each.status)), each.sequence && h("small", {}, `#${each.sequence}`)));
  }

  async look(number) {
    this.open = number;
    this.show();
    try {
      fill(this.detail, json(await api.entry(number)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fill(this.detail, h("p", { class: "soft" }, capital(error.message)));
    }
  }
}

/** Tokens are as long as paths; nobody reads them. */
function short(path) {
  return path.split("/").map((each) => (each.length > LONGEST ? `${each.slice(0, 8)}…` : each)).join("/");
}

/** What a person did, as far as a line tells. */
function deed({ user_id: id, verb, arguments: given = {} }) {
  const who = store.member(id)?.display_name;
  const what = given.command ?? given.custom_id ?? given.text ?? given.content;
  return [who, verb, typeof what === "string" && what].filter(Boolean).join(" ");
}

function title(each) {
  if (each.kind === "rest") return `${each.method} ${short(each.path)}`;
  if (each.kind === "note") return each.words;
  if (each.kind === "act") return deed(each);
  if (each.kind === "clock") return `the clock is turned to ${clockTime(new Date(each.to))}`;
  if (each.event) return each.event;
  if (each.kind === "gateway") return OPS[each.op] ?? `op ${each.op}`;
  return `op ${each.op}`;
}

customElements.define("log-drawer", LogDrawer);
