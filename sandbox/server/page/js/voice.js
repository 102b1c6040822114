// Sitting down, moving, leaving, and what one hears and says.
import { capital } from "./act.js";
import { api, Refusal } from "./api.js";
import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { store } from "./store.js";
import { toast } from "./toasts.js";

/** Change somebody's voice state and look again. */
export async function setVoice(user, body) {
  try {
    await api.voice(store.place.guild, user, body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(capital(error.message));
  }
}

/** Return the marks behind a name: muted, deafened, streaming. */
export function marks(voice) {
  return [
    (voice.mute || voice.self_mute) && h("span", { class: voice.mute ? "mark by-others" : "mark" }, icon("micOff", voice.mute ? "Muted by a moderator" : "Muted")),
    (voice.deaf || voice.self_deaf) && h("span", { class: voice.deaf ? "mark by-others" : "mark" }, icon("earOff", voice.deaf ? "Deafened by a moderator" : "Deafened")),
    voice.suppress && h("span", { class: "mark", title: "In the audience of a stage" }, "audience"),
    voice.self_stream && h("span", { class: "mark live", title: "Streaming" }, "Live"),
  ];
}

class VoiceBar extends HTMLElement {
  connectedCallback() {
    store.follow(["sight", "place"], () => this.show());
  }

  show() {
    const voice = store.actor?.voice;
    this.hidden = !voice;
    if (!voice) return;
    const room = store.sight.channels.find((each) => each.id === voice.channel_id);
    fill(this,
      h("div", { class: "seat" }, h("small", {}, "Voice connected"), h("strong", {}, room?.name ?? "a hidden channel")),
      this.toggle("self_mute", voice.self_mute, "mic", "Mute", "Unmute"),
      this.toggle("self_deaf", voice.self_deaf, "ear", "Deafen", "Undeafen"),
      this.toggle("self_stream", voice.self_stream, "stream", "Start streaming", "Stop streaming"),
      h("button", { type: "button", class: "plain danger", "aria-label": "Leave voice", title: "Leave voice",
        on: { click: () => setVoice(store.place.actor, { channel_id: null }) } }, icon("leave")));
  }

  toggle(flag, on, drawing, start, stop) {
    const off = on && drawing !== "stream";
    return h("button", { type: "button", class: `plain ${on ? "on" : ""}`, "aria-pressed": String(on), "aria-label": on ? stop : start, title: on ? stop : start,
      data: { flag }, on: { click: () => setVoice(store.place.actor, { [flag]: !on }) } }, icon(off ? `${drawing}Off` : drawing));
  }
}

customElements.define("voice-bar", VoiceBar);
