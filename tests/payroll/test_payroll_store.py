"""Drafts and locking on both databases: nothing lost, nothing twice, nothing that does not add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.clock import SteppedClock
from core.database import Database, JobRow, Schema, drift, migrate_down, migrate_up
from plugins.operations import get_operation, payable_operations
from plugins.payroll import payroll_report, register_schema, store
from plugins.payroll.models import OreRow, PayrollRow
from plugins.payroll.rules.report import Payroll
from plugins.payroll.rules.split import NobodyToPay
from plugins.payroll.store import locking
from redlegion.database import IntegrityError

GUILD = 1001
GOLD, AGRICIUM, TITANIUM = 33, 1, 75
NewId = Callable[[], int]


class Office:
    """An officer at the draft."""

    def __init__(self, database: Database, new_id: NewId, now: datetime, officer: int = 7) -> None:
        self.database, self.new_id, self.now, self.officer = database, new_id, now, officer

    async def draft(self, operation_id: int, **options: Any) -> Payroll:
        given = {
            "form": "refined",
            "org_cut_bp": 1000,
            "fee_bp": 50,
            "created_by": self.officer,
            "channel_id": 55,
            "request_id": self.new_id(),
            "at": self.now,
        } | options
        return await self.database.write(store.create_draft, GUILD, operation_id, **given)

    async def filled(self, operation_id: int, **typed: str) -> Payroll:
        """Return a draft with quantities of gold and agricium."""
        made = await self.draft(operation_id)
        quantities = {GOLD: typed.get("gold", "12.5"), AGRICIUM: typed.get("agricium", "")}
        await self.database.write(store.pick_ores, GUILD, made.id, list(quantities), list(quantities))
        return await self.database.write(store.enter_quantities, GUILD, made.id, quantities)

    async def lock(self, payroll_id: int, **options: Any) -> Payroll:
        given = {
            "by": self.officer,
            "name": "opal",
            "request_id": self.new_id(),
            "job_id": self.new_id(),
            "at": self.now,
        }
        return await self.database.write(store.lock_payroll, GUILD, payroll_id, **(given | options))


@pytest.fixture
def office(database: Database, new_id: NewId, stepped_clock: SteppedClock) -> Office:
    return Office(database, new_id, stepped_clock.now())


async def test_migrations_make_the_models(database: Database, schemas: Sequence[Schema]) -> None:
    assert drift(database, schemas) == []


def test_migrations_go_down_and_up_again(database_url: str, schemas: Sequence[Schema]) -> None:
    first = migrate_up(database_url, schemas)
    migrate_down(database_url, register_schema())
    assert migrate_up(database_url, schemas) == [name for name in first if "payroll" in name]
    assert drift(database_url, schemas) == []


async def test_from_draft_to_locked(crew: Any, office: Office, database: Database) -> None:
    operation = await crew.operation(7200, 3600, 1800)
    draft = await office.filled(operation, gold="12.5", agricium="3")
    assert (draft.state, draft.worth) == ("draft", 73_225 + 7047)
    assert draft.complete
    assert await database.read(payroll_report, GUILD, operation) is None
    locked = await office.lock(draft.id)
    assert (locked.state, locked.version, locked.gross) == ("locked", 1, 80_272)
    assert locked.expenses + locked.org_cut + locked.fees + locked.payouts_total == locked.gross
    assert sum(slip.net for slip in locked.payslips) == locked.payouts_total
    assert [slip.user_id for slip in locked.payslips] == [1, 2, 3]
    assert [slip.estimated for slip in locked.payslips] == [False, True, False]
    assert await database.read(payroll_report, GUILD, operation) == locked
    found = await database.read(get_operation, GUILD, operation)
    assert found is not None
    assert found.payroll_processed
    assert await database.read(payable_operations, GUILD) == []
    jobs = await database.read(lambda: list(JobRow.select().dicts()))
    assert [(job["name"], job["payload"]) for job in jobs] == [("publish", {"payroll_id": locked.id})]


async def test_the_same_interaction_makes_and_locks_once(
    crew: Any, office: Office, database: Database
) -> None:
    operation = await crew.operation(60)
    first = await office.draft(operation, request_id=1)
    assert await office.draft(operation, request_id=1) == first
    draft = await office.filled(operation)
    locked = await office.lock(draft.id, request_id=2)
    assert await office.lock(draft.id, request_id=2) == locked
    assert await database.read(lambda: JobRow.select().count()) == 1


async def test_of_two_officers_one_wins_and_the_other_is_told_by_whom(crew: Any, office: Office) -> None:
    operation = await crew.operation(60, 60)
    other = Office(office.database, office.new_id, office.now, officer=8)
    mine, theirs = await office.filled(operation), await other.filled(operation, gold="99")
    locked = await office.lock(mine.id)
    for refused in (theirs.id, mine.id):
        with pytest.raises(store.AlreadyPaid) as caught:
            await other.lock(refused)
        assert caught.value.payroll == locked
    with pytest.raises(store.AlreadyPaid):
        await other.draft(operation)


async def test_the_database_itself_refuses_a_second_locked_payroll(crew: Any, office: Office) -> None:
    operation = await crew.operation(60)
    other = Office(office.database, office.new_id, office.now, officer=8)
    mine, theirs = await office.filled(operation), await other.filled(operation)
    await office.lock(mine.id)
    with pytest.raises(IntegrityError):
        await office.database.write(_force_lock, theirs.id, office.now)


async def test_two_processes_at_once_are_decided_by_the_index(
    crew: Any, office: Office, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = await crew.operation(60)
    other = Office(office.database, office.new_id, office.now, officer=8)
    mine, theirs = await office.filled(operation), await other.filled(operation)
    locked = await office.lock(mine.id)
    # Both had looked before either had committed.
    monkeypatch.setattr(locking, "refuse_unpayable", lambda *_: None)
    with pytest.raises(store.AlreadyPaid) as caught:
        await other.lock(theirs.id)
    assert caught.value.payroll == locked
    assert await database.read(lambda: JobRow.select().count()) == 1


def _force_lock(payroll_id: int, at: datetime) -> None:
    PayrollRow.update(state="locked", locked_at=at).where(PayrollRow.id == payroll_id).execute()


def _steal(payroll_id: int) -> None:
    PayrollRow.update(gross=PayrollRow.gross + 1).where(PayrollRow.id == payroll_id).execute()


async def test_the_database_itself_refuses_sums_that_do_not_add_up(crew: Any, office: Office) -> None:
    locked = await office.lock((await office.filled(await crew.operation(60))).id)
    with pytest.raises(IntegrityError):
        await office.database.write(_steal, locked.id)


@pytest.mark.parametrize("seconds", [(), (0,), (0, 0)])
async def test_nobody_to_pay_stores_nothing(
    crew: Any, office: Office, database: Database, seconds: tuple[int, ...]
) -> None:
    operation = await crew.operation(*seconds)
    with pytest.raises(NobodyToPay):
        await office.draft(operation)
    assert await database.read(lambda: PayrollRow.select().count()) == 0


async def test_what_has_not_ended_or_is_elsewhere_is_not_payable(crew: Any, office: Office) -> None:
    running = await crew.operation(60, status="active")
    elsewhere = await crew.operation(60, guild_id=2002)
    for operation in (running, elsewhere, 987_654):
        with pytest.raises(store.NotPayable):
            await office.draft(operation)


async def test_picking_again_keeps_what_was_typed(crew: Any, office: Office, database: Database) -> None:
    draft = await office.filled(await crew.operation(60), gold="12.5", agricium="wrong")
    assert [(line.name, line.entered, line.centi_scu) for line in draft.ores] == [
        ("Gold", "12.5", 1250),
        ("Agricium", "wrong", None),
    ]
    assert [line.name for line, _ in draft.problems] == ["Agricium"]
    page, chosen = [GOLD, TITANIUM, AGRICIUM], [GOLD, TITANIUM]
    again = await database.write(store.pick_ores, GUILD, draft.id, page, chosen)
    assert [(line.name, line.entered) for line in again.ores] == [("Gold", "12.5"), ("Titanium", None)]
    assert [line.name for line in again.unasked] == ["Titanium"]
    other_page = await database.write(store.pick_ores, GUILD, draft.id, [AGRICIUM], [AGRICIUM, 4711])
    assert {line.name for line in other_page.ores} == {"Gold", "Titanium", "Agricium"}


async def test_prices_can_be_typed_and_say_by_whom(crew: Any, office: Office, database: Database) -> None:
    draft = await office.filled(await crew.operation(60), gold="1")
    typed = await database.write(store.enter_prices, GUILD, draft.id, {GOLD: "6 000"}, 8, "opal")
    gold = typed.ores[0]
    assert (gold.price, gold.overridden_by, typed.worth) == (6000, 8, 6000)
    same = await database.write(store.enter_prices, GUILD, draft.id, {GOLD: "6000"}, 9, "opal")
    assert same.ores[0].overridden_by == 8
    wrong = await database.write(store.enter_prices, GUILD, draft.id, {GOLD: "6000.5", 4711: "1"}, 9, "opal")
    assert (wrong.ores[0].price, wrong.ores[0].price_entered) == (6000, "6000.5")
    assert not wrong.complete
    back = await database.write(store.enter_prices, GUILD, draft.id, {GOLD: ""}, 9, "opal")
    assert (back.ores[0].price, back.ores[0].overridden_by, back.complete) == (5858, None, True)


async def test_a_missing_price_must_be_set_first(crew: Any, office: Office, database: Database) -> None:
    draft = await office.draft(await crew.operation(60))
    torite = next(m.id for m in await database.read(store.offered_materials, "refined") if m.name == "Torite")
    await database.write(store.pick_ores, GUILD, draft.id, [torite], [torite])
    entered = await database.write(store.enter_quantities, GUILD, draft.id, {torite: "4"})
    assert [line.name for line in entered.unpriced] == ["Torite"]
    with pytest.raises(store.NotReady):
        await office.lock(draft.id)
    await database.write(store.enter_prices, GUILD, draft.id, {torite: "1000"}, 7, "opal")
    assert (await office.lock(draft.id)).gross == 4000


@pytest.mark.parametrize("gold", ["", "0", "nonsense", "-4"])
async def test_without_a_usable_quantity_nothing_is_locked(crew: Any, office: Office, gold: str) -> None:
    draft = await office.filled(await crew.operation(60), gold=gold)
    with pytest.raises(store.NotReady):
        await office.lock(draft.id)


async def test_ores_that_were_not_sold_are_not_kept(crew: Any, office: Office, database: Database) -> None:
    draft = await office.filled(await crew.operation(60), gold="1", agricium="0")
    locked = await office.lock(draft.id)
    assert [line.name for line in locked.ores] == ["Gold"]
    values = await database.read(lambda: [row.value for row in OreRow.select()])
    assert values == [5858]


async def test_drafts_end(crew: Any, office: Office, database: Database) -> None:
    operation = await crew.operation(60)
    first = await office.filled(operation)
    second = await office.draft(operation)
    assert second.id != first.id
    with pytest.raises(store.DraftGone):
        await office.lock(first.id)
    await database.write(store.discard_draft, GUILD, second.id)
    for call in (store.discard_draft, store.bench):
        with pytest.raises(store.DraftGone):
            await database.write(call, GUILD, second.id)
    other = Office(database, office.new_id, office.now, officer=8)
    old = await other.filled(operation)
    await office.draft(operation, at=datetime(2026, 3, 1, 18, tzinfo=UTC) + timedelta(days=8))
    with pytest.raises(store.DraftGone):
        await other.lock(old.id)
    assert await database.read(lambda: OreRow.select().count()) == 0


async def test_another_guild_sees_nothing(crew: Any, office: Office, database: Database) -> None:
    operation = await crew.operation(60)
    draft = await office.filled(operation)
    locked = await office.lock(draft.id)
    assert await database.read(store.get_payroll, 2002, locked.id) is None
    assert await database.read(payroll_report, 2002, operation) is None
    assert await database.read(store.locked_payrolls, 2002) == []
    [(listed, view)] = await database.read(store.locked_payrolls, GUILD)
    assert (listed.id, view.id) == (locked.id, operation)


async def test_the_post_is_begun_once_and_remembered(crew: Any, office: Office, database: Database) -> None:
    locked = await office.lock((await office.filled(await crew.operation(60))).id)
    assert await database.write(store.begin_post, GUILD, locked.id, office.now)
    assert not await database.write(store.begin_post, GUILD, locked.id, office.now)
    await database.write(store.note_post, GUILD, locked.id, 77)
    found = await database.read(store.get_payroll, GUILD, locked.id)
    assert found is not None
    assert found.message_id == 77


async def test_five_hundred_members_and_a_huge_sum(crew: Any, office: Office, database: Database) -> None:
    operation = await crew.operation(*range(1, 501))
    draft = await office.filled(operation, gold="1000000", agricium="1000000")
    await database.write(
        store.enter_prices, GUILD, draft.id, {GOLD: "1000000000", AGRICIUM: "999999999"}, 7, "opal"
    )
    locked = await office.lock(draft.id)
    assert locked.gross == 1_999_999_999_000_000
    assert len(locked.payslips) == 500
    assert locked.org_cut + locked.fees + sum(slip.net for slip in locked.payslips) == locked.gross
