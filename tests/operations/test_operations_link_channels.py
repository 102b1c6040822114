"""Categories that count while an operation runs: what is made in them, moved into them and out of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.mining import add, participants, run, said, seat_of_the_bot, shown, until

from core.database import VoiceSession
from plugins.operations.models import OperationChannel, OperationSession
from sandbox.server.channels import CATEGORY, VOICE, Channel
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _ready_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.bot.GUILD_READY_TIMEOUT", 0.1)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, plugins=OWN_PLUGINS, start=EVENING, members=8) as found:
        await found.start_bot()
        yield found


def category_of(stage: Stage, channel: Channel) -> Channel:
    return stage.scene.guild.channels[channel.parent_id or 0]


async def move_to(stage: Stage, channel: Channel, category: Channel | None) -> None:
    channel.parent_id = None if category is None else category.id
    stage.scene.guild.update_channel(channel)
    await stage.settle()


async def start(stage: Stage) -> dict[str, Any]:
    return await shown(await run(stage, stage.scene.officer, "mining start"))


async def credited(stage: Stage) -> dict[int, int]:
    await run(stage, stage.scene.officer, "mining stop")
    found = await participants(stage)
    assert not any(each.estimated for each in found)
    return {each.user_id: each.seconds for each in found}


def rows(user_id: int) -> list[tuple[int, str, bool]]:
    """Channel, last reason and whether it counts, of each session of a member."""
    found = []
    query: Any = VoiceSession.select().where(VoiceSession.user_id == user_id).order_by(VoiceSession.joined)
    for session in query:
        decided: Any = OperationSession.select().where(OperationSession.session_id == session.id)
        last = decided.order_by(OperationSession.since.desc()).first()
        found.append((session.channel_id, last.reason, last.linked))
    return found


def tracked_names() -> set[str]:
    return {row.name for row in OperationChannel.select().where(OperationChannel.removed.is_null())}


@pytest.mark.parametrize("hub_counts", [True, False], ids=["hub in the category", "hub elsewhere"])
async def test_six_through_a_hub_earn_in_the_channels_that_are_made(stage: Stage, hub_counts: bool) -> None:
    scene = stage.scene
    crews = category_of(stage, scene.hub)
    if not hub_counts:
        # As far as the bot knows, the hub stays where it was; its channels are made where they count.
        crews = scene.guild.create_channel("Crews", CATEGORY)
        scene.hub.parent_id = crews.id
    await add(stage, scene.voice_channels[0])
    await add(stage, crews)
    await start(stage)
    began = stage.world.clock.now()
    await stage.advance(50)
    people = scene.members[:6]
    for person in people:
        await person.join(scene.hub)
        await stage.advance(0.05)
    await stage.advance(100)
    made = {person.id: person.channel_id for person in people}
    assert len(set(made.values())) == 6
    assert scene.hub.id not in made.values()
    await people[5].move(scene.voice_channels[0])
    await stage.advance(20)
    assert made[people[5].id] not in scene.guild.channels, "it is deleted when it is empty"
    now = stage.world.clock.now()
    read = stage.runtime.db.read
    counting = [scene.hub.id, scene.voice_channels[0].id, *(each for each in made.values() if each)]
    for person in people:
        first, *rest = await read(rows, person.id)
        assert first == (made[person.id], "counts", True), "the time in the hub goes to the channel after it"
        assert len(rest) == (person is people[5])
    truth = stage.world.truth
    expected = {each.id: truth.seconds(scene.guild.id, each.id, counting, [(began, now)]) for each in people}
    assert {user: round(seconds) for user, seconds in expected.items()} == await credited(stage)


async def test_what_comes_into_a_category_counts_from_then_on(stage: Stage) -> None:
    scene = stage.scene
    mining, off_duty = category_of(stage, scene.voice_channels[0]), category_of(stage, scene.lounge)
    mover, maker, stays = scene.members[:3]
    await add(stage, mining)
    await start(stage)
    await mover.join(scene.lounge)
    await stays.join(scene.voice_channels[1])
    await stage.advance(100)
    await move_to(stage, scene.lounge, mining)
    made = scene.guild.create_channel("Zulu", VOICE, parent=mining)
    scene.guild.create_channel("notes", parent=mining)
    elsewhere = scene.guild.create_channel("Chat", VOICE, parent=off_duty)
    await stage.advance(0.2)
    await maker.join(made)
    await scene.members[3].join(elsewhere)
    await stage.advance(50)
    # What is moved out goes on counting; it is for an officer to take it out.
    await move_to(stage, scene.lounge, off_duty)
    await stage.advance(50)
    offered = await scene.officer.autocomplete(
        "mining channels remove", channel=scene.text, options={"channel": "zu"}, focused="channel"
    )
    assert offered.choices == [{"name": "Zulu", "value": str(made.id)}]
    removed = said(await run(stage, scene.officer, "mining channels remove", channel="Zulu"))
    assert "time there no longer counts" in removed
    # Nor does what is taken out come back because it is renamed, or because the bot looks again.
    made.name = "Zulu 2"
    scene.guild.update_channel(made)
    await stage.stop_bot()
    await stage.start_bot()
    await stage.advance(30)
    assert "Zulu" not in await stage.runtime.db.read(tracked_names)
    assert await credited(stage) == {mover.id: 130, maker.id: 100, stays.id: 230}
    started = await start(stage)
    assert f"<#{made.id}>" not in started["description"]
    assert f"<#{scene.lounge.id}>" not in started["description"]


async def test_the_next_operation_takes_all_that_is_in_the_category(stage: Stage) -> None:
    scene = stage.scene
    mining = category_of(stage, scene.voice_channels[0])
    await add(stage, mining)
    made = scene.guild.create_channel("Zulu", VOICE, parent=mining)
    await stage.settle()
    await scene.members[0].join(made)
    started = await start(stage)
    assert f"<#{made.id}>" in started["description"]
    assert f"<#{scene.voice_channels[0].id}> · dispatch" in started["description"]
    await stage.advance(60)
    scene.guild.delete_channel(made)
    await stage.advance(60)
    assert await credited(stage) == {scene.members[0].id: 60}


async def test_what_came_while_the_bot_was_away_counts_from_its_return(stage: Stage) -> None:
    scene = stage.scene
    mining = category_of(stage, scene.voice_channels[0])
    await add(stage, mining)
    await start(stage)
    await stage.advance(60)
    await stage.kill_bot()
    made = scene.guild.create_channel("Zulu", VOICE, parent=mining)
    await scene.members[0].join(made)
    await stage.world.clock.advance(60)
    await stage.start_bot()
    await stage.advance(40)
    await run(stage, scene.officer, "mining stop")
    assert [(each.seconds, each.estimated) for each in await participants(stage)] == [(40, True)]


async def test_a_category_that_is_added_late_counts_from_then_on(stage: Stage) -> None:
    scene = stage.scene
    crews = category_of(stage, scene.hub)
    await add(stage, scene.voice_channels[0])
    await start(stage)
    quartz, beryl = scene.members[:2]
    await quartz.join(scene.lounge)
    await stage.advance(60)
    answer = await add(stage, crews)
    assert "is running: time there counts from now on." in answer
    assert "made in the category Off duty later, or moved into it, count, too." in answer
    await beryl.join(scene.hub)
    await stage.advance(40)
    told = said(await run(stage, scene.officer, "mining channels remove", channel="Off duty"))
    assert told.startswith("Removed the category Off duty")
    agate = scene.members[2]
    await agate.join(scene.hub)
    await stage.advance(20)
    # The hub is on the list, what it makes counts no longer.
    assert await credited(stage) == {quartz.id: 60, beryl.id: 60}


async def test_the_bot_does_not_sit_in_a_hub_unless_it_is_told_to(stage: Stage) -> None:
    scene = stage.scene
    crews = category_of(stage, scene.hub)
    answer = await add(stage, crews)
    assert f"I sit in <#{scene.lounge.id}> while it runs" in answer
    await start(stage)
    assert seat_of_the_bot(stage) == scene.lounge.id
    picked = scene.voice_channels[2]
    outcome = await run(stage, scene.officer, "mining channels add", channel=str(picked.id), dispatch=True)
    assert f"I sit in <#{picked.id}> while it runs." in said(outcome)
    await until(stage, lambda: seat_of_the_bot(stage) == picked.id)
    await run(stage, scene.officer, "mining stop")
    assert f"<#{picked.id}> · dispatch" in (await start(stage))["description"]
    await until(stage, lambda: seat_of_the_bot(stage) == picked.id)
    refused = await run(stage, scene.officer, "mining channels add", channel=str(crews.id), dispatch=True)
    assert "not in a whole category" in said(refused)


async def test_the_bot_says_so_when_there_is_nothing_but_a_hub(stage: Stage) -> None:
    answer = await add(stage, stage.scene.hub)
    assert "if that is a hub in which nobody can stay, pick another one" in answer
