// The people of a guild by their highest role, and a card for each.
import { act } from "./act.js";
import { api } from "./api.js";
import { fill, h } from "./dom.js";
import { channels } from "./choices.js";
import { icon } from "./icons.js";
import { botBadge, face, topRole } from "./people.js";
import { pick } from "./picker.js";
import { DRAGGED } from "./places.js";
import { store } from "./store.js";
import { setVoice } from "./voice.js";

class PeopleList extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "complementary");
    this.setAttribute("aria-label", "People");
    store.follow(["sight", "place"], () => this.show());
  }

  show() {
    const { sight } = store;
    const state = sight && JSON.stringify([sight.members, sight.roles, store.place.actor]);
    if (state === this.state) return;
    this.state = state;
    if (!sight) return fill(this);
    const groups = new Map();
    for (const each of sight.members) {
      const role = each.id === sight.owner_id ? { name: "Owner", position: Infinity } : each.bot ? { name: "Bots", position: -1 } : topRole(each) ?? { name: "Everybody", position: 0 };
      if (!groups.has(role.name)) groups.set(role.name, { role, members: [] });
      groups.get(role.name).members.push(each);
    }
    const sorted = [...groups.values()].sort((one, other) => other.role.position - one.role.position);
    return fill(this, sorted.map(({ role, members }) => [
      h("h2", {}, `${role.name} · ${members.length}`),
      h("ul", {}, members.sort((one, other) => one.display_name.localeCompare(other.display_name)).map((each) => h("li", {}, row(each))))]));
  }
}

function row(member) {
  const acting = member.id === store.place.actor;
  const room = member.voice && store.sight.channels.find((each) => each.id === member.voice.channel_id);
  return h("button", { type: "button", class: `person ${acting ? "acting" : ""}`, draggable: !member.bot, data: { person: member.id, member: member.username },
    title: member.bot ? member.username : `${member.username}: press for more, or drag into a voice room`,
    on: { dragstart: (event) => event.dataTransfer.setData(DRAGGED, member.id) } },
  face(member.id, member.display_name, "small"),
  h("span", { class: "words" }, h("span", { class: "name" }, member.display_name, member.id === store.sight.owner_id && icon("crown", "Owner")),
    (room || acting) && h("small", {}, room && [icon("speaker"), room.name], acting && (room ? " · you" : "you act as them"))),
  member.bot && botBadge());
}

/** Show who somebody is beside `anchor`, and what can be done with them. */
export function showCard(anchor, id) {
  const member = store.member(id);
  if (!member) return;
  document.querySelector(".card-layer")?.remove();
  const close = () => layer.remove();
  const roles = store.sight.roles.filter((role) => member.roles.includes(role.id));
  const card = h("div", { class: "card", role: "dialog", "aria-label": member.display_name },
    h("div", { class: "card-head" }, face(member.id, member.display_name, "large"),
      h("div", {}, h("strong", {}, member.display_name), h("small", {}, member.username), h("small", { class: "id" }, member.id))),
    roles.length > 0 && h("div", { class: "roles" }, roles.map((role) => h("span", { class: "role" }, role.name))),
    member.bot && h("p", { class: "soft" }, "Bots act for themselves."),
    h("div", { class: "card-acts" }, !member.bot && [
      h("button", { type: "button", class: "button primary", on: { click: () => { close(); store.go({ actor: id }); } } }, `Act as ${member.display_name}`),
      h("button", { type: "button", class: "button secondary", on: { click: (event) => seat(event.currentTarget, member, close) } }, member.voice ? "Move to…" : "Seat in…"),
      member.voice && h("button", { type: "button", class: "button secondary", on: { click: () => { close(); setVoice(id, { channel_id: null }); } } }, "Leave voice"),
      member.voice && id !== store.place.actor && h("div", { class: "pair-even" },
        silence(member, "mute", ["Mute for all", "Unmute for all"], close), silence(member, "deaf", ["Deafen for all", "Undeafen for all"], close))],
    id === store.sight.bot.id && h("button", { type: "button", class: "button secondary", on: { click: () => { close(); store.go({ channel: direct()?.id }); } } }, "Write to it"),
    store.commands(2).map((each) => h("button", { type: "button", class: "button secondary", on: { click: () => { close(); act(api.onUser(store.place, each.command, id)); } } }, each.shown))));
  const layer = h("div", { class: "card-layer", on: {
    pointerdown: (event) => event.target === layer && close(),
    keydown: (event) => { if (event.key === "Escape") { close(); anchor.focus(); } },
    // Whoever tabs out of the card has left it.
    focusout: (event) => { if (event.relatedTarget && !layer.contains(event.relatedTarget) && !event.relatedTarget.closest(".picker-layer")) close(); },
  } }, card);
  document.body.append(layer);
  const box = anchor.getBoundingClientRect();
  card.style.left = `${Math.min(Math.max(box.left, 8), innerWidth - card.offsetWidth - 8)}px`;
  card.style.top = `${Math.min(Math.max(box.bottom + 6, 8), innerHeight - card.offsetHeight - 8)}px`;
  (card.querySelector(".button") ?? card).focus();
}

/** What a moderator does to others; whether one may is for the sandbox to say. */
function silence(member, flag, [start, stop], close) {
  const on = member.voice[flag];
  return h("button", { type: "button", class: "button secondary", on: { click: () => { close(); act(api.silence(store.place, member.id, { [flag]: !on })); } } }, on ? stop : start);
}

const direct = () => store.sight.channels.find((each) => each.type === 1);

async function seat(pressed, member, close) {
  const rooms = channels([2, 13]).map((each) => ({ ...each, selected: each.value === member.voice?.channel_id }));
  const picked = await pick(pressed, `A room for ${member.display_name}`, rooms);
  close();
  if (picked?.length) setVoice(member.id, { channel_id: picked[0] });
}

customElements.define("people-list", PeopleList);
