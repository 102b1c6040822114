"""/operation through the real client on a sandbox, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.mining import add, participants, run, said
from support.openapi_judge import attach

from plugins.operations import running_operations, set_payroll_processed
from sandbox.server import Outcome
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, plugins=OWN_PLUGINS, start=EVENING, members=6) as stage:
        await stage.start_bot()
        zone = {"timezone": "Europe/Berlin"}
        await stage.runtime.guilds.set_settings(stage.scene.guild.id, "operations", zone, None)
        yield stage


async def words(outcome: Outcome) -> list[str]:
    message = await outcome.final()
    assert message["flags"] & 64
    (embed,) = message["embeds"]
    return str(embed["description"]).splitlines()


async def pressed(stage: Stage, outcome: Outcome) -> Outcome:
    """Press the one button of an answer."""
    ((button,),) = [row["components"] for row in (await outcome.final())["components"]]
    message = await outcome.final()
    pressed = await stage.scene.officer.click(message["id"], button["custom_id"])
    await stage.settle()
    return pressed


def stamp(minutes: float, style: str = "f") -> str:
    return f"<t:{int((EVENING + timedelta(minutes=minutes)).timestamp())}:{style}>"


async def started(stage: Stage) -> int:
    """Quartz sits from 18:00, Beryl from 18:00 to 18:15; started at 18:20; 18:40 now."""
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    begun = stage.runtime.clock.now()
    await add(stage, *scene.voice_channels[:2])
    await quartz.join(scene.voice_channels[0])
    await beryl.join(scene.voice_channels[1])
    await stage.advance(900)
    await beryl.leave()
    await stage.advance(300)
    await run(stage, scene.officer, "mining start")
    await stage.advance(1200)
    assert stage.runtime.clock.now() - begun < timedelta(minutes=41)
    [operation] = await stage.runtime.db.read(running_operations, scene.guild.id)
    return operation.id


async def test_a_late_start_is_mended(stage: Stage) -> None:
    scene = stage.scene
    await started(stage)
    asked = await run(stage, scene.officer, "operation edit", start="20:05")
    shown = await words(asked)
    assert shown[0] == "Change the windows like this?"
    assert f"1. since {stamp(5)}, 35 min so far" in shown
    assert [line for line in shown if "→" in line] == [
        "Quartz · 20 min → 35 min (+15 min)",
        "Beryl · 0 s → 10 min (+10 min)",
    ]
    before = await words(await run(stage, scene.members[2], "operation windows"))
    assert f"1. since {stamp(20)}, 20 min so far" in before
    second = await run(stage, scene.officer, "operation edit", start="20:05")
    done = await words(await pressed(stage, asked))
    assert done[0] == "✅ The windows are changed."
    assert done[-2:] == shown[-2:]
    assert f"1. since {stamp(5)}, 35 min so far" in await words(
        await run(stage, scene.members[2], "operation windows")
    )
    assert "The windows are like that already" in said(await pressed(stage, second))
    log = await run(stage, scene.owner, "setup audit")
    told = str((await log.final())["components"])
    windows = f"`windows` {stamp(20)}–… → `windows` {stamp(5)}–…"
    assert f"<@{scene.officer.id}>: `operation.windows` `1`: {windows}" in told


async def test_a_forgotten_stop_is_mended_and_a_pause_taken_out(stage: Stage) -> None:
    scene = stage.scene
    quartz = scene.members[0]
    await started(stage)
    await run(stage, scene.officer, "mining stop")
    await pressed(stage, await run(stage, scene.officer, "operation edit", end="10 min ago"))
    assert {each.user_id: each.seconds for each in await participants(stage)} == {quartz.id: 600}
    asked = await run(stage, scene.officer, "operation pause", start="20:22", end="20:25")
    assert "Quartz · 10 min → 7 min (−3 min)" in await words(asked)
    await pressed(stage, asked)
    assert {each.user_id: each.seconds for each in await participants(stage)} == {quartz.id: 420}
    shown = await words(await run(stage, scene.officer, "operation windows"))
    assert shown[1:] == [
        f"1. {stamp(20)}–{stamp(22, 't')} (2 min)",
        f"2. {stamp(25)}–{stamp(30, 't')} (5 min)",
    ]
    asked = await run(stage, scene.officer, "operation count", start="20:22", end="20:23")
    # Somebody else is faster: what was looked at is not what there is now.
    await pressed(stage, await run(stage, scene.officer, "operation edit", window=2, start="20:26"))
    assert "Somebody has changed the windows since" in said(await pressed(stage, asked))
    assert {each.user_id: each.seconds for each in await participants(stage)} == {quartz.id: 360}
    mine = await run(stage, quartz, "voice me")
    (embed,) = (await mine.final())["embeds"]
    assert {each["name"]: each["value"] for each in embed["fields"]}["Credited"] == "6 min"


REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("edit", {}, "Fill in the option `start`"),
    ("edit", {"end": "20:30"}, "The operation is running, so its last window has no end yet."),
    ("edit", {"start": "soon"}, "I cannot read “soon” as a time. Write it like 21:05"),
    ("edit", {"start": "23:00"}, "That is not over yet"),
    ("edit", {"start": "20:05", "window": 2}, "This operation has 1 window."),
    ("edit", {"start": "0001-01-01 00:00Z"}, "0001-01-01 00:00 UTC is long before this operation began."),
    ("pause", {"start": "-5 min ago", "end": "now"}, "I cannot read “-5 min ago” as a time."),
    ("edit", {"start": "20:20"}, "The windows are like that already"),
    ("pause", {"start": "20:30", "end": "20:25"}, "A window must end after it begins"),
    ("edit", {"start": "20:05", "operation": "Monday"}, "No operation is called “Monday”."),
)


async def test_what_cannot_be_says_what_to_do(stage: Stage) -> None:
    await started(stage)
    for command, options, expected in REFUSED:
        assert expected in said(await run(stage, stage.scene.officer, f"operation {command}", **options))


async def test_a_paid_operation_stays_as_it_is(stage: Stage) -> None:
    scene = stage.scene
    operation = await started(stage)
    refused = said(await run(stage, scene.members[0], "operation edit", start="20:05"))
    assert "This needs the rank officer" in refused
    await run(stage, scene.officer, "mining stop")
    asked = await run(stage, scene.officer, "operation edit", start="20:05")
    await stage.runtime.db.write(set_payroll_processed, scene.guild.id, operation, True)
    assert "is locked, so its windows stay" in said(await pressed(stage, asked))
    refused = said(await run(stage, scene.officer, "operation edit", start="20:06"))
    assert "is locked, so its windows stay" in refused
    (embed,) = (await (await run(stage, scene.officer, "operation windows")).final())["embeds"]
    assert "payroll is locked" in embed["footer"]["text"]


async def test_nothing_of_it_breaks_discords_rules(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'judged.sqlite3'}"
    async with open_stage(url, plugins=OWN_PLUGINS, start=EVENING, members=6) as stage:
        findings = attach(stage.world)
        await stage.start_bot()
        await started(stage)
        asked = await run(stage, stage.scene.officer, "operation edit", start="5 min ago")
        await pressed(stage, asked)
        await run(stage, stage.scene.officer, "operation windows")
        assert findings == []
