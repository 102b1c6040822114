"""What can happen to the line while people sit, move and leave: through the real gateway, table by table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.voice_stage import VoiceStage, voice_stage
from support.waiting import until

from core.voice.sessions import VoiceRecorder
from sandbox.server import World

HELD = 40.0
Fault = Callable[[World, int], object]


@pytest.fixture(autouse=True)
def _ready_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.bot.GUILD_READY_TIMEOUT", 0.1)


def _dropped(seconds: float, **replay: Any) -> Fault:
    def begin(world: World, _guild_id: int) -> None:
        if replay:
            world.faults.replay(**replay)
        world.faults.drop_gateway(hold_seconds=seconds, park=True)

    return begin


async def _change(on: VoiceStage) -> None:
    """One stays, one leaves, one moves, one comes, one leaves and returns."""
    _, leaves, moves, comes, returns, _ = on.people[:6]
    await leaves.leave()
    await moves.join(on.beta)
    await comes.join(on.gamma)
    await returns.leave()
    await returns.join(on.alpha)


#: What goes wrong, sandbox seconds until it has passed, whether people change at once (or in between), and
#: whether the bot begins a new session.
FAULTS: dict[str, tuple[Fault, float, bool, bool]] = {
    "drop with resume": (_dropped(HELD), HELD, False, False),
    "drop with a resume that repeats what was heard": (_dropped(HELD, overlap=4), HELD, False, False),
    "too long a drop for a resume": (_dropped(310), 310, False, True),
    "op 7": (lambda world, _: world.faults.reconnect(), 5, True, False),
    "op 9 that can be resumed": (lambda world, _: world.faults.invalid_session(True), 5, True, False),
    "op 9 and a fresh identify": (lambda world, _: world.faults.invalid_session(), 5, True, True),
    "half open": (lambda world, guild: world.faults.half_open(guild, HELD), HELD, False, False),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_leaves_who_stayed_exact(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed: list[datetime] = []
    disconnected = VoiceRecorder.disconnected

    def notice(recorder: VoiceRecorder, at: datetime, *guilds: Any) -> None:
        noticed.append(at)
        disconnected(recorder, at, *guilds)

    monkeypatch.setattr(VoiceRecorder, "disconnected", notice)
    begin, seconds, at_once, fresh = FAULTS[name]
    async with voice_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path) as on:
        stays, leaves, moves, comes, returns, _ = on.people[:6]
        await on.sit((stays, leaves, moves, returns), on.alpha)
        await on.stage.advance(60)
        await on.check()
        lost, sessions = on.now, set(on.world.hub.sessions)
        begin(on.world, on.guild.id)
        if not at_once:
            await on.stage.advance(seconds / 4)
        await _change(on)
        await on.stage.advance(seconds)
        if fresh:
            bot = on.stage.runtime.bot
            await until(lambda: set(on.world.hub.sessions) - sessions)
            await until(lambda: bot.connected_shards and not bot._readying)
        on.unseen(lost, leaves, moves, comes, returns, noticed=noticed[0] if noticed else lost)
        await on.check()
        await on.stage.advance(60)
        await on.sit(on.people, on.gamma)
        await on.stage.advance(60)
        await on.sit(on.people, None)
        await on.check()
        [first, second] = await on.rows(stays)
        assert not first.estimated
        assert not second.estimated


async def test_a_replay_in_another_order_ends_as_it_was(tmp_path: Path) -> None:
    async with voice_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path, members=24) as on:
        await on.sit(on.people[:16], on.alpha)
        await on.stage.advance(60)
        lost = on.now
        _dropped(HELD, overlap=0, mixed=True)(on.world, on.guild.id)
        await on.stage.advance(HELD / 2)
        # Each once: of two changes of one member nobody could tell which was the last.
        await on.sit(on.people[:8], None)
        await on.sit(on.people[8:12], on.beta)
        await on.sit(on.people[16:], on.beta)
        await on.stage.advance(HELD)
        on.unseen(lost, *on.people[:12], *on.people[16:])
        await on.check()


async def test_a_guild_that_is_unavailable_and_back(database_url: str, tmp_path: Path) -> None:
    async with voice_stage(database_url, tmp_path) as on:
        stays, leaves, moves, comes, returns, _ = on.people[:6]
        await on.sit((stays, leaves, moves, returns), on.alpha)
        await on.stage.advance(60)
        lost = on.now
        on.world.faults.guild_outage(on.guild.id)
        await on.stage.advance(20)
        await _change(on)
        await on.stage.advance(20)
        on.world.faults.guild_return(on.guild.id)
        on.unseen(lost, leaves, moves, comes, returns)
        await on.check()
        [row] = await on.rows(stays)
        assert not row.estimated


async def test_killed_while_the_guild_is_out(tmp_path: Path) -> None:
    async with voice_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path) as on:
        stays, leaves = on.people[:2]
        await on.sit((stays, leaves), on.alpha)
        await on.stage.advance(60)
        lost = on.now
        on.world.faults.guild_outage(on.guild.id)
        await on.stage.advance(30)
        await on.stage.kill_bot()
        beat = await on.last_beat()
        await on.stage.advance(30)
        await leaves.leave()
        await on.stage.start_bot()
        assert len(await on.rows()) == 2
        await on.stage.advance(30)
        on.world.faults.guild_return(on.guild.id)
        assert beat <= lost, "that its shard was connected proves nothing of a guild that is out"
        on.unseen(lost, leaves, left=beat)
        await on.check()


async def test_a_line_lost_again_before_the_look_at_who_is_there(tmp_path: Path) -> None:
    async with voice_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path) as on:
        stays, leaves = on.people[:2]
        await on.sit((stays, leaves), on.alpha)
        await on.stage.advance(60)
        lost = on.now
        on.world.faults.guild_outage(on.guild.id)
        await on.stage.advance(10)
        runtime = on.stage.runtime
        # What holds up the guild's queue: a switch, or a database that takes its time.
        async with runtime.opener._queue(on.guild.id):
            on.world.faults.guild_return(on.guild.id)
            await until(lambda: not _unavailable(on))
            on.world.faults.guild_outage(on.guild.id)
            await until(lambda: _unavailable(on))
        await asyncio.wait_for(on.stage.advance(20), 60)
        await leaves.leave()
        on.world.faults.guild_return(on.guild.id)
        await on.stage.settle()
        on.unseen(lost, leaves)
        await on.check()
        [row] = await on.rows(stays)
        assert not row.estimated


def _unavailable(on: VoiceStage) -> bool:
    guild = on.stage.runtime.bot.get_guild(on.guild.id)
    return guild is None or guild.unavailable
