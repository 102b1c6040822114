"""All of a member's voice time, folded or not, and why it counts, through the real client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.mining import add, run, said
from support.openapi_judge import attach

from core.database import VoiceSession
from plugins.operations import store
from sandbox.server import Outcome
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, plugins=OWN_PLUGINS, start=EVENING, members=4) as stage:
        await stage.start_bot()
        yield stage


async def shown(outcome: Outcome) -> tuple[list[str], dict[str, str]]:
    message = await outcome.final()
    assert message["flags"] & 64
    (embed,) = message["embeds"]
    fields = {each["name"]: each["value"] for each in embed.get("fields", ())}
    return str(embed["description"]).splitlines(), fields


def long_ago(guild: int, user: int, channel: int, *, number: int, days: float, hours: float) -> None:
    joined = EVENING - timedelta(days=days)
    VoiceSession.create(
        id=number,
        guild_id=guild,
        user_id=user,
        channel_id=channel,
        joined=joined,
        left=joined + timedelta(hours=hours),
        status="completed",
        deafened_us=60_000_000,
    )


def stamp(seconds: float, style: str = "f") -> str:
    return f"<t:{int((EVENING + timedelta(seconds=seconds)).timestamp())}:{style}>"


async def test_folded_time_is_not_lost_for_members(stage: Stage) -> None:
    scene, runtime = stage.scene, stage.runtime
    quartz, beryl, garnet = scene.members[:3]
    guild, alpha = scene.guild.id, scene.voice_channels[0]
    for number, days in enumerate((200, 150, 20), start=1):
        await runtime.db.write(
            long_ago, guild, quartz.id, scene.lounge.id, number=number, days=days, hours=2, key=guild
        )
    await runtime.db.write(long_ago, guild, beryl.id, 77, number=4, days=99, hours=30, key=guild)
    # Before there ever was an operation.
    lines, fields = await shown(await run(stage, beryl, "voice me"))
    assert lines == [f"**<@{beryl.id}>**", "There has been no operation here yet."]
    assert fields == {
        "All voice time here": "**30 h 0 min** · 1 stay\ndeafened 1 min\na channel that is gone · 30 h 0 min"
    }
    assert "There has been no operation here yet." in said(await run(stage, garnet, "voice me"))
    await add(stage, alpha)
    await run(stage, scene.officer, "mining start")
    await quartz.join(alpha)
    await stage.advance(1800)

    async def mine() -> list[str]:
        _lines, found = await shown(await run(stage, quartz, "voice me"))
        assert found["Credited"] == "30 min"
        return found["All voice time here"].splitlines()

    before = await mine()
    assert before == [
        "**6 h 30 min** · 4 stays",
        "deafened 3 min",
        f"<#{scene.lounge.id}> · 6 h 0 min",
        f"<#{alpha.id}> · 30 min",
    ]
    await runtime.retention.set_days(guild, 90, scene.owner.id)
    assert await runtime.retention.fold(guild, 90)
    assert await mine() == [*before, "Older than 90 days: 4 h 0 min, kept as daily sums."]
    await runtime.retention.set_days(guild, 0, scene.owner.id)
    day = int(datetime(2026, 4, 10, tzinfo=UTC).timestamp())
    assert await mine() == [*before, f"Before <t:{day}:D>: 4 h 0 min, kept as daily sums."]
    lines, fields = await shown(await run(stage, scene.officer, "voice member", member=str(beryl.id)))
    assert lines[0] == f"**<@{beryl.id}>**"
    assert "has not sat in a tracked channel" in lines[1]
    assert fields["All voice time here"].startswith("**30 h 0 min** · 1 stay\n")


async def test_an_officer_sees_why_time_counts_or_does_not(stage: Stage) -> None:
    scene, runtime = stage.scene, stage.runtime
    quartz, beryl = scene.members[:2]
    guild = scene.guild.id
    role = scene.guild.create_role("Verified")
    await runtime.guilds.set_settings(guild, "operations", {"required_role_id": role.id}, None)
    await stage.settle()
    alpha, bravo = scene.voice_channels[:2]
    await add(stage, alpha)
    await run(stage, scene.officer, "mining start")
    begun = runtime.clock.now()
    await quartz.join(alpha)
    await stage.advance(600)
    await scene.owner.give_role(quartz, role)
    await stage.settle()
    await stage.advance(600)
    await quartz.move(bravo)
    await stage.advance(300)
    await add(stage, bravo)
    await stage.advance(300)

    async def why() -> list[str]:
        lines, _fields = await shown(await run(stage, scene.officer, "voice why", member=str(quartz.id)))
        return lines

    at = (begun - EVENING).total_seconds()
    counts = "counts"
    untracked = "the channel does not count for the operation"
    expected = [
        "**Why Quartz's time counts or does not**",
        "The operation ran:",
        f"1. since {stamp(at)}, 30 min so far",
        "",
        f"**<#{alpha.id}>** {stamp(at)}–{stamp(at + 1200, 't')}",
        "10 min of 20 min counted",
        f"❌ {stamp(at, 'T')} the required role is missing",
        f"✅ {stamp(at + 600, 'T')} {counts}",
        "",
        f"**<#{bravo.id}>** since {stamp(at + 1200)}",
        "5 min of 10 min counted",
        f"❌ {stamp(at + 1200, 'T')} {untracked}",
        f"✅ {stamp(at + 1500, 'T')} {counts}",
    ]
    assert await why() == expected
    absent = said(await run(stage, scene.officer, "voice why", member=str(beryl.id)))
    assert "was not in voice while Sunday Mining" in absent
    assert "officer" in said(await run(stage, quartz, "voice why", member=str(quartz.id)))

    # Edited windows and a void show in it too.
    await run(stage, scene.officer, "mining stop")
    [operation] = await runtime.db.read(store.payable_operations, guild)
    asked = await run(stage, scene.officer, "operation pause", start="30 min ago", end="10 min ago")
    ((button,),) = [row["components"] for row in (await asked.final())["components"]]
    await scene.officer.click((await asked.final())["id"], button["custom_id"])
    await stage.settle()
    history = await runtime.db.read(store.history, guild, operation.id, quartz.id, runtime.clock.now())
    assert history is not None
    first = history.sessions[0].session
    await runtime.db.write(
        store.void, guild, first.id, scene.officer.id, "*asleep*", at=runtime.clock.now(), names={}, key=guild
    )
    after = await why()
    assert "0 s of 20 min counted" in after
    assert "❌ voided: \\*asleep\\*" in after
    closed = f"❌ {stamp(at + 1800, 'T')} outside the operation's windows"
    assert closed in after
    assert after[-4:] == [*expected[-4:-3], "5 min of 10 min counted", *expected[-2:]]


async def test_a_role_change_that_nobody_saw_says_so(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with open_stage(url, plugins=OWN_PLUGINS, start=EVENING, members=4) as stage:
        await stage.start_bot()
        scene = stage.scene
        quartz, role = scene.members[0], scene.guild.create_role("Verified")
        needed = {"required_role_id": role.id}
        await stage.runtime.guilds.set_settings(scene.guild.id, "operations", needed, None)
        await add(stage, scene.voice_channels[0])
        await run(stage, scene.officer, "mining start")
        await quartz.join(scene.voice_channels[0])
        await stage.advance(300)
        await stage.kill_bot()
        scene.guild.set_roles(quartz, [role])
        await stage.advance(30)
        await stage.start_bot()
        await stage.settle()
        lines, _fields = await shown(await run(stage, scene.officer, "voice why", member=str(quartz.id)))
        assert any(line.endswith("the required role is missing") for line in lines)
        [told] = [line for line in lines if line.startswith("✅")]
        assert "counts; ≈ I was offline when the roles changed, at some time since <t:" in told


async def test_many_sessions_turn_pages(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with open_stage(url, plugins=OWN_PLUGINS, start=EVENING, members=4) as stage:
        findings = attach(stage.world)
        await stage.start_bot()
        scene = stage.scene
        await add(stage, *scene.voice_channels[:2])
        await run(stage, scene.officer, "mining start")
        await scene.members[0].join(scene.voice_channels[0])
        for number in range(1, 15):
            await stage.advance(60)
            await scene.members[0].move(scene.voice_channels[number % 2])
        outcome = await run(stage, scene.officer, "voice why", member=str(scene.members[0].id))
        message = await outcome.final()
        assert message["embeds"][0]["footer"]["text"].startswith("Page 1 of 3 · ✅: ")
        _previous, following = message["components"][0]["components"]
        turned = await scene.officer.click(message["id"], following["custom_id"])
        await stage.settle()
        message = await turned.final()
        assert message["embeds"][0]["footer"]["text"].startswith("Page 2 of 3")
        assert message["embeds"][0]["description"].count("counted\n") == 6
        assert findings == []
