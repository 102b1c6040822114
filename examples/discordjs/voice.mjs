// @discordjs/voice writes wss:// into every address. The sandbox speaks no TLS, so for its address alone
// the socket is opened plain; the library itself stays as it is.
import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { Readable } from "node:stream";
import {
  AudioPlayerStatus, createAudioPlayer, createAudioResource, entersState, joinVoiceChannel, StreamType, version,
  VoiceConnectionStatus,
} from "@discordjs/voice";

const silence = Buffer.from([0xf8, 0xff, 0xfe]);

const encrypted = tls.connect;
tls.connect = (options, ...more) =>
  ["127.0.0.1", "localhost"].includes(options.host) ? net.connect(options, ...more) : encrypted(options, ...more);

export async function playVoice(guild, [first, second], control) {
  const join = (channelId) =>
    joinVoiceChannel({ channelId, guildId: guild.id, adapterCreator: guild.voiceAdapterCreator });
  const connection = join(first);
  await entersState(connection, VoiceConnectionStatus.Ready, 10_000);
  assert.equal(guild.members.me.voice.channelId, first);
  join(second);
  await entersState(connection, VoiceConnectionStatus.Connecting, 10_000);
  await entersState(connection, VoiceConnectionStatus.Ready, 10_000);
  assert.equal(guild.members.me.voice.channelId, second);
  const player = createAudioPlayer();
  connection.subscribe(player);
  player.play(createAudioResource(Readable.from(Array(25).fill(silence)), { inputType: StreamType.Opus }));
  await entersState(player, AudioPlayerStatus.Playing, 5_000);
  await entersState(player, AudioPlayerStatus.Idle, 5_000);
  const stats = await control(`/guilds/${guild.id}/voice`);
  const sent = stats.senders.find((one) => one.user_id === guild.client.user.id);
  assert.ok(sent.silence >= 25 && stats.unreadable === 0, JSON.stringify(stats));

  const owner = `/guilds/${guild.id}/members/${guild.ownerId}`;
  await control(`${owner}/move`, { user_id: guild.client.user.id, channel_id: null });
  await entersState(connection, VoiceConnectionStatus.Disconnected, 5_000);
  connection.rejoin();
  await entersState(connection, VoiceConnectionStatus.Ready, 5_000);
  connection.destroy();
  return `@discordjs/voice ${version}, moved, ${sent.packets} packets in ${stats.mode}, thrown out, back`;
}
