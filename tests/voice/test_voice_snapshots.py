"""Snapshots and seat checks on real discord.py objects, fed by gateway payloads."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from core.clock import SteppedClock
from core.voice.seat import Seats
from core.voice.seat_checks import seat_problem
from core.voice.snapshots import present_states, snapshot_of

GUILD, BOT, QUARTZ, OPAL = 1 << 30, 5 << 30, 6 << 30, 7 << 30
TEXT, ALPHA, BETA, STAGE, AFK = (number << 30 for number in range(20, 25))
EVERYTHING_USUAL = discord.Permissions(view_channel=True, connect=True).value


def _user(user_id: int, bot: bool = False) -> dict[str, Any]:
    return {"id": str(user_id), "username": f"u{user_id}", "discriminator": "0", "avatar": None, "bot": bot}


def _member(user_id: int, bot: bool = False) -> dict[str, Any]:
    return {"user": _user(user_id, bot), "roles": [], "flags": 0}


def _voice(user_id: int, channel_id: int | None, **flags: bool) -> dict[str, Any]:
    return {
        "guild_id": str(GUILD),
        "user_id": str(user_id),
        "channel_id": None if channel_id is None else str(channel_id),
        "session_id": "s",
        "member": _member(user_id, user_id == BOT),
        **flags,
    }


class Gateway(discord.Client):
    """A client that is fed by hand and takes a snapshot in the tick of each voice state."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__(intents=discord.Intents(guilds=True, voice_states=True))
        self.clock = clock
        self.snapshots: list[Any] = []

    def feed(self, name: str, payload: dict[str, Any]) -> None:
        self._connection.parsers[name](payload)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if event == "voice_state_update":
            member, before, after = args
            self.snapshots.append(
                snapshot_of(
                    member,
                    before.channel.id if before.channel else None,
                    after,
                    clock=self.clock,
                    sequence=len(self.snapshots),
                )
            )


def _overwrite(**denied: bool) -> list[dict[str, Any]]:
    value = discord.Permissions(**denied).value
    return [{"id": str(GUILD), "type": 0, "allow": "0", "deny": str(value)}]


@pytest.fixture
async def gateway(stepped_clock: SteppedClock) -> Gateway:
    client = Gateway(stepped_clock)
    client._connection.user = discord.ClientUser(state=client._connection, data=_user(BOT, True))  # type: ignore[arg-type]
    channels = [
        (TEXT, 0, "general"),
        (ALPHA, 2, "Alpha"),
        (BETA, 2, "Beta"),
        (STAGE, 13, "S"),
        (AFK, 2, "AFK"),
    ]
    guild = {
        "id": str(GUILD),
        "name": "G",
        "owner_id": str(OPAL),
        "roles": [{"id": str(GUILD), "name": "@everyone", "permissions": str(EVERYTHING_USUAL)}],
        "channels": [
            {
                "id": str(key),
                "type": kind,
                "name": name,
                "position": key,
                "bitrate": 64_000,
                "user_limit": 1 if key == BETA else 0,
            }
            for key, kind, name in channels
        ],
        "members": [_member(BOT, True), _member(QUARTZ)],
        "voice_states": [_voice(QUARTZ, ALPHA, self_deaf=True), _voice(OPAL, AFK), _voice(BOT, STAGE)],
        "afk_channel_id": str(AFK),
        "member_count": 3,
    }
    client._connection._add_guild_from_data(guild)  # type: ignore[arg-type]
    return client


def _guild(gateway: Gateway) -> discord.Guild:
    guild = gateway.get_guild(GUILD)
    assert guild is not None
    return guild


def test_present_states_are_everyone_in_voice(gateway: Gateway) -> None:
    present = present_states(_guild(gateway), clock=gateway.clock, sequence=3)
    quartz, opal, bot = present[QUARTZ], present[OPAL], present[BOT]
    assert len(present) == 3
    assert (quartz.channel_id, quartz.before_channel_id, quartz.deafened, quartz.afk) == (
        ALPHA,
        ALPHA,
        True,
        False,
    )
    assert (quartz.at, quartz.sequence, quartz.replayed) == (gateway.clock.now(), 3, False)
    assert (opal.afk, opal.bot) == (True, False)
    assert (bot.channel_id, bot.bot) == (STAGE, True)


def test_a_burst_is_copied_as_it_was_said(gateway: Gateway) -> None:
    for channel in (BETA, STAGE, AFK, None):
        gateway.feed("VOICE_STATE_UPDATE", _voice(QUARTZ, channel, self_stream=channel == BETA))
    said = [(shot.before_channel_id, shot.channel_id, shot.afk) for shot in gateway.snapshots]
    assert said == [(ALPHA, BETA, False), (BETA, STAGE, False), (STAGE, AFK, True), (AFK, None, False)]
    assert [shot.streaming for shot in gateway.snapshots] == [True, False, False, False]


def test_a_channel_outside_the_cache_is_not_leaving(gateway: Gateway) -> None:
    member = _guild(gateway).get_member(QUARTZ)
    assert member is not None
    state = discord.VoiceState(data=_voice(QUARTZ, 99), channel=None)  # type: ignore[arg-type]
    shot = snapshot_of(member, ALPHA, state, clock=gateway.clock, sequence=1, channel_id=99)
    assert shot.channel_id == 99
    assert snapshot_of(member, ALPHA, state, clock=gateway.clock, sequence=1).channel_id is None


def _problem(gateway: Gateway, channel_id: int) -> str:
    problem = seat_problem(_guild(gateway).get_channel(channel_id))
    return "" if problem is None else problem.words


def test_what_is_in_the_way_is_said_in_words(gateway: Gateway) -> None:
    assert _problem(gateway, ALPHA) == ""
    assert _problem(gateway, STAGE) == ""
    assert "gone" in _problem(gateway, 99)
    assert "not a voice channel" in _problem(gateway, TEXT)
    assert "AFK channel" in _problem(gateway, AFK)
    assert _problem(gateway, BETA) == ""
    gateway.feed("VOICE_STATE_UPDATE", _voice(QUARTZ, BETA))
    assert "is full (1)" in _problem(gateway, BETA)
    base = {
        "guild_id": str(GUILD),
        "id": str(ALPHA),
        "type": 2,
        "name": "Alpha",
        "position": 1,
        "bitrate": 64_000,
        "user_limit": 0,
    }
    gateway.feed("CHANNEL_UPDATE", {**base, "permission_overwrites": _overwrite(connect=True)})
    assert _problem(gateway, ALPHA).endswith("Give my role there: Connect.")
    gateway.feed("CHANNEL_UPDATE", {**base, "permission_overwrites": _overwrite(view_channel=True)})
    assert _problem(gateway, ALPHA).endswith("Give my role there: View Channel, Connect.")


async def test_a_problem_claims_nothing(gateway: Gateway) -> None:
    seats = Seats(gateway, gateway.clock)
    problem = await seats.claim(GUILD, AFK, "operations")
    assert problem is not None
    assert "AFK" in problem.words
    assert await seats.claim(99, ALPHA, "operations") is not None
    assert seats.status(GUILD).channel_id is None
    await seats.release(GUILD, "operations")
    await seats.close()
