// @discordjs/voice writes wss:// into every address. The sandbox speaks no TLS, so for its address alone
// the socket is opened plain; the library itself stays as it is.
import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { entersState, joinVoiceChannel, VoiceConnectionStatus, version } from "@discordjs/voice";

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
  const stats = await control(`/guilds/${guild.id}/voice`);
  connection.destroy();
  return `@discordjs/voice ${version}, moved, ${stats.identifies} identifies`;
}
