// What there is to pick from in a guild: its people, roles and channels.
import { store } from "./store.js";

const PEOPLE = 5, ROLES = 6, BOTH = 7, CHANNELS = 8;
const SIGNS = { 0: "#", 2: "🔊", 4: "▾", 5: "📣", 13: "🎙", 15: "💬" };

export function people(keep = () => true) {
  return store.sight.members.filter(keep).map((each) => ({
    value: each.id, label: each.display_name, face: true,
    description: each.bot ? `${each.username}, a bot` : each.username,
  }));
}

export function roles() {
  return store.sight.roles
    .filter((each) => each.id !== store.place.guild)
    .map((each) => ({ value: each.id, label: each.name, sign: "@", description: "role" }));
}

export function channels(kinds = null) {
  return store.sight.channels
    .filter((each) => each.type !== 1 && (!kinds?.length || kinds.includes(each.type)))
    .map((each) => ({ value: each.id, label: each.name, sign: SIGNS[each.type] ?? "#" }));
}

/** Return the options of a select menu of any kind, those picked before marked. */
export function optionsOf(part) {
  const preset = new Set((part.default_values ?? []).map((each) => each.id));
  const made = {
    [PEOPLE]: () => people(),
    [ROLES]: () => roles(),
    [BOTH]: () => [...people(), ...roles()],
    [CHANNELS]: () => channels(part.channel_types),
  }[part.type];
  if (made) return made().map((each) => ({ ...each, selected: preset.has(each.value) }));
  return (part.options ?? []).map((each) => ({
    value: each.value, label: each.label, description: each.description,
    sign: each.emoji?.id ? `:${each.emoji.name}:` : each.emoji?.name, selected: Boolean(each.default),
  }));
}
