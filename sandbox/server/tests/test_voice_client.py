"""discord.py's own voice client: audio that is counted, and a voice server that does not stay."""

from __future__ import annotations

import asyncio
import gc
import io

import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually

from sandbox.server.voice import rtp

# discord.py 2.7.1 opens a new UDP socket at each change of channel and leaves the old one unclosed.
LEAK = "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
FRAME = b"\xfc" + bytes(range(1, 60))


class Frames(discord.AudioSource):
    """So many Opus frames out of memory."""

    def __init__(self, count: int) -> None:
        self.left = count

    def read(self) -> bytes:
        self.left -= 1
        return FRAME if self.left >= 0 else b""

    def is_opus(self) -> bool:
        return True


async def connect(bot: LoopbackBot, channel_id: int, timeout: float = 60) -> discord.VoiceClient:
    channel = bot.get_channel(channel_id)
    assert isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    return await channel.connect(timeout=timeout)


async def play(voice: discord.VoiceClient, count: int) -> None:
    """Play so many frames, and return once the player has ended."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def after(error: Exception | None) -> None:
        assert error is None
        voice.loop.call_soon_threadsafe(ended.set_result, None)

    voice.play(Frames(count), after=after)
    await asyncio.wait_for(ended, 60)


async def test_every_frame_of_a_source_is_counted(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    await play(voice, 12)
    stats = place.world.voice_stats(place.guild)
    me = stats.sender(place.world.bot_user.id)
    await eventually(lambda: me.packets == 17)
    # discord.py ends with five frames of silence.
    assert (me.frames, me.silence, me.unheard) == (17, 5, 0)
    assert me.opus_bytes == 12 * len(FRAME) + 5 * len(rtp.SILENCE)
    assert (stats.unreadable, stats.mode) == (0, "aead_xchacha20_poly1305_rtpsize")
    assert (stats.version, stats.dave_protocol_version, stats.connected) == (8, 0, True)
    await eventually(lambda: place.world.voice_stats(place.guild).speaking == 0)
    await voice.disconnect()
    await eventually(lambda: not place.world.voice_stats(place.guild).connected)


async def test_pcm_is_encoded_when_opus_is_there(place: Place, bot: LoopbackBot) -> None:
    try:
        discord.opus.Encoder()
    except discord.opus.OpusNotLoaded:
        pytest.skip("libopus is not installed")
    voice = await connect(bot, place.dispatch.id)
    ended = asyncio.Event()
    sound = io.BytesIO(bytes(discord.opus.Encoder.FRAME_SIZE * 3))
    voice.play(discord.PCMAudio(sound), after=lambda _: voice.loop.call_soon_threadsafe(ended.set))
    await asyncio.wait_for(ended.wait(), 60)
    me = place.world.voice_stats(place.guild).sender(place.world.bot_user.id)
    await eventually(lambda: me.frames == 3 + 5)


async def test_what_a_muted_bot_plays_is_heard_by_nobody(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    place.world.voice.set_flags(place.guild, place.world.bot_user.id, mute=True)
    await play(voice, 2)
    me = place.world.voice_stats(place.guild).sender(place.world.bot_user.id)
    await eventually(lambda: (me.packets, me.unheard) == (7, 7))


@pytest.mark.filterwarnings(LEAK)
async def test_comes_back_after_being_thrown_out(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    assert place.world.faults.voice.close(4014) == 1
    await eventually(lambda: bot.guilds[0].voice_client is None)
    assert place.guild.voice_states == {}
    again = await connect(bot, place.alpha.id)
    assert again is not voice
    await play(again, 1)
    me = place.world.voice_stats(place.guild).sender(place.world.bot_user.id)
    await eventually(lambda: me.packets == 6)
    gc.collect()


@pytest.mark.filterwarnings(LEAK)
async def test_survives_a_change_of_region(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    before = voice.token
    assert place.world.faults.voice.change_region(after_seconds=2) == 1
    # There is no endpoint yet.
    assert place.world.voice_stats(place.guild).identifies == 1
    await place.world.clock.advance(2)
    await eventually(lambda: voice.is_connected() and place.world.voice_stats(place.guild).identifies == 2)
    assert voice.token not in {None, before}
    await play(voice, 3)
    me = place.world.voice_stats(place.guild).sender(place.world.bot_user.id)
    await eventually(lambda: me.packets == 8)
    assert place.guild.voice_states[place.world.bot_user.id].channel_id == place.dispatch.id
    gc.collect()


async def test_resumes_after_the_voice_server_crashed(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    ssrc = voice.ssrc
    assert place.world.faults.voice.close(4015, place.guild.id) == 1
    await eventually(lambda: place.world.voice_stats(place.guild).resumes == 1)
    await eventually(voice.is_connected)
    assert place.world.voice_stats(place.guild).identifies == 1
    assert voice.ssrc == ssrc
    await play(voice, 2)
    me = place.world.voice_stats(place.guild).sender(place.world.bot_user.id)
    await eventually(lambda: me.packets == 7)
    assert place.world.voice_stats(place.guild).closes[4015] == 1


async def test_without_a_second_description_discord_py_gives_a_resume_up(
    place: Place, bot: LoopbackBot
) -> None:
    place.world.bot_voice.repeats_description = False
    voice = await connect(bot, place.dispatch.id, timeout=0.5)
    place.world.faults.voice.close(4015)
    await eventually(lambda: place.world.voice_stats(place.guild).resumes == 1)
    await eventually(lambda: bot.guilds[0].voice_client is None)
    assert not voice.is_connected()
    await eventually(lambda: not place.guild.voice_states)


async def test_sits_down_anew_after_a_lost_session(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    place.world.faults.voice.close(4006)
    await eventually(lambda: place.world.voice_stats(place.guild).identifies == 2)
    await eventually(voice.is_connected)


async def test_leaves_with_its_channel(place: Place, bot: LoopbackBot) -> None:
    await connect(bot, place.dispatch.id)
    place.guild.delete_channel(place.dispatch)
    await eventually(lambda: bot.guilds[0].voice_client is None)
    assert place.world.voice_stats(place.guild).channel_id is None


async def test_key_package_of_end_to_end_encryption_is_taken(place: Place, bot: LoopbackBot) -> None:
    place.world.dave_protocol_version = 1
    voice = await connect(bot, place.dispatch.id)
    stats = place.world.voice_stats(place.guild)
    await eventually(lambda: stats.key_package_bytes > 300)
    assert stats.dave_protocol_version == 1
    session = voice._connection.dave_session
    assert session is not None
    await eventually(lambda: session.status is not session.status.inactive)
    await play(voice, 3)
    me = stats.sender(place.world.bot_user.id)
    # Alone in the call nothing is encrypted end to end.
    await eventually(lambda: (me.frames, me.silence) == (8, 5))


async def test_people_are_heard_and_shown_as_speaking(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    heard: list[bytes] = []
    shown: list[int] = []
    voice._connection.add_socket_listener(heard.append)

    async def hook(socket: object, message: dict[str, object]) -> None:
        if message["op"] == 5:
            shown.append(message["d"]["speaking"])  # type: ignore[index]

    voice.ws._hook = hook  # type: ignore[method-assign]
    await place.quartz.join(place.dispatch)
    assert await place.quartz.talk(40) == 40
    await eventually(lambda: len([each for each in heard if each[1] == rtp.OPUS_TYPE]) == 40)
    await eventually(lambda: shown == [1, 0])
    assert place.world.voice_stats(place.guild).sender(place.quartz.id).silence == 40
    await place.quartz.move(place.alpha)
    assert await place.quartz.talk() == 0


async def test_a_stage_hears_the_bot_once_it_has_stepped_up(place: Place, bot: LoopbackBot) -> None:
    stage = place.guild.create_channel("Assembly", 13)
    await eventually(lambda: bot.get_channel(stage.id))
    await connect(bot, stage.id)
    me = await eventually(lambda: bot.guilds[0].me)
    assert me.voice.suppress
    with pytest.raises(discord.Forbidden):
        await me.edit(suppress=False)
    await me.request_to_speak()
    state = place.guild.voice_states[place.world.bot_user.id]
    assert state.request_to_speak_at is not None
    await eventually(lambda: me.voice.requested_to_speak_at)
    role = next(each for each in place.guild.roles.values() if each.managed)
    role.permissions |= discord.Permissions(mute_members=True).value
    await me.edit(suppress=False)
    await eventually(lambda: not me.voice.suppress)
    await place.quartz.join(stage)
    await place.quartz.request_to_speak()
    quartz = await eventually(lambda: bot.guilds[0].get_member(place.quartz.id))
    await eventually(lambda: quartz.voice and quartz.voice.requested_to_speak_at)
    # Member.edit adds a field that Discord's description of this request does not know.
    await bot.http.edit_voice_state(place.guild.id, quartz.id, {"channel_id": stage.id, "suppress": False})
    await eventually(lambda: not quartz.voice.suppress)
    assert await place.quartz.talk(1) == 1
