"""What falls due while the sandbox's clock is turned is recorded by the bot at its instant."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.bot_process import bot_process
from support.sandbox_process import SandboxProcess, sandbox_process

from core.database import VoiceSession
from sandbox.stage import open_stage

START = datetime.fromisoformat("2026-09-06T18:00+00:00")
PLUGINS = Path(__file__).parents[2] / "plugins.toml"

#: Who, where, from when to when (None: still there).
Stays = list[tuple[int, int, datetime, datetime | None]]


@pytest.mark.parametrize("restarted", [False, True])
async def test_in_one_process(database_url: str, restarted: bool) -> None:
    async with open_stage(database_url, start=START, members=6, channels=3) as stage:
        world, scene = stage.world, stage.scene
        await stage.start_bot()
        if restarted:
            await stage.kill_bot()
            await stage.start_bot()
        for person in scene.members[:4]:
            await person.join(scene.voice_channels[0])
            await person.idle()
            await stage.advance(3.703_001)
        for person in scene.members[4:]:
            await person.join(scene.hub)
            await stage.advance(0.05)
        # Past the AFK time-out, the hub's moves, and many heartbeats of the bot between them.
        await stage.advance(700)
        truth = _counted(
            [(stay.user_id, stay.channel_id, stay.since, stay.until) for stay in world.truth if not stay.bot]
        )
        assert len(truth) == 10
        assert await stage.runtime.db.read(_recorded) == truth


async def test_in_processes_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "plugins.toml").write_text(PLUGINS.read_text("utf-8"), "utf-8")
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'bot.sqlite3'}"}
    async with sandbox_process(members=4) as sandbox, bot_process(sandbox.control, tmp_path, settings) as bot:
        (guild, *_) = await sandbox.get("/guilds")
        alpha, hub = (_id(guild["channels"], "name", name) for name in ("Alpha", "Create a crew"))
        people = [_id(guild["members"], "username", name) for name in ("quartz", "beryl", "garnet", "agate")]
        await sandbox.post("/clock", {"advance_seconds": 0})
        for number, person in enumerate(people):
            where = f"/guilds/{guild['id']}/members/{person}"
            await sandbox.post(f"{where}/voice", {"channel_id": hub if number % 2 else alpha})
            if not number % 2:
                await sandbox.post(f"{where}/idle", {})
            await sandbox.post("/clock", {"advance_seconds": 3.703001})
        await sandbox.post("/clock", {"advance_seconds": 700})
        truth = _counted([stay for person in people for stay in await _truth(sandbox, guild["id"], person)])
        assert len(truth) == 6
        await bot.stop()
    with closing(sqlite3.connect(tmp_path / "bot.sqlite3")) as rows:
        found = rows.execute(
            "SELECT user_id, channel_id, joined FROM voice_sessions ORDER BY joined, user_id"
        )
        recorded = [(user, channel, _instant(joined)) for user, channel, joined in found]
    assert recorded == [stay[:3] for stay in truth]


def _recorded() -> Stays:
    """Return every stay that the bot has recorded. Store function."""
    return _sorted([(row.user_id, row.channel_id, row.joined, row.left) for row in VoiceSession.select()])


def _counted(stays: Stays) -> Stays:
    """Return what the bot makes of stays: a moment in a hub belongs to the channel that the hub makes."""
    counted: Stays = []
    for user_id, channel_id, since, until in sorted(stays, key=lambda stay: (stay[0], stay[2])):
        last = counted[-1] if counted else None
        if last is not None and last[0] == user_id and since - last[2] < timedelta(seconds=1):
            counted[-1] = (user_id, channel_id, last[2], until)
        else:
            counted.append((user_id, channel_id, since, until))
    return _sorted(counted)


def _sorted(stays: Stays) -> Stays:
    return sorted(stays, key=lambda stay: (stay[2], stay[0]))


async def _truth(sandbox: SandboxProcess, guild_id: str, user_id: str) -> Stays:
    answer = await sandbox.get(f"/truth?guild={guild_id}&user={user_id}")
    return [
        (
            int(user_id),
            int(stay["channel_id"]),
            datetime.fromisoformat(stay["since"]),
            stay["until"] and datetime.fromisoformat(stay["until"]),
        )
        for stay in answer
    ]


def _id(things: list[dict[str, Any]], key: str, value: str) -> str:
    return next(str(each["id"]) for each in things if each[key] == value)


def _instant(microseconds: int) -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00+00:00") + timedelta(microseconds=microseconds)
