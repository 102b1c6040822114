"""`redlegion sandbox --replay`: our own bot is recorded on a Sunday, and played against itself."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from redlegion.__main__ import main
from sandbox.replaying import serve_replay
from sandbox.serve import SandboxError
from sandbox.stage import open_stage

START = datetime(2026, 3, 1, 18, tzinfo=UTC)


@pytest.fixture
async def recording(tmp_path: Path) -> Path:
    """A Sunday with three people and one who moves, up to the stop."""
    async with open_stage(f"sqlite:///{tmp_path / 'first.sqlite3'}", start=START, members=3) as stage:
        await stage.start_bot()
        scene = stage.scene
        first, second = scene.voice_channels[:2]
        for channel in (first, second):
            await stage.slash(scene.owner, "mining channels add", {"channel": str(channel.id)})
        await stage.slash(scene.officer, "mining start")
        for person in scene.members:
            await person.join(first)
        await stage.advance(900)
        await scene.members[0].move(second)
        await stage.advance(900)
        await stage.slash(scene.officer, "mining stop")
        await scene.members[0].leave()
        await stage.advance(60)
        return stage.world.log.export(tmp_path / "sunday.jsonl")


async def test_our_bot_does_the_same_again(recording: Path) -> None:
    out = io.StringIO()
    report = await serve_replay(0, recording, bot=True, out=out)
    assert [str(each) for each in report.differences] == []
    assert report.acts > 10
    assert report.requests >= 10
    first, last = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["rest"].startswith("http://127.0.0.1:")
    assert last == {"acts": report.acts, "requests": report.requests, "compared": True, "differences": []}


async def test_a_bad_day_comes_again_with_its_faults(tmp_path: Path) -> None:
    async with open_stage(f"sqlite:///{tmp_path / 'first.sqlite3'}", start=START, members=3) as stage:
        await stage.start_bot()
        scene = stage.scene
        await stage.slash(scene.owner, "mining channels add", {"channel": str(scene.voice_channels[0].id)})
        await stage.slash(scene.officer, "mining start")
        kinds = ["drop_gateway", "invalid_session", "reconnect", "duplicate", "reorder", "hold"]
        plan = stage.world.faults.plan(1, seconds=1800, count=5, kinds=kinds)
        for step in range(9):
            person = scene.members[step % 3]
            await (person.leave() if person.channel_id else person.join(scene.voice_channels[0]))
            await stage.advance(200)
        await stage.advance(1200)
        await stage.slash(scene.officer, "mining stop")
        path = stage.world.log.export(tmp_path / "bad-day.jsonl")
    report = await serve_replay(0, path, bot=True, out=io.StringIO())
    assert [str(each) for each in report.differences] == [], str(plan)


async def test_what_cannot_be_played_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot be read"):
        await serve_replay(0, tmp_path / "none.jsonl", out=io.StringIO())


def test_the_command_takes_a_recording_without_a_story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.jsonl"
    assert main(["sandbox", "--replay", str(path), "--story", "sunday"]) == 1
    assert "without --story" in capsys.readouterr().err
    assert main(["sandbox", "--replay", str(path)]) == 1
    assert "cannot be read" in capsys.readouterr().err
