// Faces: an initial on a colour of the person's own.
import { h } from "./dom.js";
import { store } from "./store.js";

/** Return a round picture of a person, made of their id and name. */
export function face(id, name, size = "") {
  const drawn = h("span", { class: `face ${size}`, "aria-hidden": "true" }, [...name][0]?.toUpperCase() ?? "?");
  drawn.style.setProperty("--hue", String(Number(BigInt(id) % 3600n) / 10 * 7 % 360));
  return drawn;
}

/** Return the name a guild member goes by, or the one that an account carries. */
export function nameOf(account) {
  return store.member(account.id)?.display_name ?? account.global_name ?? account.username;
}

/** Return a person's highest role, or null. */
export function topRole(member) {
  const mine = store.sight.roles.filter((role) => member.roles.includes(role.id));
  return mine.sort((one, other) => other.position - one.position)[0] ?? null;
}

/** Return the badge of a bot. */
export const botBadge = () => h("span", { class: "badge" }, "bot");
