// What can be done with a message: react, pin, delete, and the bot's own commands on it.
import { act } from "./act.js";
import { api, Refusal } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { pick } from "./picker.js";
import { store } from "./store.js";

const FACES = ["👍", "❤️", "😂", "🎉", "👀", "✅", "⛏️"];

/** Return the button that opens a message's menu. */
export function more(one) {
  return h("button", { type: "button", class: "plain more", "aria-label": "What to do with this message", "aria-haspopup": "listbox",
    on: { click: (event) => open(event.currentTarget, one) } }, icon("more"));
}

/** Add one's own reaction, or take it back when it is there already. */
export async function toggleReaction(one, reaction) {
  const emoji = reaction.emoji.id ? `${reaction.emoji.name}:${reaction.emoji.id}` : reaction.emoji.name;
  try {
    // The sandbox counts but does not tell whose they are; taking back what is not there is refused.
    await api.react(store.place, one.id, emoji, true);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await act(api.react(store.place, one.id, emoji, false));
  }
}

async function open(pressed, one) {
  const { place } = store;
  const things = [];
  const add = (label, sign, does) => things.push({ value: String(things.length), label, sign, does });
  for (const each of store.commands(3)) add(each.shown, "⚡", () => api.onMessage(place, each.command, one.id));
  if (!(one.flags & 64)) {
    for (const each of FACES) add(`React with ${each}`, each, () => api.react(place, one.id, each, false));
    add(one.pinned ? "Unpin" : "Pin", "📌", () => api.pin(place, one.id, !one.pinned));
    add("Delete", "✕", () => api.remove(place, one.id));
  }
  add("Copy the id", "#", async () => { await navigator.clipboard.writeText(one.id); return { kind: "copied" }; });
  const picked = await pick(pressed, "This message", things);
  if (picked?.length) await act(things[Number(picked[0])].does());
}
