"""The bot's own voice connection, by discord.py's real voice client."""

from __future__ import annotations

import gc

import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually

# discord.py 2.7.1 opens a new UDP socket at each change of channel and leaves the old one unclosed.
LEAK = "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"


async def connect(bot: LoopbackBot, channel_id: int, timeout: float = 60) -> discord.VoiceClient:
    channel = bot.get_channel(channel_id)
    assert isinstance(channel, discord.VoiceChannel)
    return await channel.connect(timeout=timeout)


@pytest.mark.filterwarnings(LEAK)
async def test_connects_moves_and_leaves(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    assert voice.is_connected()
    assert place.guild.voice_states[place.world.bot_user.id].channel_id == place.dispatch.id
    alpha = bot.get_channel(place.alpha.id)
    assert isinstance(alpha, discord.VoiceChannel)
    await voice.move_to(alpha, timeout=60)
    assert place.guild.voice_states[place.world.bot_user.id].channel_id == place.alpha.id
    await voice.disconnect()
    await eventually(lambda: not place.guild.voice_states)
    assert [stay.bot for stay in place.world.truth] == [True, True]
    gc.collect()


@pytest.mark.filterwarnings(LEAK)
async def test_is_moved_and_put_out_by_somebody_else(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    me = place.world.bot_user.id
    place.world.voice.move(place.guild, me, place.alpha.id)
    await eventually(lambda: voice.channel.id == place.alpha.id and voice.is_connected())
    await eventually(lambda: place.world.bot_voice.seats[place.guild.id].line is not None)
    place.world.voice.move(place.guild, me, None)
    await eventually(lambda: bot.guilds[0].voice_client is None)
    gc.collect()


async def test_seat_is_lost_with_the_session(place: Place, bot: LoopbackBot) -> None:
    await connect(bot, place.dispatch.id)
    place.world.faults.invalid_session(resumable=False)
    await bot.until("ready", 2)
    assert place.world.bot_user.id not in place.guild.voice_states


async def test_a_closed_channel_is_not_entered(place: Place, bot: LoopbackBot) -> None:
    role = next(each for each in place.guild.roles.values() if each.managed)
    closed = place.guild.create_channel("closed", 2, overwrites={role.id: (0, 1 << 20)})
    place.world.bot_voice.asked(place.guild, closed.id, {})
    assert place.guild.voice_states == {}
    with pytest.raises(TimeoutError):
        await connect(bot, (await eventually(lambda: bot.get_channel(closed.id))).id, timeout=0.2)
