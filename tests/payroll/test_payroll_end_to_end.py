"""The whole way of a payroll through the real client: slash command, selects, forms, restart, PDF and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pypdf
import pytest
from payroll_cases import insert_operation
from support.openapi_judge import attach

from plugins.payroll import Payroll, payroll_report, store
from plugins.payroll.models import PayrollRow
from plugins.payroll.words import auec, hms
from sandbox.server import Outcome, Person
from sandbox.stage import Stage, open_stage

GOLD, AGRICIUM = "33", "1"


class Desk:
    """An officer in front of the newest message of the bot that only they see."""

    def __init__(self, stage: Stage, officer: Person) -> None:
        self.stage, self.officer = stage, officer
        self.panel: dict[str, Any] = {}
        self.form: Outcome | None = None

    async def slash(self, command: str, **options: Any) -> str:
        return self._took(await self.stage.slash(self.officer, command, options))

    async def choose(self, action: str, *values: str) -> str:
        return self._took(await self.officer.choose(self._message(), self._id(action), list(values)))

    async def press(self, label: str) -> str:
        [found] = [part["custom_id"] for part in self.parts() if part.get("label") == label]
        return self._took(await self.officer.click(self._message(), found))

    async def fill(self, **values: str) -> str:
        assert self.form is not None
        assert self.form.interaction_id is not None
        fields = {name.removeprefix("m").replace("_", "-"): value for name, value in values.items()}
        return self._took(await self.officer.submit(self.form.interaction_id, fields))

    def parts(self) -> list[dict[str, Any]]:
        return list(walk(self.panel.get("components", [])))

    def labels(self) -> list[str]:
        return [part["label"] for part in self.parts() if part["type"] == 2 and not part.get("disabled")]

    def fields(self) -> dict[str, str]:
        assert self.form is not None
        assert self.form.modal is not None
        inputs = [part for part in walk(self.form.modal["components"]) if part["type"] == 4]
        return {part["custom_id"]: part.get("value") or "" for part in inputs}

    def _took(self, outcome: Outcome) -> str:
        if outcome.kind == "modal":
            self.form = outcome
            return ""
        assert outcome.message is not None, outcome.kind
        words = "\n".join(
            [outcome.message.get("content") or ""]
            + [part["content"] for part in walk(outcome.message.get("components", [])) if part["type"] == 10]
        )
        if outcome.message.get("components"):
            self.panel = outcome.message
        return words

    def _message(self) -> int:
        return int(self.panel["id"])

    def _id(self, action: str) -> str:
        ids = [part["custom_id"] for part in self.parts() if "custom_id" in part]
        [found] = [each for each in ids if each.startswith(f"payroll:{action}:")]
        return str(found)


def walk(parts: Any) -> Any:
    """Every component, however deep."""
    for part in parts:
        yield part
        yield from walk(part.get("components", []))
        if "component" in part:
            yield from walk([part["component"]])


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Stage]:
    """The Sunday scene with a bot; whatever bot and sandbox say is judged by Discord's description."""
    async with open_stage(url, members=4) as stage:
        findings = attach(stage.world)
        await stage.start_bot()
        yield stage
        assert findings == []


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as stage:
        yield stage


@pytest.fixture
async def each_stage(database_url: str) -> AsyncIterator[Stage]:
    """The same on each database."""
    async with opened(database_url) as stage:
        yield stage


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage, stage.scene.officer)


async def ended(stage: Stage, *seconds: int, status: str = "ended", names: tuple[str, ...] = ()) -> int:
    """Return the id of an operation that was held in the stage's guild."""
    guild_id = stage.scene.guild.id
    return await stage.runtime.db.write(insert_operation, guild_id, seconds, status, names, key=guild_id)


async def report_of(stage: Stage, operation: int) -> Payroll | None:
    return await stage.runtime.db.read(payroll_report, stage.scene.guild.id, operation)


def posted(stage: Stage) -> list[dict[str, Any]]:
    return [message for message in stage.world.messages(stage.scene.text.id) if message["attachments"]]


async def locked(stage: Stage, desk: Desk, operation: int) -> Payroll:
    """Walk the short way: one ore, confirm."""
    await desk.slash("payroll calculate", operation=str(operation))
    await desk.choose("ores", GOLD)
    await desk.press("Quantities")
    await desk.fill(m33="100")
    assert "is locked" in await desk.press("Confirm")
    await stage.settle()
    found = await report_of(stage, operation)
    assert found is not None
    return found


async def test_from_event_to_files_with_a_restart_between_the_steps(each_stage: Stage) -> None:
    stage, desk = each_stage, Desk(each_stage, each_stage.scene.officer)
    operation = await ended(stage, 7200, 3600, 1800, 61, names=("quartz", "=SUM(A1)", "Łukasz", "日本太郎"))
    assert "Pick the event" in await desk.slash("payroll calculate", org_cut="12,5")
    words = await desk.choose("event", str(operation))
    assert "org cut 12.5 %" in words
    words = await desk.choose("ores", GOLD, AGRICIUM)
    assert "Gold: not entered yet" in words
    assert "Preview" not in desk.labels()
    await stage.kill_bot()
    await stage.start_bot()
    await desk.press("Quantities")
    assert desk.fields() == {GOLD: "", AGRICIUM: ""}
    words = await desk.fill(m33="1.234", m1="-7")
    assert "“1.234” has more than two decimals" in words
    assert "“-7” is negative" in words
    await stage.kill_bot()
    await stage.start_bot()
    await desk.press("Quantities")
    assert desk.fields() == {GOLD: "1.234", AGRICIUM: "-7"}
    words = await desk.fill(m33="1 234,5", m1="10")
    assert "7,231,701" in words
    assert "offline sample, Sep 2025" in words
    assert "≈ 1:00:00" in words
    await desk.press("Change prices")
    assert desk.fields() == {GOLD: "5858", AGRICIUM: "2349"}
    words = await desk.fill(m33="6000", m1="2349")
    assert f"typed by <@{desk.officer.id}>: Gold" in words
    words = await desk.press("Confirm")
    assert "is locked" in words
    await stage.settle()
    sheet = await report_of(stage, operation)
    assert sheet is not None
    assert sheet.gross == 6000 * 1234 + 3000 + 23_490
    assert sheet.expenses + sheet.org_cut + sheet.fees + sheet.payouts_total == sheet.gross
    [message] = posted(stage)
    assert message["embeds"][0]["title"] == f"Payroll {sheet.id}: Sunday Mining - 2026-03-01"
    names = [attachment["filename"] for attachment in message["attachments"]]
    assert names == [f"payroll-{sheet.id}.pdf", f"payroll-{sheet.id}.csv"]
    pdf, table = (stage.world.attachment(int(message["id"]), name) for name in names)
    check_pdf(pdf, sheet)
    check_csv(table, sheet)


def check_pdf(pdf: bytes, sheet: Payroll) -> None:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    text = "\n".join(page.extract_text() for page in pages)
    for amount in (sheet.gross, sheet.org_cut, sheet.fees, sheet.payouts_total):
        assert auec(amount) in text
    flat = " ".join(text.split())
    for slip in sheet.payslips:
        line = f"{hms(slip.seconds)} [0-9.]+ % {auec(slip.gross)} {auec(slip.fee)} {auec(slip.net)}"
        assert re.search(line, flat), line


def check_csv(table: bytes, sheet: Payroll) -> None:
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    slips = [row for row in rows if row["line"] == "payslip"]
    assert [int(row["net_auec"]) for row in slips] == [slip.net for slip in sheet.payslips]
    assert [row["name"] for row in slips] == ["quartz", "'=SUM(A1)", "Łukasz", "日本太郎"]
    sums = {row["line"]: row for row in rows if row["line"] != "payslip"}
    assert int(sums["gross"]["gross_auec"]) == sheet.gross
    assert int(sums["org_cut"]["gross_auec"]) == sheet.org_cut
    assert int(sums["payouts"]["net_auec"]) == sheet.payouts_total


async def test_many_ores_take_several_forms(stage: Stage, desk: Desk) -> None:
    operation = await ended(stage, 60)
    await desk.slash("payroll calculate", operation=str(operation))
    select = next(part for part in desk.parts() if part["type"] == 3)
    values = [option["value"] for option in select["options"]]
    assert len(values) == 25
    await desk.choose("ores", *values[:6])
    words = await desk.press("More ores")
    torite = next(
        option["value"]
        for part in desk.parts()
        if part["type"] == 3
        for option in part["options"]
        if option["label"] == "Torite"
    )
    await desk.choose("ores", torite)
    assert [label for label in desk.labels() if label.startswith("Quant")] == [
        "Quantities 1-5",
        "Quantities 6-7",
    ]
    await desk.press("Quantities 1-5")
    first = list(desk.fields())
    assert first == values[:5]
    words = await desk.fill(**{f"m{name.replace('-', '_')}": "1" for name in first})
    assert "Now enter the quantities" in words
    await desk.press("Quantities 6-7")
    words = await desk.fill(**{f"m{values[5].replace('-', '_')}": "", f"m{torite.replace('-', '_')}": "2"})
    assert "No price is known for Torite" in words
    assert "Confirm" not in desk.labels()
    await desk.press("Change prices")
    [missing] = [part["label"] for part in desk.parts() if part.get("label", "").startswith("Torite")]
    await desk.press(missing)
    words = await desk.fill(**{f"m{torite.replace('-', '_')}": "12.5"})
    assert "“12.5” is not a whole price above zero" in words
    await desk.press("Change prices")
    await desk.press(missing)
    assert desk.fields() == {torite: "12.5"}
    words = await desk.fill(**{f"m{torite.replace('-', '_')}": "12"})
    assert "Confirm" in desk.labels()
    await desk.press("Edit quantities")
    assert "Quantities 1-5" in desk.labels()
    await desk.press("Preview")
    await desk.press("Confirm")
    sheet = await report_of(stage, operation)
    assert sheet is not None
    assert [line.value for line in sheet.ores if line.name == "Torite"] == [24]


async def test_of_two_officers_one_wins(stage: Stage, desk: Desk) -> None:
    operation = await ended(stage, 60)
    owner = Desk(stage, stage.scene.owner)
    for each in (desk, owner):
        await each.slash("payroll calculate", operation=str(operation))
        await each.choose("ores", GOLD)
        await each.press("Quantities")
        await each.fill(m33="1")
    assert "is locked" in await desk.press("Confirm")
    words = await owner.press("Confirm")
    sheet = await report_of(stage, operation)
    assert sheet is not None
    assert f"already paid: <@{desk.officer.id}> locked payroll {sheet.id}" in words
    assert "already paid" in await desk.slash("payroll calculate", operation=str(operation))
    assert "No event is waiting" in await desk.slash("payroll calculate")
    await stage.settle()
    assert len(posted(stage)) == 1


async def test_what_cannot_be_paid_is_refused_in_words(stage: Stage, desk: Desk) -> None:
    nobody, zero = await ended(stage), await ended(stage, 0, 0)
    running, good = await ended(stage, 60, status="active"), await ended(stage, 60)
    cases: list[tuple[dict[str, str], str]] = [
        ({"operation": str(nobody)}, "Nobody has any credited time"),
        ({"operation": str(zero)}, "Nobody has any credited time"),
        ({"operation": str(running)}, "has not ended yet"),
        ({"operation": "moonday"}, "no ended event called “moonday”"),
        ({"operation": "9" * 30}, "no ended event called"),
        ({"operation": str(good), "org_cut": "101"}, "“101” is not a percentage"),
        ({"operation": str(good), "org_cut": "ten"}, "“ten” is not a percentage"),
    ]
    for options, words in cases:
        assert words in await desk.slash("payroll calculate", **options)
    assert await stage.runtime.db.read(lambda: PayrollRow.select().count()) == 0
    assert "no payroll here yet" in await desk.slash("payroll show")


async def test_autocomplete_offers_what_waits(stage: Stage, desk: Desk) -> None:
    operation = await ended(stage, 60)
    typed = {"operation": "sunday"}
    offered = await desk.officer.autocomplete(
        "payroll calculate", channel=stage.scene.text, options=typed, focused="operation"
    )
    assert offered.choices == [
        {"name": "📅 Sunday Mining - 2026-03-01 (2026-03-01 18:00 UTC)", "value": str(operation)}
    ]
    await locked(stage, desk, operation)
    offered = await desk.officer.autocomplete(
        "payroll calculate", channel=stage.scene.text, options=typed, focused="operation"
    )
    assert offered.choices == []


async def test_cancel_throws_the_draft_away(stage: Stage, desk: Desk) -> None:
    operation = await ended(stage, 60)
    await desk.slash("payroll calculate", operation=str(operation))
    assert "thrown away" in await desk.press("Cancel")
    assert await report_of(stage, operation) is None


async def test_only_officers_calculate_and_everybody_may_look(stage: Stage, desk: Desk) -> None:
    member = stage.scene.members[0]
    operation = await ended(stage, 60)
    refused = await stage.slash(member, "payroll calculate")
    assert refused.message is not None
    assert "officer" in str(refused.message["content"]).lower()
    sheet = await locked(stage, desk, operation)
    outcome = await stage.slash(member, "payroll show", {"payroll": str(sheet.id)})
    message = await outcome.final()
    assert [attachment["filename"] for attachment in message["attachments"]] == [
        f"payroll-{sheet.id}.pdf",
        f"payroll-{sheet.id}.csv",
    ]


async def test_a_post_that_could_not_be_noted_is_found_again(
    stage: Stage, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, calls = store.note_post, []

    def fails_once(guild_id: int, payroll_id: int, message_id: int) -> None:
        calls.append(message_id)
        if len(calls) == 1:
            raise ConnectionError("the database went away just now")
        note(guild_id, payroll_id, message_id)

    monkeypatch.setattr(store, "note_post", fails_once)
    sheet = await locked(stage, desk, await ended(stage, 60))
    [message] = posted(stage)
    assert sheet.message_id is None
    await stage.advance(10)
    assert len(posted(stage)) == 1
    found = await report_of(stage, sheet.operation_id)
    assert found is not None
    assert found.message_id == int(message["id"])
    assert calls == [int(message["id"])] * 2
