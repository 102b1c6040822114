// Times as people read them. The sandbox's own time counts, and UTC, as in what bots write.
import { h } from "./dom.js";
import { store } from "./store.js";

const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", hourCycle: "h23", ...options });
const TIME = { hour: "2-digit", minute: "2-digit" };
const DATE = { day: "numeric", month: "long", year: "numeric" };
const STYLES = {
  t: format(TIME),
  T: format({ ...TIME, second: "2-digit" }),
  d: format({ day: "2-digit", month: "2-digit", year: "numeric" }),
  D: format(DATE),
  f: format({ ...DATE, ...TIME }),
  F: format({ ...DATE, ...TIME, weekday: "long" }),
  s: format({ day: "2-digit", month: "2-digit", year: "numeric", ...TIME }),
  S: format({ day: "2-digit", month: "2-digit", year: "numeric", ...TIME, second: "2-digit" }),
};
const DAY = format({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const clockTime = (moment) => STYLES.T.format(moment);
export const day = (moment) => DAY.format(moment);
export const hour = (moment) => STYLES.t.format(moment);
export const full = (moment) => `${STYLES.F.format(moment)} UTC`;

/** Return how far a moment is from the sandbox's now: "in 5 minutes". */
export function relative(moment, now = new Date(store.now ?? moment)) {
  const seconds = Math.round((moment - now) / 1000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}

/** Return the element of a `<t:seconds:style>`; relative ones follow the clock. */
export function timestamp(seconds, style = "f") {
  const moment = new Date(seconds * 1000);
  if (Number.isNaN(moment.valueOf())) return `<t:${seconds}>`;
  const words = style === "R" ? relative(moment) : (STYLES[style] ?? STYLES.f).format(moment);
  const data = style === "R" ? { relative: moment.toISOString() } : {};
  return h("time", { class: "stamp", dateTime: moment.toISOString(), title: full(moment), data }, words);
}

/** Bring every relative time on the page up to date. */
export function turnRelative() {
  for (const each of document.querySelectorAll("time[data-relative]")) {
    each.textContent = relative(new Date(each.dataset.relative));
  }
}
