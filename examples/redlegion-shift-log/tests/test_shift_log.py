"""The plugin on a Discord on loopback: real client, real database, a clock that is turned by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.settings import PluginSelection
from sandbox.stage import Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)
PLUGINS = PluginSelection(
    load=("shift_log",),
    # Beside an installed copy the folder wins, so that what is tested is what is being written.
    folders=(Path(__file__).parents[1] / "src",),
    on_by_default=("shift_log",),
)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Two guilds with members, an officer and voice channels, and our bot among them."""
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with open_stage(url, plugins=PLUGINS, start=EVENING, members=3, channels=2) as opened:
        await opened.start_bot()
        yield opened


async def test_an_officer_is_reminded_once_of_what_nobody_has_read(stage: Stage) -> None:
    member, channel = stage.scene.members[0], stage.scene.text
    form = await stage.slash(member, "shift note")
    assert form.kind == "modal"
    assert form.interaction_id is not None
    await member.submit(form.interaction_id, {"text": "Drill 3 is worn out."})
    await stage.settle()
    assert [each["embeds"][0]["title"] for each in stage.world.messages(channel.id)] == ["Remark #1"]

    await stage.kill_bot()
    await stage.start_bot()
    await stage.advance(2 * 60 * 60)
    assert stage.world.messages(channel.id)[-1]["embeds"][0]["title"] == "Still unread: remark #1"

    message = stage.world.messages(channel.id)[-1]
    outcome = await stage.scene.officer.click(message["id"], "shift_log:read:1")
    assert outcome.kind == "update"


async def test_voice_sessions_are_counted(stage: Stage) -> None:
    member = stage.scene.members[0]
    await member.join(stage.scene.voice_channels[0])
    await stage.advance(60)
    await member.leave()
    await stage.advance(1)
    listed = await stage.slash(member, "shift list")
    assert listed.message is not None
    assert listed.message["embeds"][0]["footer"]["text"] == "1 voice session has ended here."


async def test_a_member_reads_their_own_time_in_voice(stage: Stage) -> None:
    member, other = stage.scene.members[:2]
    await member.join(stage.scene.voice_channels[0])
    await other.join(stage.scene.voice_channels[0])
    await stage.advance(45 * 60)
    await member.move(stage.scene.voice_channels[1])
    await stage.advance(30 * 60)
    told = await stage.slash(member, "shift voice")
    assert told.message is not None
    assert told.message["content"] == "In the last seven days you were in voice for 1 h 15 min."
