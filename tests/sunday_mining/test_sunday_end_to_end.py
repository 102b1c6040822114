"""Sunday mining through the real client on a sandbox: start, status, stop."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

import pytest
from support.mining import TITLE, add, database, field, participants, run, said, seat_of_the_bot, shown, until

from core.voice.store import load_open
from plugins.operations import (
    ChannelRef,
    OperationEnded,
    OperationStarted,
    running_operations,
    start_operation,
)
from sandbox.stage import Stage

CONNECT = 1 << 20


@pytest.fixture
def heard(each_stage: Stage) -> list[Any]:
    """What the listening plugin has been told."""
    found: list[Any] = importlib.import_module("listener").HEARD
    found.clear()
    return found


async def test_a_session_from_start_to_stop(each_stage: Stage, heard: list[Any]) -> None:
    stage = each_stage
    scene = stage.scene
    quartz, beryl, garnet, agate = scene.members[:4]
    dispatch, alpha, bravo = scene.voice_channels[:3]
    await add(stage, *scene.voice_channels)
    await quartz.join(alpha)
    await stage.advance(600)

    started = await shown(await run(stage, scene.officer, "mining start"))

    opened = stage.world.clock.now()
    assert started["title"] == f"📅 {TITLE} has started"
    assert f"<#{alpha.id}>: Quartz" in started["description"]
    assert f"<#{dispatch.id}> · dispatch: —" in started["description"]
    assert "fields" not in started or not started["fields"]
    await beryl.join(bravo)
    await agate.join(scene.lounge)
    await stage.advance(1800.5)
    await beryl.move(dispatch)
    await garnet.join(alpha)
    await garnet.set_voice(self_deaf=True)
    await stage.advance(900)
    await garnet.leave()
    await stage.advance(4500)

    now = await run(stage, quartz, "mining status")
    assert now.message is not None
    (standing,) = now.message["embeds"]
    assert standing["title"] == f"📅 {TITLE} is running"
    assert f"<#{dispatch.id}> (1): Beryl" in standing["description"]
    assert "Garnet · 15 min" in standing["description"]
    assert "Agate" not in standing["description"]

    stopped = await shown(await run(stage, scene.officer, "mining stop"))

    assert stopped["title"] == f"📅 {TITLE} has ended"
    assert field(stopped, "Duration").startswith("2 h 0 min (")
    assert field(stopped, "Members") == "3"
    assert "/payroll calculate" in field(stopped, "Next")
    assert stopped["description"] == "1. Quartz · 2 h 0 min\n2. Beryl · 2 h 0 min\n3. Garnet · 15 min"
    tracked = [channel.id for channel in scene.voice_channels]
    window = [(opened, stage.world.clock.now())]
    found = await participants(stage)
    assert [each.user_id for each in found] == [quartz.id, beryl.id, garnet.id]
    for each in found:
        true = stage.world.truth.seconds(scene.guild.id, each.user_id, tracked, window)
        assert abs(each.seconds - true) <= 0.5
        assert not each.estimated
    still = {session.user_id for session in await database(stage).read(load_open, [scene.guild.id])}
    assert still == {quartz.id, beryl.id, agate.id}

    (began_in, began), (ended_in, ended) = heard
    assert began_in == ended_in == scene.guild.id
    assert isinstance(began, OperationStarted)
    assert [each.channel_id for each in began.channels] == tracked
    assert began.initiator_id == scene.officer.id
    assert isinstance(ended, OperationEnded)
    assert list(ended.participants) == found
    assert ended.operation.status == "ended"


async def test_the_bot_sits_in_dispatch_while_it_runs(stage: Stage) -> None:
    scene = stage.scene
    await add(stage, *scene.voice_channels[:2])
    await run(stage, scene.officer, "mining start")
    await until(stage, lambda: seat_of_the_bot(stage) == scene.voice_channels[0].id)
    await stage.stop_bot()
    await until(stage, lambda: seat_of_the_bot(stage) is None)
    await stage.start_bot()
    await until(stage, lambda: seat_of_the_bot(stage) == scene.voice_channels[0].id)
    await run(stage, scene.officer, "mining stop")
    await until(stage, lambda: seat_of_the_bot(stage) is None)
    assert await participants(stage) == []


async def test_a_seat_that_cannot_be_taken_does_not_keep_it_from_starting(stage: Stage) -> None:
    scene = stage.scene
    no_entry = dict.fromkeys(scene.guild.roles, (0, CONNECT))
    closed = scene.guild.create_channel("Closed", type=2, overwrites=no_entry)
    await stage.settle()
    await add(stage, closed)
    started = await shown(await run(stage, scene.officer, "mining start"))
    assert "Connect" in field(started, "Time is tracked, but I do not sit with you")
    assert len(await database(stage).read(running_operations, scene.guild.id)) == 1


async def test_a_restart_in_the_middle_loses_nothing(each_stage: Stage) -> None:
    stage = each_stage
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    await add(stage, *scene.voice_channels)
    await run(stage, scene.officer, "mining start")
    await quartz.join(scene.voice_channels[1])
    await beryl.join(scene.voice_channels[2])
    await stage.advance(1200)
    await stage.kill_bot()
    await stage.advance(60)
    await beryl.move(scene.lounge)
    await stage.start_bot()
    await stage.advance(1140)
    stopped = await shown(await run(stage, scene.officer, "mining stop"))
    first, second = await participants(stage)
    assert (first.user_id, first.seconds, first.estimated) == (quartz.id, 2400, False)
    assert second.user_id == beryl.id
    assert second.estimated
    assert 1200 - 15 <= second.seconds <= 1260
    assert "2. Beryl · ≈" in stopped["description"]
    assert "estimated" in stopped["footer"]["text"]


async def test_starting_twice_is_refused(stage: Stage) -> None:
    scene = stage.scene
    await add(stage, scene.voice_channels[0])
    await run(stage, scene.officer, "mining start")
    before = await database(stage).read(running_operations, scene.guild.id)
    words = said(await run(stage, scene.officer, "mining start"))
    assert words.startswith(f"{TITLE} is already running since <t:")
    assert words.endswith("Stop it with /mining stop before you start another one.")
    assert await database(stage).read(running_operations, scene.guild.id) == before


async def test_two_officers_stopping_at_once(stage: Stage) -> None:
    scene = stage.scene
    await add(stage, scene.voice_channels[0])
    await scene.members[0].join(scene.voice_channels[0])
    await run(stage, scene.officer, "mining start")
    await stage.advance(60)
    both = await asyncio.gather(
        *(each.slash("mining stop", channel=scene.text) for each in (scene.officer, scene.owner))
    )
    answers = [await each.final() if each.kind == "deferred" else each.message for each in both]
    titles = [answer["embeds"][0]["title"] for answer in answers if answer and answer["embeds"]]
    words = [answer["content"] for answer in answers if answer and answer["content"]]
    assert titles == [f"📅 {TITLE} has ended"]
    assert len(words) == 1
    assert "has already ended" in words[0] or "nothing to stop" in words[0]
    assert [each.seconds for each in await participants(stage)] == [60]


async def test_a_member_may_look_but_not_act(stage: Stage) -> None:
    scene = stage.scene
    quartz = scene.members[0]
    for command in ("mining start", "mining stop", "mining channels list"):
        assert "needs the rank officer" in said(await run(stage, quartz, command))
    assert "No operation is running." in said(await run(stage, quartz, "mining status"))


async def test_of_several_running_ones_the_officer_picks(stage: Stage) -> None:
    scene = stage.scene
    first, second = scene.voice_channels[:2]
    await add(stage, first)
    await run(stage, scene.officer, "mining start")
    ctx = stage.runtime.context_for("operations", scene.guild.id)
    survey = await start_operation(
        ctx, "survey", [ChannelRef(second.id, second.name)], scene.officer.id, None
    )
    assert survey.operation.title == "Survey - 2026-09-06 18:00"
    refused = await add(stage, second)
    assert refused == (
        f"<#{second.id}> already counts for Survey - 2026-09-06 18:00."
        " Stop that operation with /mining stop first."
    )
    words = said(await run(stage, scene.officer, "mining stop"))
    assert f"Several operations are running: {TITLE}, Survey" in words
    assert "No running operation is called" in said(
        await run(stage, scene.officer, "mining stop", operation="9")
    )
    offered = await scene.officer.autocomplete(
        "mining stop", channel=scene.text, options={"operation": "surv"}, focused="operation"
    )
    assert offered.choices == [{"name": "🛰 Survey - 2026-09-06 18:00", "value": str(survey.operation.id)}]
    looked = await run(stage, scene.members[0], "mining status")
    assert looked.message is not None
    assert len(looked.message["embeds"]) == 2
    stopped = await run(stage, scene.officer, "mining stop", operation=str(survey.operation.id))
    assert "Survey" in (await shown(stopped))["title"]
    left = await database(stage).read(running_operations, scene.guild.id)
    assert [each.title for each in left] == [TITLE]


async def test_guilds_do_not_see_each_other(stage: Stage) -> None:
    scene = stage.scene
    other = scene.second
    await add(stage, scene.voice_channels[0])
    await run(stage, scene.officer, "mining start")
    assert "nothing to stop" in said(await run(stage, other.officer, "mining stop"))
    assert "no voice channels yet" in said(await run(stage, other.officer, "mining start"))
