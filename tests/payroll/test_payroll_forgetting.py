"""A member who led, took part, priced and paid is forgotten: no table knows them, and every sum stands."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pypdf
import pytest
from support.all_tables import everything_stored, tables_with
from support.mining import add, participants, run, said
from support.panels import buttons_of, text_of
from test_payroll_end_to_end import GOLD, Desk, opened, posted

from core.database import GuildMembership, VoiceDay, VoiceSession, VoiceVoid, ensure_user
from core.guilds.drafts import Draft, keep_draft
from core.jobs.store import insert
from plugins.operations import participants_of
from plugins.operations.models import Operation, OperationParticipant
from plugins.payroll import Payroll, payroll_report
from sandbox.stage import Stage


@pytest.fixture
async def each_stage(database_url: str) -> AsyncIterator[Stage]:
    """The Sunday scene, on each database."""
    async with opened(database_url) as stage:
        yield stage


async def sunday(stage: Stage) -> int:
    """Hold a Sunday that the officer starts, sits in, and ends, after six hours with two others."""
    scene = stage.scene
    await add(stage, *scene.voice_channels[:2])
    await scene.officer.join(scene.voice_channels[0])
    await scene.members[0].join(scene.voice_channels[1])
    await run(stage, scene.officer, "mining start")
    await stage.advance(3600)
    await scene.members[1].join(scene.voice_channels[1])
    await stage.advance(4321)
    await run(stage, scene.officer, "mining stop")
    for person in (scene.officer, *scene.members[:2]):
        await person.leave()
    await stage.settle()
    [operation] = await stage.runtime.db.read(lambda: [row.id for row in Operation.select()])
    return int(operation)


async def pay(stage: Stage, operation: int) -> Payroll:
    desk = Desk(stage, stage.scene.officer)
    await desk.slash("payroll calculate", operation=str(operation), org_cut="7")
    await desk.choose("ores", GOLD)
    await desk.press("Quantities")
    await desk.fill(m33="1234.56")
    await desk.press("Change prices")
    await desk.fill(m33="6001")
    assert "is locked" in await desk.press("Confirm")
    await stage.settle()
    return await report(stage, operation)


async def report(stage: Stage, operation: int) -> Payroll:
    found = await stage.runtime.db.read(payroll_report, stage.scene.guild.id, operation)
    assert found is not None
    return found


def strew(guild_id: int, user_id: int, name: str, job_id: int, at: Any) -> None:
    """Put a member into the odd corners of the core's tables."""
    ensure_user(user_id, name)
    GuildMembership.create(guild_id=guild_id, user_id=user_id, is_org_member=True)
    VoiceDay.create(
        guild_id=guild_id, user_id=user_id, channel_id=4, day=at.replace(hour=0), present_us=5, stays=1
    )
    VoiceSession.create(
        id=job_id + 1, guild_id=guild_id, user_id=3, channel_id=4, joined=at, left=at, status="cancelled"
    )
    VoiceVoid.create(
        session_id=job_id + 1, guild_id=guild_id, reason=f"see <@{user_id}>", voided_by=user_id, at=at
    )
    keep_draft(guild_id, 77, user_id, Draft("operations", {"timezone": "here"}, ""), at)
    insert(
        job_id,
        plugin="payroll",
        guild_id=guild_id,
        name="old",
        key=f"of-{user_id}",
        payload={"who": user_id, "said": f"<@{user_id}>", "names": [name], "n": 5},
        due=at,
        state="done",
        last_error=f"no member {user_id}",
    )


def beside(guild_id: int, user_id: int, at: Any) -> None:
    """Have the member be known in another guild too."""
    VoiceSession.create(
        id=5, guild_id=guild_id, user_id=user_id, channel_id=9, joined=at, left=at, status="completed"
    )
    made = Operation.create(
        guild_id=guild_id,
        type="sunday",
        title="Elsewhere",
        badge="",
        status="ended",
        initiator_id=user_id,
        started_at=at,
        ended_at=at,
    )
    OperationParticipant.create(operation_id=made.id, user_id=user_id, name="Topaz", seconds=9)


async def forget(stage: Stage, person: Any, by: Any = None) -> Any:
    """Ask and confirm; the panel before, and what is said after."""
    options = {"user_id": str(person.id)} if by is not None else {}
    outcome = await stage.slash(by or person, "privacy forget", options)
    assert outcome.message is not None
    before = text_of(outcome.message)
    label = "Forget this member" if by is not None else "Forget me"
    pressed = await (by or person).click(outcome.message["id"], buttons_of(outcome.message)[label])
    await stage.settle()
    return before, text_of(pressed.message)


async def test_a_leader_is_forgotten_and_every_sum_stands(each_stage: Stage) -> None:
    stage, scene = each_stage, each_stage.scene
    officer, guild, db = scene.officer, scene.guild.id, each_stage.runtime.db
    operation = await sunday(stage)
    before = await pay(stage, operation)
    credit = sorted(each.seconds for each in await _participants(stage, operation))
    name = officer.member.nick or officer.user.global_name or officer.username
    now = stage.runtime.clock.now()
    await db.write(strew, guild, officer.id, name, stage.runtime.ids.next(), now, key=guild)
    await stage.runtime.guilds.set_settings(guild, "operations", {"timezone": "Europe/Berlin"}, officer.id)
    known = await db.read(tables_with, str(officer.id))
    assert known.keys() >= {
        "users",
        "guild_memberships",
        "voice_sessions",
        "audit_log",
        "guilds",
        "guild_plugins",
        "jobs",
        "voice_daily",
        "voice_voids",
        "operations_operation",
        "operations_participant",
        "payroll_payroll",
        "payroll_payslip",
        "payroll_ore",
    }

    asked, told = await forget(stage, officer)

    assert "Operations: " in asked
    assert "Payroll: " in asked
    assert "1 voice session" in asked
    assert "✅ Forgotten" in told
    assert await db.read(tables_with, str(officer.id)) == {}
    assert await db.read(tables_with, name) == {}
    after = await report(stage, operation)
    for amount in ("gross", "expenses", "org_cut", "fees", "payouts_total", "worth"):
        assert getattr(after, amount) == getattr(before, amount)
    figures = [
        sorted((s.seconds, s.estimated, s.gross, s.fee, s.net) for s in each.payslips)
        for each in (before, after)
    ]
    assert figures[0] == figures[1]
    assert [(o.centi_scu, o.price, o.value) for o in after.ores] == [
        (o.centi_scu, o.price, o.value) for o in before.ores
    ]
    assert sorted(each.seconds for each in await _participants(stage, operation)) == credit
    assert {after.locked_by_name, after.ores[0].overridden_by_name} == {"former member #1"}
    await check_files(stage, after)


async def check_files(stage: Stage, after: Payroll) -> None:
    outcome = await stage.slash(stage.scene.members[0], "payroll show", {"payroll": str(after.id)})
    message = await outcome.final()
    names = [attachment["filename"] for attachment in message["attachments"]]
    pdf, table = (stage.world.attachment(int(message["id"]), name) for name in names)
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    paid = [row["name"] for row in rows if row["line"] == "payslip"]
    assert "former member #1" in paid
    assert len(paid) == 3
    text = " ".join(" ".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())
    assert text.count("former member #1") >= 2


async def _participants(stage: Stage, operation: int) -> list[Any]:
    return await stage.runtime.db.read(participants_of, stage.scene.guild.id, operation)


async def test_another_guild_keeps_what_it_knows(each_stage: Stage) -> None:
    stage, scene = each_stage, each_stage.scene
    officer, db = scene.officer, each_stage.runtime.db
    await pay(stage, await sunday(stage))
    other = scene.second_guild.id
    await db.write(beside, other, officer.id, stage.runtime.clock.now(), key=other)
    _asked, told = await forget(stage, officer, by=scene.owner)
    assert "✅ Forgotten" in told
    left = await db.read(tables_with, str(officer.id))
    assert {table: len(rows) for table, rows in left.items()} == {
        "users": 1,
        "voice_sessions": 1,
        "operations_operation": 1,
        "operations_participant": 1,
    }
    stored = await db.read(everything_stored)
    assert any("member.forget" in row and str(scene.owner.id) in row for row in stored["audit_log"])


async def test_not_while_they_sit_or_mine(each_stage: Stage) -> None:
    stage, scene = each_stage, each_stage.scene
    quartz = scene.members[0]
    await add(stage, scene.voice_channels[0])
    await quartz.join(scene.voice_channels[0])
    await run(stage, scene.officer, "mining start")
    await stage.advance(600)
    refused = said(await stage.slash(quartz, "privacy forget"))
    assert "sits in a voice channel that is recorded" in refused
    assert "Leave voice first" in refused
    await quartz.leave()
    await stage.advance(timedelta(minutes=1).total_seconds())
    refused = said(await stage.slash(quartz, "privacy forget"))
    assert "takes part in Sunday Mining" in refused
    assert "/mining stop" in refused
    await run(stage, scene.officer, "mining stop")
    _asked, told = await forget(stage, quartz)
    assert "✅ Forgotten" in told
    [only] = await participants(stage)
    assert (only.name, only.seconds) == ("former member #1", 600)
    assert posted(stage) == []
