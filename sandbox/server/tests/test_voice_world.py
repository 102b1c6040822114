"""Voice as people and the control address see it: who is heard where, limits, idle people, counts, faults."""

from __future__ import annotations

from typing import Any

import aiohttp
import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually, refused

from sandbox.server import Refused
from sandbox.server.voice.refusals import STEPS, VoiceRefusals


async def connect(bot: LoopbackBot, channel_id: int, timeout: float = 60) -> discord.VoiceClient:
    channel = await eventually(lambda: bot.get_channel(channel_id))
    return await channel.connect(timeout=timeout)  # type: ignore[no-any-return]


async def ask(place: Place, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http:
        method = "GET" if body is None else "POST"
        async with http.request(method, place.server.addresses.control + path, json=body) as answer:
            return answer.status, await answer.json()


async def test_nobody_is_heard_in_the_afk_channel(place: Place) -> None:
    place.guild.set_afk_channel(place.alpha)
    await place.quartz.join(place.alpha)
    assert place.guild.voice_states[place.quartz.id].suppress
    assert "suppressed" in await refused(place.quartz.talk())
    await place.quartz.move(place.dispatch)
    assert not place.guild.voice_states[place.quartz.id].suppress
    assert await place.quartz.talk() == 0


async def test_without_the_permission_to_speak_one_is_suppressed(place: Place) -> None:
    quiet = place.guild.create_channel("quiet", 2, overwrites={place.guild.id: (0, 1 << 21)})
    await place.beryl.join(quiet)
    assert place.guild.voice_states[place.beryl.id].suppress
    assert "may not speak" in await refused(place.beryl.talk())


async def test_who_is_muted_or_nowhere_does_not_talk(place: Place) -> None:
    assert "sits in no voice channel" in await refused(place.quartz.talk())
    await place.quartz.join(place.dispatch)
    await place.quartz.set_voice(self_mute=True)
    assert "is muted" in await refused(place.quartz.talk())
    await place.quartz.set_voice(self_mute=False)
    assert "frames must be" in await refused(place.quartz.talk(0))
    assert "no stage channel" in await refused(place.quartz.request_to_speak())


async def test_idle_people_are_put_away(place: Place) -> None:
    await place.quartz.join(place.dispatch)
    assert "no AFK channel" in await refused(place.quartz.idle())
    place.guild.set_afk_channel(place.alpha)
    await place.beryl.join(place.dispatch)
    await place.quartz.idle()
    await place.beryl.idle()
    await place.world.clock.advance(200)
    await place.beryl.leave()
    await place.beryl.join(place.dispatch)
    await place.world.clock.advance(100)
    assert place.quartz.channel_id == place.alpha.id
    assert place.beryl.channel_id == place.dispatch.id


async def test_a_full_channel_takes_the_bot_only_with_a_permission(place: Place, bot: LoopbackBot) -> None:
    small = place.guild.create_channel("small", 2, user_limit=1)
    await place.quartz.join(small)
    role = next(each for each in place.guild.roles.values() if each.managed)
    role.permissions &= ~(1 << 24)
    with pytest.raises(TimeoutError):
        await connect(bot, small.id, timeout=0.2)
    role.permissions |= 1 << 24
    voice = await connect(bot, small.id)
    assert voice.is_connected()


async def test_the_bot_keeps_its_voice_over_a_guild_outage(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    place.world.faults.guild_outage(place.guild.id)
    await bot.until("guild_unavailable")
    place.world.faults.guild_return(place.guild.id)
    await bot.until("guild_available")
    assert voice.is_connected()
    assert place.world.voice_stats(place.guild).connected
    assert bot.guilds[0].me.voice is not None


async def test_counts_and_faults_by_the_control_address(place: Place, bot: LoopbackBot) -> None:
    guild = place.guild.id
    fault = {"kind": "voice_refusal", "step": "session_invalid", "guild_id": str(guild)}
    assert await ask(place, "/faults", fault) == (
        200,
        {"kind": "voice_refusal", "step": "session_invalid", "times": 1, "probability": 1.0},
    )
    await connect(bot, place.dispatch.id)
    status, stats = await ask(place, f"/guilds/{guild}/voice")
    assert status == 200
    assert (stats["connected"], stats["refusals"]) == (True, {"session_invalid": 1})
    assert stats["closes"] == {"4006": 1}
    await place.quartz.join(place.dispatch)
    talk = f"/guilds/{guild}/members/{place.quartz.id}/talk"
    assert await ask(place, talk, {"frames": 3}) == (200, {"heard": 3})
    senders = (await ask(place, f"/guilds/{guild}/voice"))[1]["senders"]
    assert senders == [
        {
            "user_id": str(place.quartz.id),
            "packets": 3,
            "bytes": 9,
            "frames": 3,
            "silence": 3,
            "unheard": 0,
        }
    ]
    status, closed = await ask(place, "/faults", {"kind": "voice_close", "code": 4015})
    assert (status, closed["connections"]) == (200, 1)
    await eventually(lambda: place.world.voice_stats(place.guild).resumes == 1)
    for wrong, words in (
        ({"kind": "voice_refusal", "step": "lunch"}, "no step 'lunch'"),
        ({"kind": "voice_refusal", "step": "no_ready", "code": 4006}, "takes no code"),
        ({"kind": "voice_refusal", "step": "close", "code": 4000}, "code must be one of"),
        ({"kind": "voice_refusal", "step": "close", "probability": 0}, "probability must be"),
        ({"kind": "voice_close"}, "code is missing"),
        ({"kind": "voice_close", "code": 1}, "code must be one of"),
    ):
        status, answer = await ask(place, "/faults", wrong)
        assert status == 400
        assert words in answer["error"]
    assert (await ask(place, "/faults", {"kind": "voice_clear"}))[0] == 200


async def test_a_region_by_the_control_address(place: Place, bot: LoopbackBot) -> None:
    voice = await connect(bot, place.dispatch.id)
    fault = {"kind": "voice_region", "guild_id": str(place.guild.id)}
    assert (await ask(place, "/faults", fault))[1]["connections"] == 1
    await eventually(lambda: place.world.voice_stats(place.guild).identifies == 2)
    await eventually(voice.is_connected)


def test_the_seed_decides_which_refusals_strike() -> None:
    def drawn(seed: int) -> list[bool]:
        refusals = VoiceRefusals(seed, lambda words: None)
        refusals.add("no_ready", times=None, probability=0.5)
        return [refusals.take("no_ready", guild) is not None for guild in range(8) for _ in range(8)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 16 < sum(drawn(3)) < 48


def test_refusals_end_when_they_have_struck() -> None:
    refusals = VoiceRefusals(0, lambda words: None)
    mine = refusals.add("no_ready", times=2, guild_id=7)
    assert refusals.take("no_ready", 8) is None
    assert [refusals.take("no_ready", 7) is mine for _ in range(3)] == [True, True, False]
    refusals.add("no_ready", guild_id=7)
    refusals.add("no_ready", guild_id=8)
    refusals.clear(7)
    assert refusals.take("no_ready", 7) is None
    assert refusals.take("no_ready", 8) is not None
    with pytest.raises(Refused, match="times must be 1 or more"):
        refusals.add("no_ready", times=0)
    assert set(STEPS) > {"handshake", "close"}


async def test_a_step_may_fail_for_ever(place: Place, bot: LoopbackBot) -> None:
    refusal = place.world.faults.voice.refuse("no_server_update", times=None)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await connect(bot, place.dispatch.id, timeout=0.2)
        await eventually(lambda: not place.guild.voice_states)
    assert refusal.struck == 2
    place.world.faults.voice.clear()
    assert (await connect(bot, place.dispatch.id)).is_connected()
