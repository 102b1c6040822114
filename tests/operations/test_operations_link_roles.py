"""The required role through the real gateway: deleted while an operation runs, given and taken unseen."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.mining import add, participants, run, until

from plugins.operations.models import OperationSession
from sandbox.server import Person
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)
GAP, BEAT = 300, 15


@pytest.fixture(autouse=True)
def _ready_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.bot.GUILD_READY_TIMEOUT", 0.1)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, plugins=OWN_PLUGINS, start=EVENING, members=6) as found:
        await found.start_bot()
        yield found


async def require(stage: Stage, role_id: int | None) -> None:
    guild = stage.scene.guild.id
    await stage.runtime.guilds.set_settings(guild, "operations", {"required_role_id": role_id}, None)
    await stage.settle()


async def begin(stage: Stage) -> None:
    await add(stage, *stage.scene.voice_channels[:3])
    await run(stage, stage.scene.officer, "mining start")


async def credited(stage: Stage) -> dict[int, tuple[int, bool]]:
    await run(stage, stage.scene.officer, "mining stop")
    return {each.user_id: (each.seconds, each.estimated) for each in await participants(stage)}


def decisions(user_id: int) -> list[tuple[str, int, bool]]:
    """Reason, seconds since the evening began, and whether the change was missed."""
    rows: Any = OperationSession.select().where(OperationSession.user_id == user_id)
    return [
        (row.reason, round((row.since - EVENING).total_seconds()), row.unseen_since is not None)
        for row in rows.order_by(OperationSession.session_id, OperationSession.since)
    ]


async def told(stage: Stage, command: str, by: Person | None = None) -> dict[str, Any]:
    outcome = await run(stage, by or stage.scene.officer, command)
    (embed,) = (await outcome.final())["embeds"]
    return dict(embed)


async def test_once_the_required_role_is_deleted_it_is_asked_of_nobody(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    scene = stage.scene
    holds, stays, hops, granted = scene.members[:4]
    role, other = scene.guild.create_role("Miner"), scene.guild.create_role("Other")
    scene.guild.set_roles(holds, [role])
    await require(stage, role.id)
    for person in (holds, stays, hops, granted):
        await person.join(scene.voice_channels[0])
    await begin(stage)
    assert "fields" not in await told(stage, "mining status")
    await stage.advance(300)
    with caplog.at_level(logging.WARNING):
        await scene.owner.delete_role(role)
        await stage.settle()
        await stage.advance(100)
        # What a member is given afterwards takes nothing away.
        await scene.owner.give_role(granted, other)
        await hops.move(scene.voice_channels[1])
        await stage.advance(100)
        (note,) = (await told(stage, "mining status"))["fields"]
        assert "no longer exists, so nobody needs it: everybody earns time" in note["value"]
        assert "/plugins settings" in note["value"]
        (note,) = (await told(stage, "voice operation"))["fields"][-1:]
        assert "everybody earns time" in note["value"]
        assert "fields" not in await told(stage, "mining status", by=stays), "only who can see to it is told"
    assert caplog.text.count(f"the required role {role.id} of guild {scene.guild.id} is gone") == 1
    read = stage.runtime.db.read
    assert await read(decisions, stays.id) == [("role", 0, False), ("counts", 300, False)]
    assert await credited(stage) == {
        holds.id: (500, False),
        stays.id: (200, False),
        hops.id: (200, False),
        granted.id: (200, False),
    }


async def test_a_role_that_went_unseen_is_asked_of_nobody_either(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    scene = stage.scene
    holds, stays = scene.members[:2]
    role, other = scene.guild.create_role("Miner"), scene.guild.create_role("Other")
    scene.guild.set_roles(holds, [role])
    await require(stage, role.id)
    await stage.stop_bot()
    await scene.owner.delete_role(role)
    with caplog.at_level(logging.WARNING):
        await stage.start_bot()
        for person in (holds, stays):
            await person.join(scene.voice_channels[0])
        await begin(stage)
        await stage.advance(100)
        # Of a member's roles it is told only now, when the required one is not among them.
        await scene.owner.give_role(stays, other)
        await stage.advance(100)
    assert caplog.text.count("is gone, so none is required") == 1
    assert await credited(stage) == {holds.id: (200, False), stays.id: (200, False)}


async def test_a_role_that_is_asked_from_now_on_counts_from_now_on(stage: Stage) -> None:
    scene = stage.scene
    holds, lacks = scene.members[:2]
    role, other = scene.guild.create_role("Miner"), scene.guild.create_role("Other")
    scene.guild.set_roles(holds, [role])
    scene.guild.set_roles(lacks, [other])
    for person in (holds, lacks):
        await person.join(scene.voice_channels[0])
    await begin(stage)
    for wanted in (role.id, other.id, None):
        await stage.advance(100)
        await require(stage, wanted)
    await stage.advance(50)
    assert await credited(stage) == {holds.id: (250, False), lacks.id: (250, False)}


async def _killed(stage: Stage) -> None:
    await stage.kill_bot()


async def _stopped(stage: Stage) -> None:
    await stage.stop_bot()


async def _dropped(stage: Stage) -> None:
    stage.world.faults.drop_gateway(hold_seconds=GAP)


async def _out(stage: Stage) -> None:
    stage.world.faults.guild_outage(stage.scene.guild.id)


async def _starts(stage: Stage) -> None:
    await stage.start_bot()


async def _resumes(stage: Stage) -> None:
    await until(stage, lambda: bool(stage.runtime.bot.connected_shards))
    await stage.settle()


async def _returns(stage: Stage) -> None:
    stage.world.faults.guild_return(stage.scene.guild.id)
    await stage.settle()


Act = Callable[[Stage], Awaitable[None]]
AWAY: dict[str, tuple[Act, Act]] = {
    "killed": (_killed, _starts),
    "stopped": (_stopped, _starts),
    "dropped and resumed": (_dropped, _resumes),
    "guild out": (_out, _returns),
}


@pytest.mark.parametrize("away", AWAY)
async def test_roles_that_change_unseen_are_marked_and_off_by_the_gap(stage: Stage, away: str) -> None:
    go, come = AWAY[away]
    scene = stage.scene
    loses, gets, keeps, lacks, both, elsewhere = scene.members[:6]
    role = scene.guild.create_role("Miner")
    for person in (loses, keeps, both, elsewhere):
        scene.guild.set_roles(person, [role])
    await require(stage, role.id)
    for person in (loses, gets, keeps, lacks, both):
        await person.join(scene.voice_channels[0])
    await elsewhere.join(scene.voice_channels[1])
    await begin(stage)
    await stage.advance(600)
    await elsewhere.move(scene.lounge)
    await stage.advance(7)
    await go(stage)
    await stage.world.clock.advance(100)
    scene.guild.set_roles(loses, [])
    scene.guild.set_roles(elsewhere, [])
    scene.guild.set_roles(gets, [role])
    await both.move(scene.voice_channels[1])
    scene.guild.set_roles(both, [])
    await stage.world.clock.advance(GAP - 100)
    await come(stage)
    back = round((stage.world.clock.now() - EVENING).total_seconds())
    await stage.advance(120)
    read = stage.runtime.db.read
    (_, since, unseen) = (await read(decisions, loses.id))[-1]
    assert unseen
    assert 607 - BEAT <= since <= 607, "until the last proof of life"
    assert await read(decisions, gets.id) == [("role", 0, False), ("counts", back, True)]
    found = await credited(stage)
    end = back + 120
    assert found.pop(keeps.id) == (end, False)
    # What happened while the member sat where no time counts makes none of it uncertain.
    assert found.pop(elsewhere.id) == (600, False)
    assert found.pop(loses.id) == (since, True)
    assert found.pop(gets.id) == (120, True)
    seconds, estimated = found.pop(both.id)
    assert estimated
    assert 607 - BEAT <= seconds <= 607
    assert found == {}, "who never held it earns nothing"


@pytest.mark.parametrize("away", ["killed", "dropped and resumed"])
async def test_a_required_role_that_is_deleted_unseen_is_asked_of_nobody_from_the_return(
    stage: Stage, away: str
) -> None:
    go, come = AWAY[away]
    scene = stage.scene
    holds, lacks = scene.members[:2]
    role = scene.guild.create_role("Miner")
    scene.guild.set_roles(holds, [role])
    await require(stage, role.id)
    for person in (holds, lacks):
        await person.join(scene.voice_channels[0])
    await begin(stage)
    await stage.advance(100)
    await go(stage)
    await stage.world.clock.advance(50)
    await scene.owner.delete_role(role)
    await stage.world.clock.advance(GAP - 50)
    await come(stage)
    back = round((stage.world.clock.now() - EVENING).total_seconds())
    await stage.advance(60)
    assert await credited(stage) == {holds.id: (back + 60, False), lacks.id: (60, True)}
