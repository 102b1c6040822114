// What the page knows: where the person is, what they see there, and what time it is.
import { api, Refusal } from "./api.js";
import { oneAtATime } from "./dom.js";

const WRITABLE = new Set([0, 1, 2, 5, 10, 11, 12, 13]);

class Store extends EventTarget {
  guilds = [];
  place = { guild: null, channel: null, actor: null };
  sight = null;
  messages = [];
  now = null;
  logTotal = 0;
  live = false;
  #read = new Map();
  #actors = new Map();

  tell(what) {
    this.dispatchEvent(new Event(what));
  }

  /** Run `show` now and whenever one of these changes. */
  follow(events, show) {
    for (const each of events) this.addEventListener(each, show);
    show();
  }

  member(id) {
    return this.sight?.members.find((each) => each.id === id);
  }

  get actor() {
    return this.member(this.place.actor);
  }

  get channel() {
    return this.sight?.channels.find((each) => each.id === this.place.channel);
  }

  /** Go somewhere; what is left out stays. The address bar keeps it, so a reload comes back here. */
  async go({ guild = this.place.guild, channel = null, actor = null }) {
    const known = this.guilds.find((each) => each.id === guild) ?? this.guilds[0];
    if (!known) return;
    const moved = known.id !== this.place.guild;
    const people = known.members.filter((each) => !each.bot);
    const wanted = actor ?? (moved ? this.#actors.get(known.id) : this.place.actor);
    const who = people.find((each) => each.id === wanted) ?? people.find((each) => each.id === known.owner_id);
    this.#actors.set(known.id, who.id);
    const before = this.place;
    this.place = { guild: known.id, channel: channel ?? (moved ? null : before.channel), actor: who.id };
    if (moved || who.id !== before.actor) this.sight = null;
    if (!this.sight) await this.lookAround();
    const open = (this.sight?.channels ?? []).filter((each) => WRITABLE.has(each.type));
    if (!open.some((each) => each.id === this.place.channel)) {
      this.place = { ...this.place, channel: (open.find((each) => each.type === 0) ?? open[0])?.id ?? null };
    }
    const { guild: g, channel: c, actor: a } = this.place;
    history.replaceState(null, "", `#${g}/${c ?? ""}/${a}`);
    if (c !== before.channel || a !== before.actor) this.messages = [];
    this.tell("place");
    await this.readChannel();
  }

  learnGuilds = oneAtATime(async () => {
    this.guilds = await api.guilds();
    this.tell("guilds");
  });

  lookAround = oneAtATime(async () => {
    const { guild, actor } = this.place;
    const sight = await api.sight(guild, actor);
    if (guild !== this.place.guild || actor !== this.place.actor) return;
    this.sight = sight;
    this.#opened(sight);
    for (const each of sight.channels) {
      if (!this.#read.has(each.id)) this.#read.set(each.id, each.last_message_id);
    }
    this.tell("sight");
  });

  readChannel = oneAtATime(async () => {
    const { channel, actor } = this.place;
    if (!channel) return;
    const messages = await api.messages(channel, actor);
    if (channel !== this.place.channel || actor !== this.place.actor) return;
    this.messages = messages;
    this.#read.set(channel, messages.findLast((each) => !(each.flags & 64))?.id ?? null);
    this.tell("messages");
  });

  /** The direct channel gets its id with the first words in it. */
  #opened(sight) {
    const direct = sight.channels.find((each) => each.type === 1);
    if (this.place.channel !== "direct" || !direct || direct.id === "direct") return;
    this.go({ channel: direct.id });
  }

  /** Whether a channel has something that was not looked at yet. */
  unread(channel) {
    return channel.id !== this.place.channel && channel.last_message_id !== (this.#read.get(channel.id) ?? null);
  }

  /** The commands of a kind: 1 typed with a slash, 2 on a person, 3 on a message. */
  commands(kind) {
    return (this.sight?.menu ?? []).filter((each) => each.type === kind);
  }

  /** Take in what the sandbox told of changes. */
  async heard(news) {
    this.turned(news.now);
    if (news.log !== this.logTotal) {
      this.logTotal = news.log;
      this.tell("log");
    }
    if (news.guilds.some((id) => !this.guilds.some((each) => each.id === id))) await this.learnGuilds();
    if (!this.place.guild && this.guilds.length) await this.refresh();
    const here = news.channels.includes(this.place.channel);
    const around = news.guilds.includes(this.place.guild) || news.channels.some((id) => id !== this.place.channel);
    await Promise.all([around && this.place.guild && this.lookAround(), here && this.readChannel()]);
  }

  turned(now) {
    if (now === this.now) return;
    this.now = now;
    this.tell("clock");
  }

  /** Fetch everything anew, as after a pause in which anything may have happened. */
  async refresh() {
    await this.learnGuilds();
    if (!this.guilds.length) return;
    if (!this.place.guild) {
      const [guild, channel, actor] = location.hash.slice(1).split("/");
      await this.go({ guild, channel, actor });
      return;
    }
    await Promise.all([this.lookAround(), this.readChannel()]).catch(async (error) => {
      // The person, the channel or the guild may be gone: start over from what there is.
      if (!(error instanceof Refusal)) throw error;
      this.place = { guild: null, channel: null, actor: null };
      await this.go({});
    });
  }
}

export const store = new Store();
