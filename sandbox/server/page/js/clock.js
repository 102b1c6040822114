// The sandbox's clock. It stands still until somebody turns it.
import { api, Refusal } from "./api.js";
import { capital } from "./act.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { store } from "./store.js";
import { clockTime, day } from "./times.js";
import { toast } from "./toasts.js";

const STEPS = [["+1 min", 60], ["+15 min", 900], ["+1 h", 3600]];
const UNITS = [["seconds", 1], ["minutes", 60], ["hours", 3600], ["days", 86400]];

class TurnClock extends HTMLElement {
  connectedCallback() {
    this.shown = h("output", { class: "now", "aria-label": "Sandbox time", "aria-live": "off" });
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "Clock");
    this.custom = h("button", { type: "button", class: "button quiet", "aria-expanded": "false", on: { click: () => this.open() } }, "Turn…");
    fill(this, icon("clock"), this.shown,
      STEPS.map(([words, seconds]) => h("button", { type: "button", class: "button quiet", data: { step: String(seconds) }, title: `Turn the clock on by ${words.slice(1)}`,
        on: { click: () => this.turn(seconds) } }, words)), this.custom);
    store.follow(["clock"], () => this.show());
  }

  show() {
    if (!store.now) return;
    const now = new Date(store.now);
    this.shown.dataset.now = store.now;
    fill(this.shown, h("span", { class: "date" }, day(now)), h("b", {}, clockTime(now)), h("small", {}, "UTC"));
  }

  async turn(seconds) {
    this.setAttribute("aria-busy", "true");
    for (const each of this.querySelectorAll("button")) each.disabled = true;
    try {
      store.turned((await api.advance(seconds)).now);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      toast(capital(error.message));
    } finally {
      this.removeAttribute("aria-busy");
      for (const each of this.querySelectorAll("button")) each.disabled = false;
    }
  }

  open() {
    const amount = h("input", { type: "number", id: "turn-amount", min: "0", step: "any", value: "90", required: true });
    const unit = h("select", { "aria-label": "Unit" }, UNITS.map(([name, length]) => h("option", { value: String(length), selected: name === "minutes" }, name)));
    const dialog = h("dialog", { class: "small", "aria-label": "Turn the clock" },
      h("form", { on: { submit: (event) => { event.preventDefault(); dialog.close(); this.turn(amount.valueAsNumber * Number(unit.value)); } } },
        h("h2", {}, "Turn the clock"),
        h("p", { class: "soft" }, "What falls due on the way happens, in order. Time only goes forward."),
        h("label", { htmlFor: "turn-amount" }, "By how much"), h("div", { class: "pair" }, amount, unit),
        h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button secondary", on: { click: () => dialog.close() } }, "Cancel"),
          h("button", { type: "submit", class: "button primary" }, "Turn"))));
    dialog.addEventListener("close", () => { dialog.remove(); this.custom.focus(); });
    document.body.append(dialog);
    dialog.showModal();
    amount.select();
  }
}

customElements.define("turn-clock", TurnClock);
