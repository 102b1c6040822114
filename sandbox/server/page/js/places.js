// Guilds, their channels by category, and the voice rooms with the people in them.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { face } from "./people.js";
import { store } from "./store.js";
import { marks, setVoice } from "./voice.js";

const CATEGORY = 4;
const VOICE = new Set([2, 13]);
const FORUMS = new Set([15, 16]);
const ICONS = { 0: "hash", 1: "direct", 2: "speaker", 5: "hash", 10: "thread", 11: "thread", 12: "thread", 13: "stage", 15: "chat" };
export const DRAGGED = "text/x-member";

class GuildRail extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "navigation");
    this.setAttribute("aria-label", "Guilds");
    store.follow(["guilds", "place"], () => this.show());
  }

  show() {
    fill(this, store.guilds.map((each) => {
      const initials = each.name.split(/\s+/).map((word) => word[0]).join("").slice(0, 3);
      return h("button", { type: "button", class: "guild", title: each.name, "aria-label": each.name, data: { guild: each.name },
        "aria-current": each.id === store.place.guild ? "true" : null, on: { click: () => store.go({ guild: each.id }) } }, initials);
    }));
  }
}

class ChannelList extends HTMLElement {
  connectedCallback() {
    store.follow(["sight", "place", "messages"], () => this.show());
  }

  show() {
    const { sight } = store;
    const state = sight && JSON.stringify([sight.id, sight.channels.map((each) => [each, store.unread(each)]), sight.members.map((each) => [each.display_name, each.voice]), store.place]);
    if (state === this.state) return;
    this.state = state;
    if (!sight) {
      fill(this);
      return;
    }
    const held = document.activeElement?.closest("channel-list") && document.activeElement.dataset.channel;
    const order = (one, other) => VOICE.has(one.type) - VOICE.has(other.type) || one.position - other.position || (BigInt(one.id) < BigInt(other.id) ? -1 : 1);
    const under = (parent) => sight.channels.filter((each) => each.parent_id === parent && each.type !== CATEGORY && each.type !== 1).sort(order);
    const direct = sight.channels.filter((each) => each.type === 1);
    fill(this, h("h1", {}, sight.name),
      h("nav", { "aria-label": "Channels" },
        direct.length > 0 && [h("h2", {}, "Direct messages"), h("ul", {}, direct.map((each) => this.row(each)))],
        h("ul", {}, under(null).map((each) => this.row(each))),
        sight.channels.filter((each) => each.type === CATEGORY).sort(order).map((each) => [
          h("h2", {}, each.name), h("ul", { "aria-label": each.name }, under(each.id).map((one) => this.row(one)))])));
    if (held) this.querySelector(`[data-channel="${CSS.escape(held)}"]`)?.focus();
  }

  row(channel) {
    if (VOICE.has(channel.type)) return this.room(channel);
    const threads = store.sight.channels.filter((each) => each.parent_id === channel.id);
    // A forum holds posts alone; it opens at the newest.
    const opens = FORUMS.has(channel.type) ? threads.at(-1)?.id : channel.id;
    return h("li", {}, this.name(channel, () => opens && store.go({ channel: opens }), null),
      threads.length > 0 && h("ul", { class: "threads", "aria-label": `Threads of ${channel.name}` }, threads.map((each) => this.row(each))));
  }

  name(channel, press, count) {
    const here = channel.id === store.place.channel;
    const unread = store.unread(channel);
    return h("button", { type: "button", class: `channel ${unread ? "unread" : ""}`, "aria-current": here ? "page" : null, data: { channel: channel.name, id: channel.id },
      on: { click: press } }, icon(ICONS[channel.type] ?? "hash"), h("span", { class: "name" }, channel.name), unread && h("span", { class: "unseen" }, " (new messages)"), count);
  }

  room(channel) {
    const inside = store.sight.members.filter((each) => each.voice?.channel_id === channel.id);
    const full = channel.user_limit ? h("small", { class: "count" }, `${inside.length}/${channel.user_limit}`) : null;
    const seated = store.actor?.voice?.channel_id === channel.id;
    const join = this.name(channel, () => (seated ? store.go({ channel: channel.id }) : setVoice(store.place.actor, { channel_id: channel.id })), full);
    join.title = seated ? "Open the chat of this room" : `${store.actor?.voice ? "Move" : "Join"} as ${store.actor?.display_name}`;
    return h("li", { class: "room", data: { room: channel.name }, on: {
      dragover: (event) => { if (event.dataTransfer.types.includes(DRAGGED)) { event.preventDefault(); event.currentTarget.classList.add("drop"); } },
      dragleave: (event) => event.currentTarget.classList.remove("drop"),
      drop: (event) => { event.preventDefault(); event.currentTarget.classList.remove("drop"); setVoice(event.dataTransfer.getData(DRAGGED), { channel_id: channel.id }); },
    } },
    h("div", { class: "room-line" }, join,
      h("button", { type: "button", class: "plain room-chat", "aria-label": `Open the chat of ${channel.name}`, title: "Open its chat", on: { click: () => store.go({ channel: channel.id }) } }, icon("chat"))),
    inside.length > 0 && h("ul", { "aria-label": `In ${channel.name}` }, inside.map((each) => h("li", {}, occupant(each)))));
  }
}

function occupant(member) {
  return h("button", { type: "button", class: "occupant", draggable: !member.bot, data: { person: member.id, member: member.username },
    on: { dragstart: (event) => event.dataTransfer.setData(DRAGGED, member.id) } },
  face(member.id, member.display_name, "small"), h("span", { class: "name" }, member.display_name), marks(member.voice));
}

customElements.define("guild-rail", GuildRail);
customElements.define("channel-list", ChannelList);
