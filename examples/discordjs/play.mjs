// node play.mjs where.json: the bot logs in to a sandbox, people act, and each check prints one line.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { ChannelType, Events, RESTEvents, version } from "discord.js";
import { commands, makeBot } from "./bot.mjs";
import { playGuide } from "./guide.mjs";
import { playVoice } from "./voice.mjs";

const where = JSON.parse(readFileSync(process.argv[2], "utf8"));
const client = makeBot(where);
const errors = [];
client.on(Events.Error, (error) => errors.push(error));
client.rest.on(RESTEvents.RateLimited, (limit) => limits.push(limit));
const limits = [];
let failed = 0;

async function control(path, body) {
  const answer = await fetch(where.control + path, body && { method: "POST", body: JSON.stringify(body) });
  const told = await answer.json();
  assert.ok(answer.ok, `${path}: ${told.error}`);
  return told;
}

async function check(name, act) {
  const before = performance.now();
  try {
    const told = await withTimeout(act(), 20_000);
    if (errors.length) throw errors.pop();
    console.log(`ok    ${name}${told ? `: ${told}` : ""} (${Math.round(performance.now() - before)} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error.stack}`);
  }
}

function withTimeout(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(reject, ms, new Error(`not within ${ms} ms`))));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Starts listening before the act, so that nothing is missed; what comes of something else is passed over.
async function heard(event, act, fits = () => true) {
  const coming = new Promise((resolve) => {
    const listener = (...told) => {
      if (!fits(...told)) return;
      client.off(event, listener);
      resolve(told);
    };
    client.on(event, listener);
  });
  await act();
  return coming;
}

const said = (words) => (message) => message.content === words;

const [seen] = await control("/guilds");
const member = seen.members.find((one) => one.username === "quartz");
const channel = (name) => seen.channels.find((one) => one.name === name).id;
const act = `/guilds/${seen.id}/members/${member.id}`;
const text = channel("mining-ops");
let guild, shown;

console.log(`discord.js ${version}, node ${process.version}`);
await check("login", async () => {
  await heard(Events.ClientReady, () => client.login(where.token));
  assert.equal(client.guilds.cache.size, where.guilds.length);
  return client.user.tag;
});
await check("guild", async () => {
  guild = client.guilds.cache.get(seen.id);
  assert.equal(guild.name, seen.name);
  assert.deepEqual([...guild.channels.cache.keys()].sort(), seen.channels.map((one) => one.id).sort());
  assert.equal((await guild.fetch()).ownerId, guild.ownerId);
  return `${guild.name}, ${guild.channels.cache.size} channels, ${guild.roles.cache.size} roles`;
});
await check("members by chunk and by name", async () => {
  const all = await guild.members.fetch();
  assert.deepEqual([...all.keys()].sort(), seen.members.map((one) => one.id).sort());
  const found = await guild.members.fetch({ query: "quar", limit: 1 });
  assert.equal(found.first().id, member.id);
  return `${all.size} members`;
});
await check("commands, overwritten in bulk", async () => {
  const made = await client.application.commands.set(commands);
  await guild.commands.set([{ name: "here", description: "Only here" }]);
  const there = (await control("/guilds"))[0].menu.map((one) => one.path ?? one.command ?? one.name);
  await guild.commands.set([]);
  return `${made.size} global; menu ${there.join(", ")}`;
});
await check("slash", async () => {
  const { kind, message } = await control(`${act}/slash`, { channel_id: text, command: "ping" });
  assert.deepEqual([kind, message.content, message.flags], ["message", "pong", 64]);
});
await check("slash with options", async () => {
  const options = { title: "Sunday", crew: 4, pilot: member.id, where: channel("Dispatch") };
  shown = (await control(`${act}/slash`, { channel_id: text, command: "mining start", options })).message;
  assert.match(shown.content, /^Sunday, 4, .*Quartz.*, Dispatch$/);
  return shown.content;
});
await check("autocomplete", async () => {
  const typed = { channel_id: text, command: "mining start", options: { title: "Late" }, focused: "title" };
  const { choices } = await control(`${act}/autocomplete`, typed);
  assert.deepEqual(choices.map((one) => one.value), ["Late run"]);
});
await check("button, modal", async () => {
  const opened = await control(`${act}/click`, { message_id: shown.id, custom_id: "form" });
  assert.deepEqual([opened.kind, opened.modal.title], ["modal", "Haul"]);
  const form = { interaction_id: opened.interaction_id, values: { amount: "12" } };
  assert.equal((await control(`${act}/submit`, form)).message.content, "12 SCU");
});
await check("select", async () => {
  const picked = { message_id: shown.id, custom_id: "ore", values: ["Tin"] };
  const { kind, message } = await control(`${act}/choose`, picked);
  assert.deepEqual([kind, message.content, message.components], ["update", "Tin it is", []]);
});
await check("deferred answer with a file, follow-up", async () => {
  const [last] = await heard(Events.MessageCreate, () =>
    control(`${act}/slash`, { channel_id: text, command: "mining report" }), said("That is all"));
  const [report] = [...(await last.channel.messages.fetch({ limit: 2 })).values()].slice(1);
  assert.equal(report.attachments.first().name, "report.csv");
  const data = await fetch(`${where.control}/messages/${report.id}/attachments/report.csv`);
  assert.equal(await data.text(), "ore;1\n");
});
await check("message with a file, edited, answered, deleted", async () => {
  const sent = await client.channels.cache.get(text).send({
    content: "Prices", files: [{ attachment: Buffer.from("gold 6"), name: "prices.txt" }],
    embeds: [{ title: "Ore", fields: [{ name: "gold", value: "6" }] }],
  });
  const link = new URL(sent.attachments.first().url);
  const data = await fetch(new URL(link.pathname, where.rest));
  assert.equal(await data.text(), "gold 6");
  assert.equal((await sent.edit("New prices")).content, "New prices");
  const reply = await sent.reply("Thanks");
  assert.equal((await reply.fetchReference()).id, sent.id);
  await heard(Events.MessageDelete, () => reply.delete());
  return `${data.headers.get("content-type")}`;
});
await check("message of a person", async () => {
  const [message] = await heard(Events.MessageCreate, () =>
    control(`${act}/messages`, { channel_id: text, content: "Ready" }), said("Ready"));
  assert.deepEqual([message.content, message.member.id], ["Ready", member.id]);
});
await check("reaction, thread, scheduled event", async () => {
  const message = await client.channels.cache.get(text).send("Vote");
  const [reaction] = await heard(Events.MessageReactionAdd, () => message.react("👍"));
  assert.deepEqual([reaction.emoji.name, reaction.count], ["👍", 1]);
  const [thread] = await heard(Events.ThreadCreate, () => message.startThread({ name: "Talk" }));
  await thread.send("In here");
  assert.ok((await thread.setArchived(true)).archived);
  const [event] = await heard(Events.GuildScheduledEventCreate, () =>
    guild.scheduledEvents.create({
      name: "Sunday", scheduledStartTime: Date.now() + 86_400_000, privacyLevel: 2, entityType: 2,
      channel: channel("Dispatch"),
    }));
  assert.equal(event.name, "Sunday");
  await event.delete();
});
await check("what the bot may not do is refused", async () => {
  const made = guild.channels.create({ name: "loot", type: ChannelType.GuildText });
  await assert.rejects(made, { status: 403, code: 50013, rawError: { message: "Missing Permissions", code: 50013 } });
  const long = client.channels.cache.get(text).send("a".repeat(2_001));
  await assert.rejects(long, { status: 400, code: 50035 });
});
await check("voice states", async () => {
  const [before, after] = await heard(Events.VoiceStateUpdate, () =>
    control(`${act}/voice`, { channel_id: channel("Dispatch"), self_mute: true }));
  assert.deepEqual([before.channelId, after.channelId], [null, channel("Dispatch")]);
  const [, moved] = await heard(Events.VoiceStateUpdate, () => after.member.voice.setChannel(channel("Alpha")));
  assert.equal(moved.channelId, channel("Alpha"));
});
await check("own voice connection", () => playVoice(guild, [channel("Dispatch"), channel("Bravo")], control));
const officer = seen.roles.find((one) => one.name === "Officer").id;
await playGuide({ client, guild, check, heard, said, control, act, text, member, channel, officer });
await check("429 honoured", async () => {
  const route = "POST /channels/{channel_id}/messages";
  await control("/faults", { kind: "rate_limit", route, retry_after: 1.5 });
  const before = performance.now();
  const sent = await client.channels.cache.get(text).send("Patience");
  const waited = performance.now() - before;
  assert.ok(waited >= 1_500, `sent again after ${waited} ms`);
  const there = await control(`/channels/${text}/messages`);
  assert.equal(there.filter((one) => one.content === sent.content).length, 1);
});
await check("rate limits kept: ten messages, five a second", async () => {
  const route = "POST /channels/{channel_id}/messages";
  await control("/rate-limits", { route, requests: 5, seconds: 1 });
  const target = client.channels.cache.get(text);
  const refused = async () => (await control("/log?kind=rest")).filter((one) => one.status === 429).length;
  const [before, waits] = [await refused(), limits.length];
  await Promise.all(Array.from({ length: 10 }, (_, number) => target.send(`Message ${number}`)));
  await control("/rate-limits", { preset: "generous" });
  assert.equal(await refused(), before);
  return `${limits.length - waits} waits, no answer 429`;
});
await check("resume after a torn connection", async () => {
  const resumed = once(client, Events.ShardResume);
  await control("/faults", { kind: "drop_gateway" });
  const missed = once(client, Events.VoiceStateUpdate);
  await control(`${act}/voice`, { channel_id: channel("Bravo") });
  const [, replayed] = await resumed;
  assert.equal((await missed)[1].channelId, channel("Bravo"));
  return `${replayed} replayed`;
});
await check("reconnect (op 7)", () =>
  heard(Events.ShardResume, () => control("/faults", { kind: "reconnect" })).then(() => ""));
await check("invalid session (op 9), resumable", () =>
  heard(Events.ShardResume, () => control("/faults", { kind: "invalid_session", resumable: true })).then(() => ""));
await check("invalid session (op 9), identified anew", async () => {
  await heard(Events.ShardReady, () => control("/faults", { kind: "invalid_session", resumable: false }));
  const { message } = await control(`${act}/slash`, { channel_id: text, command: "ping" });
  assert.equal(message.content, "pong");
});
await client.destroy();
console.log(failed ? `${failed} failed` : "all passed");
process.exit(failed ? 1 : 0);
