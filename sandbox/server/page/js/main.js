// The page begins here.
import "./clock.js";
import "./frame.js";
import "./places.js";
import "./voice.js";
import "./acting.js";
import "./message-list.js";
import "./composer.js";
import "./log.js";
import { watch } from "./live.js";
import { showCard } from "./members.js";
import { store } from "./store.js";

// Names and mentions stand in many places; what they do is the same everywhere.
document.addEventListener("click", (event) => {
  const person = event.target.closest("[data-person]");
  const channel = event.target.closest("[data-goto]");
  if (person) showCard(person, person.dataset.person);
  if (channel) store.go({ channel: channel.dataset.goto });
});

// A slash typed anywhere begins a command.
document.addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, textarea, select, dialog, .picker-layer, [contenteditable]");
  if (event.key !== "/" || busy || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.querySelector("message-composer").begin();
});

addEventListener("hashchange", () => {
  const [guild, channel, actor] = location.hash.slice(1).split("/");
  if (channel !== store.place.channel || actor !== store.place.actor || guild !== store.place.guild) store.go({ guild, channel, actor });
});

watch();
