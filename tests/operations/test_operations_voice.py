"""Required roles and /voice through the real client on a sandbox, on both databases."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image
from support.mining import add, participants, run, said
from support.openapi_judge import attach

from core.database import AuditEntry, VoiceSession
from plugins.operations import running_operations, set_payroll_processed
from plugins.operations.models import Operation, OperationSession
from sandbox.server import Outcome, Person
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)


@asynccontextmanager
async def opened(url: str, members: int = 8) -> AsyncIterator[Stage]:
    async with open_stage(url, plugins=OWN_PLUGINS, start=EVENING, members=members) as stage:
        await stage.start_bot()
        yield stage


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with opened(database_url) as found:
        yield found


async def require(stage: Stage, role_id: int | None) -> None:
    guild = stage.scene.guild.id
    await stage.runtime.guilds.set_settings(guild, "operations", {"required_role_id": role_id}, None)
    await stage.settle()


async def begin(stage: Stage) -> None:
    await add(stage, *stage.scene.voice_channels[:3])
    await run(stage, stage.scene.officer, "mining start")


async def credited(stage: Stage) -> dict[int, int]:
    await run(stage, stage.scene.officer, "mining stop")
    return {each.user_id: each.seconds for each in await participants(stage)}


def decisions(user_id: int) -> list[tuple[str, bool]]:
    rows: Any = OperationSession.select().where(OperationSession.user_id == user_id)
    return [
        (row.reason, row.linked) for row in rows.order_by(OperationSession.session_id, OperationSession.since)
    ]


async def told(outcome: Outcome) -> dict[str, Any]:
    message = await outcome.final()
    assert message["flags"] & 64
    (embed,) = message["embeds"]
    return dict(embed)


def fields(embed: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in embed["fields"]}


async def sessions_of(stage: Stage, person: Person, command: str) -> list[dict[str, Any]]:
    outcome = await person.autocomplete(
        command,
        stage.scene.text,
        {"member": str(stage.scene.members[0].id), "session": ""},
        focused="session",
    )
    assert outcome.choices is not None
    return outcome.choices


async def test_a_role_granted_and_taken_while_in_voice(stage: Stage) -> None:
    scene = stage.scene
    role = scene.guild.create_role("Verified")
    quartz, beryl, garnet, agate = scene.members[:4]
    scene.guild.set_roles(quartz, [role])
    await require(stage, role.id)
    await quartz.join(scene.voice_channels[1])
    await beryl.join(scene.voice_channels[1])
    await begin(stage)
    await garnet.join(scene.voice_channels[2])
    await stage.advance(600)
    await scene.owner.give_role(beryl, role)
    await stage.settle()
    await stage.advance(300)
    await scene.owner.take_role(quartz, role)
    await stage.settle()
    await stage.advance(300)
    await scene.owner.give_role(quartz, role)
    await agate.join(scene.lounge)
    await stage.settle()
    await stage.advance(120)
    await quartz.move(scene.voice_channels[0])
    await stage.advance(60)

    shown = await told(await run(stage, scene.officer, "voice operation"))
    assert shown["description"].splitlines()[2] == "3. Garnet · no time: the required role was missing"
    assert await credited(stage) == {quartz.id: 900 + 180, beryl.id: 780}
    read = stage.runtime.db.read
    counts, lacks, elsewhere = ("counts", True), ("role", False), ("untracked", False)
    assert await read(decisions, quartz.id) == [counts, lacks, counts, counts]
    assert await read(decisions, beryl.id) == [lacks, counts]
    assert await read(decisions, garnet.id) == [lacks]
    assert await read(decisions, agate.id) == [elsewhere]


async def test_roles_that_change_while_the_bot_is_away_and_a_setting_that_changes(stage: Stage) -> None:
    scene = stage.scene
    role = scene.guild.create_role("Verified")
    quartz, beryl = scene.members[:2]
    await begin(stage)
    await quartz.join(scene.voice_channels[1])
    await stage.advance(600)
    await require(stage, role.id)
    await stage.advance(60)
    await stage.kill_bot()
    scene.guild.set_roles(quartz, [role])
    await stage.advance(30)
    await stage.start_bot()
    await beryl.join(scene.voice_channels[1])
    await stage.advance(100)
    await require(stage, None)
    await stage.advance(40)
    assert await credited(stage) == {quartz.id: 600 + 140, beryl.id: 40}
    read = stage.runtime.db.read
    assert await read(decisions, quartz.id) == [("counts", True), ("role", False), ("counts", True)]


async def test_a_channel_that_comes_and_goes_is_decided_on_while_somebody_sits_there(stage: Stage) -> None:
    scene = stage.scene
    quartz = scene.members[0]
    await begin(stage)
    await quartz.join(scene.voice_channels[4])
    await stage.advance(100)
    await add(stage, scene.voice_channels[4])
    await stage.advance(200)
    await run(stage, scene.officer, "mining channels remove", channel=str(scene.voice_channels[4].id))
    await stage.advance(300)
    assert await credited(stage) == {quartz.id: 200}
    found = await stage.runtime.db.read(decisions, quartz.id)
    assert found == [("untracked", False), ("counts", True), ("untracked", False)]


async def test_a_required_role_that_is_gone_takes_nobodys_time(stage: Stage) -> None:
    scene = stage.scene
    role = scene.guild.create_role("Verified")
    await require(stage, role.id)
    scene.guild.delete_role(role)
    await begin(stage)
    await scene.members[0].join(scene.voice_channels[1])
    await stage.advance(60)
    assert await credited(stage) == {scene.members[0].id: 60}


async def test_what_members_and_officers_see(stage: Stage) -> None:
    scene = stage.scene
    quartz, beryl, garnet = scene.members[:3]
    said_first = said(await run(stage, quartz, "voice me"))
    assert "There has been no operation here yet." in said_first
    await begin(stage)
    await quartz.join(scene.voice_channels[0])
    await beryl.join(scene.voice_channels[1])
    await stage.advance(720)
    await quartz.move(scene.voice_channels[1])
    await quartz.set_voice(self_deaf=True)
    await stage.advance(480)
    await quartz.set_voice(self_deaf=False)

    mine = await told(await run(stage, quartz, "voice me"))
    assert mine["title"] == "📅 Sunday Mining - 2026-09-06"
    first, second = scene.voice_channels[:2]
    assert f"<#{first.id}> · 12 min" in mine["description"]
    assert f"<#{second.id}> · 8 min" in mine["description"]
    shown = fields(mine)
    assert (shown["Credited"], shown["Of the operation"], shown["Deafened"]) == ("20 min", "100 %", "40 %")
    assert shown["Last seen"] == f"is in <#{second.id}> now"
    await beryl.leave()
    await stage.advance(1200)
    await run(stage, scene.officer, "mining stop")

    assert "has not sat" not in str(
        await told(await run(stage, scene.officer, "voice member", member=str(beryl.id)))
    )
    absent = said(await run(stage, scene.officer, "voice member", member=str(garnet.id)))
    assert "has not sat in a tracked channel" in absent
    assert "have not sat" in said(await run(stage, garnet, "voice me"))

    sums = await told(await run(stage, garnet, "voice operation"))
    assert "Quartz" not in str(sums)
    assert fields(sums) == {"Duration": "40 min", "Members": "2", "Time together": "1 h 0 min"}
    outcome = await run(stage, scene.officer, "voice operation", operation="#1")
    everybody = await told(outcome)
    assert everybody["description"].splitlines() == [
        "1. Quartz · 40 min · 100 % · deafened 20 %",
        "2. Beryl · 20 min · 50 %",
    ]
    message = await outcome.final()
    (attached,) = message["attachments"]
    picture = Image.open(io.BytesIO(stage.world.attachment(int(message["id"]), attached["filename"])))
    assert (picture.format, picture.width) == ("PNG", 1280)
    assert everybody["image"]["url"].endswith("timeline.png")
    for wrong in ("#99", "Monday Mining", "9" * 400):
        refused = said(await run(stage, quartz, "voice me", operation=wrong))
        assert "Pick one from the list" in refused
    offered = await quartz.autocomplete("voice me", scene.text, {"operation": "sund"}, focused="operation")
    assert [each["value"] for each in offered.choices or []] == ["1"]


async def test_pages_turn_after_a_restart(stage: Stage) -> None:
    scene = stage.scene
    quartz = scene.members[0]
    await begin(stage)
    await quartz.join(scene.voice_channels[0])
    for number in range(44):
        await stage.advance(60)
        await quartz.move(scene.voice_channels[(number + 1) % 3])
    message = await (await run(stage, quartz, "voice me")).final()
    assert "Page 1 of 3" in message["embeds"][0]["footer"]["text"]
    await stage.kill_bot()
    await stage.start_bot()
    for label, page in (("Next page", 2), ("Next page", 3), ("Previous", 2)):
        (row,) = message["components"]
        [button] = [each for each in row["components"] if each["label"] == label]
        assert not button.get("disabled")
        turned = await quartz.click(message["id"], button["custom_id"])
        await stage.settle()
        message = await turned.final()
        assert f"Page {page} of 3" in message["embeds"][0]["footer"]["text"]


async def test_a_void_is_asked_for_done_and_taken_back(stage: Stage) -> None:
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    await begin(stage)
    await quartz.join(scene.voice_channels[1])
    await beryl.join(scene.voice_channels[1])
    await stage.advance(600)
    await quartz.move(scene.voice_channels[2])
    await stage.advance(300)
    # One while it runs, and one after it has ended.
    long, short = (await sessions_of(stage, scene.officer, "voice void"))[::-1]
    assert long["name"] == f"2026-09-06 18:00 · {scene.voice_channels[1].name} · 10 min"
    assert short["name"].endswith("goes on")

    async def void(session: str, reason: str = "asleep *all* evening") -> str:
        asked = await (
            await run(
                stage, scene.officer, "voice void", member=str(quartz.id), session=session, reason=reason
            )
        ).final()
        if not asked["embeds"]:
            return str(asked["content"])
        (row,) = asked["components"]
        pressed = await scene.officer.click(asked["id"], row["components"][0]["custom_id"])
        await stage.settle()
        return str((await pressed.final())["content"])

    assert "its credit follows" in await void(short["value"])
    await stage.advance(100)
    await run(stage, scene.officer, "mining stop")
    assert {each.user_id: each.seconds for each in await participants(stage)} == {
        beryl.id: 1000,
        quartz.id: 600,
    }
    assert "computed anew" in await void(long["value"])
    assert {each.user_id: each.seconds for each in await participants(stage)} == {beryl.id: 1000}
    assert "void already" in await void(long["value"])
    entries = await stage.runtime.db.read(
        lambda: [row.after["reason"] for row in AuditEntry.select().where(AuditEntry.action == "voice.void")]
    )
    assert entries == ["asleep *all* evening"] * 2

    async def unvoid(session: str) -> str:
        options = {"member": str(quartz.id), "session": session}
        return said(await run(stage, scene.officer, "voice unvoid", **options))

    assert [each["value"] for each in await sessions_of(stage, scene.officer, "voice unvoid")] == [
        short["value"],
        long["value"],
    ]
    assert "It counts again" in await unvoid(short["value"])
    assert {each.user_id: each.seconds for each in await participants(stage)} == {
        beryl.id: 1000,
        quartz.id: 400,
    }
    assert "is not void" in await unvoid(short["value"])
    # Once it is paid, nothing moves any more.
    guild = scene.guild.id
    [operation] = await stage.runtime.db.read(lambda: [row.id for row in Operation.select()])
    await stage.runtime.db.write(set_payroll_processed, guild, operation, True, key=guild)
    assert "payroll is locked" in await unvoid(long["value"])
    assert "payroll is locked" in await void(short["value"])
    assert "no such voice session" in await void("9" * 5000)
    assert "no such voice session" in await void("77")
    assert "nothing but spaces" in await void(short["value"], "   ")
    for person in (beryl,):
        options = {"member": str(quartz.id), "session": short["value"], "reason": "no"}
        refused = said(await run(stage, person, "voice void", **options))
        assert "officer" in refused
    statuses = await stage.runtime.db.read(
        lambda: sorted(row.status for row in VoiceSession.select().where(VoiceSession.user_id == quartz.id))
    )
    assert statuses == ["active", "cancelled"]


async def test_nothing_of_it_breaks_discords_rules(tmp_path: Any) -> None:
    """Seventy members, so two pages of pictures, judged by Discord's own description."""
    async with opened(f"sqlite:///{tmp_path / 'bot.sqlite3'}", members=70) as stage:
        findings = attach(stage.world)
        scene = stage.scene
        await begin(stage)
        for number, person in enumerate(scene.members):
            await person.join(scene.voice_channels[number % 3])
        await stage.advance(1800)
        assert len(await stage.runtime.db.read(running_operations, scene.guild.id)) == 1
        message = await (await run(stage, scene.officer, "voice operation")).final()
        assert "Page 1 of 2" in message["embeds"][0]["footer"]["text"]
        assert message["embeds"][0]["description"].count("\n") == 59
        previous, following = message["components"][0]["components"]
        assert previous["disabled"]
        turned = await scene.officer.click(message["id"], following["custom_id"])
        await stage.settle()
        message = await turned.final()
        assert message["embeds"][0]["description"].startswith("61. ")
        assert len(message["attachments"]) == 1
        assert findings == []
