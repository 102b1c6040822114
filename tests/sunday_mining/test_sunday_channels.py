"""The channels of Sunday mining, set up through the real client on a sandbox; and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from support.mining import TITLE, add, database, field, participants, run, said, shown

from plugins.operations import running_operations
from sandbox.stage import Stage


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("mining stop", {}, "No operation is running, so there is nothing to stop. An officer starts one"),
        ("mining stop", {"operation": "12"}, "No operation is running"),
        ("mining start", {}, "Sunday mining has no voice channels yet. Add them with /mining channels add"),
        ("mining channels list", {}, "Sunday mining has no voice channels yet."),
        ("mining channels remove", {"channel": "*Alpha*"}, "is not one of the channels"),
        ("mining status", {}, "No operation is running. An officer starts one with /mining start."),
    ],
)
async def test_with_nothing_set_up(stage: Stage, command: str, options: dict[str, Any], words: str) -> None:
    assert words in said(await run(stage, stage.scene.officer, command, **options))
    assert await database(stage).read(running_operations, stage.scene.guild.id) == []


async def test_only_voice_channels_can_be_added(stage: Stage) -> None:
    scene = stage.scene
    empty = scene.guild.create_channel("Nothing here", type=4)
    await stage.settle()
    assert await add(stage, scene.text) == (
        f"<#{scene.text.id}> is not a voice channel."
        " Pick a voice channel, or a category to add all voice channels in it."
    )
    assert "is the AFK channel, where no time counts." in await add(stage, scene.afk)
    assert "has no voice channels that I can see." in await add(stage, empty)
    answer = await run(stage, scene.officer, "mining channels list")
    assert answer.message is not None
    (listed,) = answer.message["embeds"]
    assert "Nothing here" in listed["fields"][0]["value"]
    assert "The categories of Sunday mining have no voice channel" in said(
        await run(stage, scene.officer, "mining start")
    )
    removed = said(await run(stage, scene.officer, "mining channels remove", channel=str(empty.id)))
    assert removed.startswith("Removed the category Nothing here")
    assert "no voice channels yet" in said(await run(stage, scene.officer, "mining channels list"))


async def test_a_category_adds_its_voice_channels_and_25_is_the_limit(stage: Stage) -> None:
    scene = stage.scene
    mining = scene.guild.channel_named("Mining")
    off_duty = scene.guild.channel_named("Off duty")
    assert "Time there counts from the next /mining start on." in await add(stage, mining)
    answer = await run(stage, scene.officer, "mining channels list")
    assert answer.message is not None
    (listed,) = answer.message["embeds"]
    assert listed["footer"]["text"].startswith("7 of 25.")
    assert f"<#{scene.voice_channels[0].id}> · dispatch" in listed["description"]
    assert "are on the list already" in await add(stage, mining)
    added = await add(stage, off_duty)
    assert f"<#{scene.lounge.id}>" in added
    assert f"<#{scene.afk.id}>" not in added
    crowd = scene.guild.create_channel("Crews", type=4)
    for number in range(17):
        scene.guild.create_channel(f"Crew {number}", type=2, parent=crowd)
    await stage.settle()
    assert "can have 25 channels; 9 are on the list and these are 17 more" in await add(stage, crowd)


async def test_channels_are_removed_by_what_the_list_offers_or_by_name(stage: Stage) -> None:
    scene = stage.scene
    await add(stage, *scene.voice_channels[:3])
    offered = await scene.officer.autocomplete(
        "mining channels remove", channel=scene.text, options={"channel": "br"}, focused="channel"
    )
    bravo = scene.voice_channels[2]
    assert offered.choices == [{"name": "Bravo", "value": str(bravo.id)}]
    dispatch = f"<#{scene.voice_channels[0].id}>"
    for wanted, name in (
        (str(bravo.id), "Bravo"),
        ("alpha", "Alpha"),
        (dispatch, "Dispatch"),
    ):
        answer = await run(stage, scene.officer, "mining channels remove", channel=wanted)
        assert said(answer) == f"Removed {name}."


async def test_a_channel_deleted_meanwhile_stops_counting(stage: Stage) -> None:
    scene = stage.scene
    quartz = scene.members[0]
    first, second = scene.voice_channels[:2]
    await add(stage, first, second)
    await quartz.join(first)
    await run(stage, scene.officer, "mining start")
    await stage.advance(300)
    scene.guild.delete_channel(first)
    await stage.advance(60)
    await quartz.join(second)
    await stage.advance(300)
    await run(stage, scene.officer, "mining stop")
    assert [each.seconds for each in await participants(stage)] == [600]
    scene.guild.delete_channel(second)
    await stage.settle()
    assert "no voice channels yet" in said(await run(stage, scene.officer, "mining start"))


async def test_channels_that_went_while_the_bot_was_away_are_left_out(stage: Stage) -> None:
    scene = stage.scene
    first, second = scene.voice_channels[:2]
    await add(stage, first, second)
    await stage.stop_bot()
    scene.guild.delete_channel(first)
    await stage.start_bot()
    started = await shown(await run(stage, scene.officer, "mining start"))
    assert "These channels no longer exist: Dispatch." in field(started, "Left out")
    await run(stage, scene.officer, "mining stop")
    await stage.stop_bot()
    scene.guild.delete_channel(second)
    await stage.start_bot()
    assert "None of the channels" in said(await run(stage, scene.officer, "mining start"))


async def test_adding_while_it_runs_counts_from_now_on(stage: Stage) -> None:
    scene = stage.scene
    quartz = scene.members[0]
    first, second = scene.voice_channels[:2]
    await add(stage, first)
    await quartz.join(second)
    await run(stage, scene.officer, "mining start")
    await stage.advance(300)
    assert (
        await add(stage, second)
        == f"Added <#{second.id}>. {TITLE} is running: time there counts from now on."
    )
    await stage.advance(100)
    removed = said(await run(stage, scene.officer, "mining channels remove", channel=str(second.id)))
    assert "time there no longer counts, what was earned stays" in removed
    await stage.advance(300)
    await run(stage, scene.officer, "mining stop")
    assert [each.seconds for each in await participants(stage)] == [100]
