// The frame around everything: the top bar, the head of a channel, the notice when no bot is there.
import { api } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { store } from "./store.js";
import { toast } from "./toasts.js";

const THEME = "sandbox-theme";

class TopBar extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "banner");
    const theme = localStorage.getItem(THEME);
    if (theme) document.documentElement.dataset.theme = theme;
    this.live = h("span", { class: "live-state", role: "status" });
    fill(this,
      h("button", { type: "button", class: "plain only-narrow", "aria-label": "Channels", "aria-controls": "places", on: { click: () => document.body.classList.toggle("places-open") } }, icon("menu")),
      h("span", { class: "brand" }, h("img", { src: "icon.svg", alt: "", width: 26, height: 26 }), "Sandbox"), this.live,
      document.createElement("turn-clock"),
      h("button", { type: "button", class: "button quiet log-button", "aria-expanded": "false", on: { click: (event) => this.drawer(event.currentTarget) } }, icon("log"), "Log"),
      h("button", { type: "button", class: "plain", "aria-label": "Change between light and dark", title: "Light or dark", on: { click: () => this.theme() } }, icon("sun")));
    store.follow(["live"], () => { this.live.textContent = store.live ? "" : "Connecting…"; });
    store.addEventListener("place", () => document.body.classList.remove("places-open"));
  }

  drawer(pressed) {
    const drawer = document.querySelector("log-drawer");
    drawer.hidden = !drawer.hidden;
    pressed.setAttribute("aria-expanded", String(!drawer.hidden));
  }

  theme() {
    const light = matchMedia("(prefers-color-scheme: light)").matches;
    const now = document.documentElement.dataset.theme ?? (light ? "light" : "dark");
    const next = now === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem(THEME, next);
  }
}

class ChatHead extends HTMLElement {
  connectedCallback() {
    store.follow(["place", "sight"], () => {
      const { channel } = store;
      document.title = channel ? `${channel.name} · ${store.sight.name} · Sandbox` : "Sandbox";
      fill(this, channel ? [icon({ 2: "speaker", 13: "stage", 1: "direct" }[channel.type] ?? "hash"), h("h2", {}, channel.name), channel.topic && h("p", {}, channel.topic)] : h("h2", {}, "Sandbox"),
        h("button", { type: "button", class: "plain people-button", "aria-label": "People", title: "People", on: { click: () => document.body.classList.toggle("people-toggled") } }, icon("people")));
    });
  }
}

class BotNotice extends HTMLElement {
  connectedCallback() {
    store.follow(["sight", "guilds", "place"], () => this.show());
  }

  show() {
    const { sight } = store;
    const state = String([store.live && !store.guilds.length, sight?.bot.connected, sight?.bot.member]);
    if (state === this.state) return;
    this.state = state;
    this.hidden = true;
    if (store.live && !store.guilds.length) {
      this.say("This sandbox is empty.", "Set a scene before it is served, or found a guild now:", `curl ${api.control}/guilds -d '{"name": "Ember"}'`);
    } else if (sight && !sight.bot.member) this.say("The bot is not a member of this guild.", "", "");
    else if (sight && !sight.bot.connected) this.say("No bot is connected yet.", "Start yours; this tells it where to go:", `curl ${api.control}/addresses`);
  }

  say(title, words, command) {
    this.hidden = false;
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(command);
        toast("Copied.", "good");
      } catch {
        toast("The browser did not allow copying; mark the words and copy them by hand.");
      }
    };
    fill(this, h("strong", {}, title), h("span", {}, words), command && h("code", { tabIndex: 0 }, command),
      command && h("button", { type: "button", class: "plain", "aria-label": "Copy the command", on: { click: copy } }, icon("copy")));
  }
}

customElements.define("top-bar", TopBar);
customElements.define("chat-head", ChatHead);
customElements.define("bot-notice", BotNotice);
