"""The outbox: an event that is committed reaches every consumer, in order, whatever fails in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.job_host import JobHost
from support.plugin_folder import PluginFolder

from core.clock import SteppedClock
from core.database import Database, JobRow
from core.events import MemberLeft
from core.jobs import BACKOFF, publish
from core.jobs.event_types import UnusableEvent
from core.jobs.store import DELIVERY, EVENT

GUILD, OTHER = 11, 22
START = datetime(2026, 3, 1, 18, tzinfo=UTC)

SHOP_EVENTS = """
from __future__ import annotations
from dataclasses import dataclass
from datetime import datetime

@dataclass(frozen=True, slots=True)
class Line:
    ore: str
    centi_scu: int

@dataclass(frozen=True, slots=True)
class Sold:
    guild_id: int
    number: int
    lines: tuple[Line, ...]
    buyers: frozenset[int]
    at: datetime
    note: str | None = None
    price: float = 0.5

@dataclass(frozen=True, slots=True)
class Odd:
    either: float
"""

SHOP_HOOKS = """
from __future__ import annotations
from typing import TYPE_CHECKING
from redlegion import hookspec
if TYPE_CHECKING:
    from redlegion import Context
    from shop.happenings import Odd, Sold as Bought

@hookspec
async def on_sold(ctx: Context, event: Bought) -> None:
    "Fires after a sale is committed."

@hookspec
async def on_odd(ctx: Context, event: Odd) -> None:
    "Carries a number that may be none."

@hookspec
async def on_nothing(ctx: Context) -> None:
    "Carries nothing."
"""

SHOP = """
import shop.specs

def sell(event_id, guild_id, hook, event, at, fail=False):
    publish(event_id, guild_id=guild_id, hook=hook, event=event, at=at)
    if fail:
        raise RuntimeError("no sale")

@hookimpl
def register_hookspecs():
    return shop.specs
"""

CONSUMER = """
GOT = []
FAIL = {}
DELIVERIES = []

@hookimpl
async def on_sold(ctx, event):
    if FAIL.get(event.number, 0):
        FAIL[event.number] -= 1
        raise ValueError(f"cannot take {event.number}")
    DELIVERIES.append(ctx.delivery)
    GOT.append((ctx.guild_id, event.number, event))
"""


class Shop:
    """A shop that publishes and two plugins that listen."""

    def __init__(self, url: str, folder: PluginFolder) -> None:
        self.url, self.folder = url, folder
        self.clock = SteppedClock(START)
        folder.write("shop", SHOP)
        (folder.path / "shop" / "happenings.py").write_text(SHOP_EVENTS)
        (folder.path / "shop" / "specs.py").write_text(SHOP_HOOKS)
        for name in ("ledger", "tax"):
            folder.write(name, CONSUMER, requires=["shop"])
        self.load: tuple[str, ...] = ("shop", "ledger", "tax")

    async def begin(self) -> JobHost:
        selection = self.folder.selection(*self.load, load=self.load)
        self.host = await JobHost(self.url, selection, self.clock, (GUILD, OTHER)).start()
        self.ledger: Any = self.folder.module("ledger")
        self.tax: Any = self.folder.module("tax")
        await self.host.settle()
        return self.host

    def sold(self, number: int) -> Any:
        kinds: Any = self.folder.module("shop.happenings")
        line = kinds.Line("Quantanium", 3_200)
        return kinds.Sold(GUILD, number, (line, line), frozenset({1, 2}), START, note="ünïcode")

    async def sell(
        self, number: int, *, guild: int = GUILD, hook: str = "on_sold", event: Any = None, **more: Any
    ) -> int:
        ctx = self.host.context_for("shop", guild)
        event_id = ctx.ids.next()
        module: Any = self.folder.module("shop")
        chosen = self.sold(number) if event is None else event
        await ctx.write(module.sell, event_id, guild, hook, chosen, self.clock.now(), **more)
        return int(event_id)

    async def rows(self) -> list[tuple[str, str, str]]:
        return await self.host.db.read(rows)

    @staticmethod
    def numbers(module: Any, guild: int = GUILD) -> list[int]:
        return [number for where, number, _event in module.GOT if where == guild]


def rows() -> list[tuple[str, str, str]]:
    query: Any = JobRow.select(JobRow.plugin, JobRow.name, JobRow.state)
    return list(query.where(JobRow.name.in_((EVENT, DELIVERY))).order_by(JobRow.id).tuples())


@pytest.fixture
async def shop(folder: PluginFolder, database_url: str) -> AsyncIterator[Shop]:
    made = Shop(database_url, folder)
    await made.begin()
    yield made
    await made.host.stop()


@pytest.fixture
async def small_shop(folder: PluginFolder, lite: str) -> AsyncIterator[Shop]:
    made = Shop(lite, folder)
    await made.begin()
    yield made
    await made.host.stop()


async def test_an_event_reaches_every_consumer_with_its_transaction(shop: Shop) -> None:
    first = await shop.sell(1)
    with pytest.raises(RuntimeError, match="no sale"):
        await shop.sell(2, fail=True)
    await shop.sell(3, guild=OTHER)
    await shop.host.settle()
    for module in (shop.ledger, shop.tax):
        assert shop.numbers(module) == [1]
        assert shop.numbers(module, OTHER) == [3]
        # Which of two guilds is told first is not promised.
        place = [got[2].number for got in module.GOT].index(1)
        assert module.GOT[place][2] == shop.sold(1), "the very same value"
        assert type(module.GOT[place][2]) is type(shop.sold(1))
        assert module.DELIVERIES[place] == first
    assert {state for _plugin, _name, state in await shop.rows()} == {"done"}


async def test_events_arrive_in_the_order_of_their_commits_behind_one_that_fails(shop: Shop) -> None:
    shop.ledger.FAIL[2] = 3
    for number in (1, 2, 3):
        await shop.sell(number)
    await shop.sell(9, guild=OTHER)
    await shop.host.settle()
    assert shop.numbers(shop.ledger) == [1]
    assert shop.numbers(shop.tax) == [1, 2, 3], "nobody else waits"
    assert shop.numbers(shop.ledger, OTHER) == [9], "nor another guild"
    await shop.clock.advance(BACKOFF[0], shop.host.settle)
    await shop.sell(4)
    await shop.host.settle()
    assert shop.numbers(shop.ledger) == [1]
    await shop.clock.advance(sum(BACKOFF[1:3]), shop.host.settle)
    assert shop.numbers(shop.ledger) == [1, 2, 3, 4]
    assert shop.numbers(shop.tax) == [1, 2, 3, 4]


async def test_a_delivery_is_never_given_up(small_shop: Shop) -> None:
    shop = small_shop
    shop.ledger.FAIL[1] = 2 * len(BACKOFF)
    event_id = await shop.sell(1)
    await shop.host.settle()
    while shop.ledger.FAIL[1]:
        assert await shop.host.jobs.dead(GUILD) == []
        await shop.clock.advance(BACKOFF[-1], shop.host.settle)
    await shop.clock.advance(2 * BACKOFF[-1], shop.host.settle)
    assert shop.numbers(shop.ledger) == [1]
    assert set(shop.ledger.DELIVERIES) == {event_id}


async def test_what_is_committed_is_delivered_after_a_crash(shop: Shop) -> None:
    await shop.sell(1)
    await shop.host.settle()
    # Cut off between the commit and any look at the table.
    shop.host.jobs._loop.cancel()  # type: ignore[union-attr]
    await shop.sell(2)
    await shop.sell(3)
    assert (await shop.rows())[-1] == ("core", EVENT, "waiting")
    await shop.host.stop(0)
    await shop.begin()
    assert shop.numbers(shop.ledger) == [1, 2, 3]
    assert shop.numbers(shop.tax) == [1, 2, 3]


async def test_a_consumer_that_is_off_or_not_loaded_gets_it_later(small_shop: Shop) -> None:
    shop = small_shop
    await shop.host.switch(GUILD, "ledger", False)
    await shop.sell(1)
    await shop.sell(2)
    await shop.host.settle()
    await shop.clock.advance(7_200, shop.host.settle)
    assert (shop.numbers(shop.ledger), shop.numbers(shop.tax)) == ([], [1, 2])
    await shop.host.stop()
    shop.load = ("shop", "tax")
    shop.host = await JobHost(
        shop.url, shop.folder.selection("shop", "tax", load=shop.load), shop.clock, (GUILD,)
    ).start()
    await shop.host.settle()
    await shop.host.stop()
    shop.load = ("shop", "ledger", "tax")
    await shop.begin()
    await shop.sell(3)
    await shop.host.settle()
    assert shop.numbers(shop.ledger) == []
    await shop.host.switch(GUILD, "ledger", True)
    await shop.host.settle()
    assert shop.numbers(shop.ledger) == [1, 2, 3]


async def test_a_consumer_that_no_longer_listens_is_named(small_shop: Shop) -> None:
    shop = small_shop
    await shop.host.switch(GUILD, "ledger", False)
    await shop.sell(1)
    await shop.host.settle()
    await shop.host.stop()
    shop.folder.forget()
    shop.folder.write("ledger", "", requires=["shop"])
    selection = shop.folder.selection("shop", "ledger", "tax", load=("shop", "ledger", "tax"))
    shop.host = await JobHost(shop.url, selection, shop.clock, (GUILD,)).start()
    await shop.host.switch(GUILD, "ledger", True)
    await shop.host.settle()
    [dead] = await shop.host.jobs.dead(GUILD)
    assert dead.last_error == "ledger no longer listens to on_sold"


@dataclass(frozen=True, slots=True)
class Stranger:
    number: int


async def test_what_cannot_arrive_is_refused_before_it_is_stored(small_shop: Shop) -> None:
    shop = small_shop
    kinds: Any = shop.folder.module("shop.happenings")
    for hook, event, words in (
        ("on_bought", shop.sold(1), "there is no hook on_bought to publish on; declare it with @hookspec"),
        ("register_jobs", shop.sold(1), "there is no hook register_jobs to publish on"),
        ("on_sold", Stranger(1), "on_sold carries Sold, not Stranger; publish one of those"),
        ("on_sold", {"number": 1}, "on_sold carries Sold, not dict"),
        ("on_nothing", Stranger(1), "on_nothing declares no class for its event"),
        ("on_guild_enabled", Stranger(1), "on_guild_enabled declares no class for its event"),
        ("on_odd", kinds.Odd(float("nan")), "is another one after it was stored and read|cannot be stored"),
        ("on_odd", kinds.Odd("much"), "is another one after it was stored and read|cannot be stored"),
    ):
        with pytest.raises(UnusableEvent, match=words):
            await shop.sell(1, hook=hook, event=event)
    assert await shop.rows() == []


async def test_a_hook_of_the_core_can_be_published_on(small_shop: Shop) -> None:
    await small_shop.sell(1, hook="on_member_left", event=MemberLeft(GUILD, 7, START))
    await small_shop.host.settle()
    assert await small_shop.rows() == [("core", EVENT, "done")]


async def test_a_store_function_can_be_tested_without_a_bot(database: Database) -> None:
    left = MemberLeft(GUILD, 7, START)
    write: Any = database.write
    await write(_publish, 5, "on_member_left", left, key=GUILD)
    await write(_publish, 6, "on_thing_of_a_plugin", Stranger(3), key=GUILD)
    with pytest.raises(UnusableEvent, match="on_member_left carries MemberLeft, not Stranger"):
        await write(_publish, 7, "on_member_left", Stranger(3), key=GUILD)
    found = await database.read(lambda: JobRow.get_by_id(5).payload)
    assert found == {
        "hook": "on_member_left",
        "event": {"guild_id": GUILD, "user_id": 7, "at": "2026-03-01T18:00:00Z"},
    }
    # Its id was taken before the others, its transaction came after them.
    await write(_publish, 4, "on_member_left", left, key=GUILD)
    due = await database.read(lambda: {row.id: row.due for row in JobRow.select()})
    assert due == {5: START, 6: START, 4: START + timedelta(microseconds=1)}


def _publish(event_id: int, hook: str, event: object) -> None:
    publish(event_id, guild_id=GUILD, hook=hook, event=event, at=START)
