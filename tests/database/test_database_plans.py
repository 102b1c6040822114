"""No statement of the hot paths reads a whole table: the plans of what the store functions really ask.

By default on few rows, where PostgreSQL is told that reading a table costs a fortune; `make soak` loads a
million sessions and leaves the choice to the planner.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from support.operations import START, SUNDAY, at
from support.tables import all_schemas

from core.commands.menu_store import stored_menus
from core.database import Database, Schema, VoiceSession
from core.events import SessionRecord
from core.guilds.store import plugin_rows, rank_rows
from core.jobs.store import claim, finish, insert, ready_jobs, running_jobs
from core.stays.chains import chain_of, chain_with
from core.voice.rows import COLUMNS, SIZES
from core.voice.sights import left_behind, see
from core.voice.store import apply_transitions, beat, last_beat, load_open, sessions_between
from core.voice.transitions import Discarded, Ended, Started
from plugins.operations.rules.linking import Roles
from plugins.operations.rules.values import ChannelRef
from plugins.operations.store.lifecycle import start
from plugins.operations.store.linking import link_session, settle_links
from plugins.operations.store.reading import get_operation, running_operations
from plugins.operations.store.standing import credit_until, resting_spans

GUILD, MEMBER, CHANNEL = 7, 3, 100
GUILDS, MEMBERS = 100, 2_000
#: What takes longest of a million rows is to load them.
MANY = 1_000_000

SESSIONS = """
INSERT INTO voice_sessions (id, guild_id, user_id, channel_id, joined, "left", deafened_us, status,
    joined_estimated, left_estimated, afk, created_at, updated_at)
SELECT n, n {mod} {guilds}, n {mod} {members}, 100, {begun},
    CASE WHEN n > {closed} THEN NULL ELSE {ended} END,
    0, CASE WHEN n > {closed} THEN 'active' ELSE 'completed' END, {no}, {no}, {no}, {begun}, {begun}
FROM ({numbers}) AS numbered
"""


class Plans:
    """Collects what is asked of a database while it is told to, and explains it.

    :param free: leave the choice to PostgreSQL's planner.
    """

    def __init__(self, database: Database, *, free: bool) -> None:
        self._database = database
        self._free = free
        self._asked: list[tuple[str, Sequence[Any]]] = []

    async def scans(self, function: Callable[..., Any], *args: Any, **options: Any) -> list[str]:
        """Run a store function and return its statements that read a whole table, with their plans."""
        self._asked.clear()
        with self._listening():
            await self._database.write(function, *args, **options, key=GUILD)
        asked = [each for each in self._asked if _has_plan(each[0])]
        assert asked, f"{function.__name__} asks nothing"
        return await self._database.write(self._explained, asked, key=GUILD)

    def _explained(self, asked: list[tuple[str, Sequence[Any]]]) -> list[str]:
        found = []
        if self._database.is_postgres and not self._free:
            self._database.backend.execute_sql("SET LOCAL enable_seqscan = off")
        for sql, params in asked:
            explain = self._of_postgres if self._database.is_postgres else self._of_sqlite
            steps = explain(sql, params)
            found += [f"{step}: {sql[:300]}" for step in steps]
        return found

    def _of_sqlite(self, sql: str, params: Sequence[Any]) -> Iterator[str]:
        rows = self._database.backend.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
        for *_, detail in rows:
            whole = detail.startswith("SCAN") and not _NO_TABLE.search(detail)
            # In the order of an index and up to a limit is no reading of all.
            if whole and not (" INDEX " in detail and "LIMIT" in sql):
                yield detail

    def _of_postgres(self, sql: str, params: Sequence[Any]) -> Iterator[str]:
        (row,) = self._database.backend.execute_sql(f"EXPLAIN (FORMAT JSON) {sql}", params).fetchall()
        (plan,) = row[0] if isinstance(row[0], list) else json.loads(row[0])
        waiting = [plan["Plan"]]
        while waiting:
            node = waiting.pop()
            waiting += node.get("Plans", [])
            table = node.get("Relation Name")
            if node["Node Type"] == "Seq Scan" and (table == "voice_sessions" or not self._free):
                yield f"Seq Scan on {table}"
            if node["Node Type"] in {"Index Scan", "Index Only Scan"} and not self._limited(node, sql):
                yield f"all of index {node['Index Name']}"

    def _limited(self, node: dict[str, Any], sql: str) -> bool:
        # A partial index holds only what is asked for, as those of open sessions and waiting jobs.
        partial = {"voice_sessions_one_open", "jobs_ready", "jobs_running"}
        return "Index Cond" in node or "LIMIT" in sql or node["Index Name"] in partial

    @contextmanager
    def _listening(self) -> Iterator[None]:
        def note(event: Any) -> None:
            self._asked.append((event.sql, event.params or ()))

        self._database.backend.query_hooks.append(note)
        try:
            yield
        finally:
            self._database.backend.query_hooks.remove(note)


#: What SQLite scans too: lists of values, and what a subquery has found.
_NO_TABLE = re.compile("CONSTANT ROW|VALUES CLAUSE|subquery", re.IGNORECASE)


def _has_plan(sql: str) -> bool:
    return sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))


@pytest.fixture
def schemas() -> Sequence[Schema]:
    return all_schemas()


@pytest.fixture(params=[300, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
async def plans(request: pytest.FixtureRequest, database: Database) -> Plans:
    """A database with so many sessions in it, one operation that runs, and jobs."""
    count: int = request.param
    await database.write_alone(load, database, count)
    await database.write(_add_jobs, key=GUILD)
    if count == MANY and database.is_postgres:
        await database.write_alone(_analyze, database)
    return Plans(database, free=count == MANY)


def load(database: Database, count: int) -> None:
    """Fill the table of sessions: most are over, and each member sits in one place at most."""
    begun_at = START - timedelta(minutes=count)
    if database.is_postgres:
        words = {
            "begun": f"timestamptz '{begun_at.isoformat()}' + n * interval '1 minute'",
            "ended": f"timestamptz '{begun_at.isoformat()}' + (n + 50) * interval '1 minute'",
            "no": "false",
            "mod": "%%",
            "numbers": f"SELECT generate_series(1, {count}) AS n",
        }
    else:
        base = int(begun_at.timestamp()) * 1_000_000
        words = {
            "begun": f"{base} + n * 60000000",
            "ended": f"{base} + (n + 50) * 60000000",
            "no": "0",
            "mod": "%",
            "numbers": "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up "
            f"WHERE n < {count}) SELECT n FROM up",
        }
    database.backend.execute_sql(SESSIONS.format(guilds=GUILDS, members=MEMBERS, closed=count - 100, **words))


def _add_jobs() -> None:
    for number in range(20):
        insert(
            number + 1, plugin="one", guild_id=GUILD, name="job", key=str(number), payload={}, due=at(number)
        )


def _analyze(database: Database) -> None:
    database.backend.execute_sql("ANALYZE")


def session(number: int) -> SessionRecord:
    """An open session of a member who sits nowhere yet."""
    return SessionRecord(10**9 + number, GUILD, 10**9 + number, CHANNEL, at(number))


async def test_no_statement_of_the_voice_path_reads_a_whole_table(plans: Plans) -> None:
    some = [session(number) for number in range(50)]
    gone = SessionRecord(10**9, GUILD, 10**9, CHANNEL, at(0), at(60), status="completed")
    calls: list[tuple[Any, ...]] = [
        (load_open, [GUILD]),
        (load_open, list(range(50))),
        (sessions_between, GUILD, at(-90), at(0)),
        (sessions_between, GUILD, at(-90), at(0), [CHANNEL]),
        (sessions_between, GUILD, at(-90), at(0), None, MEMBER),
        (apply_transitions, [Started(each) for each in some]),
        (apply_transitions, [Ended(gone), Discarded(some[1])]),
        (chain_of, GUILD, MEMBER, at(-90), at(0)),
        (chain_with, GUILD, GUILD),
        (beat, 0, at(0)),
        (last_beat, 0),
        # With the clock set back, perhaps set back, and surely not.
        (left_behind, [GUILD], at(0)),
        (see, [GUILD], at(0)),
        (left_behind, [GUILD], at(0)),
        (left_behind, [GUILD], at(99_999)),
    ]
    assert [each for call in calls for each in await plans.scans(*call)] == []


async def test_no_look_for_jobs_or_guilds_reads_a_whole_table(plans: Plans) -> None:
    calls: list[tuple[Any, ...]] = [
        (ready_jobs, at(60), None, 10),
        (ready_jobs, at(60), (at(3), 4), 10),
        (running_jobs,),
        (claim, 1, "token", at(0), at(5)),
        (finish, 1, "token"),
        (stored_menus, [GUILD]),
        (plugin_rows, [GUILD]),
        (rank_rows, [GUILD]),
    ]
    assert [each for call in calls for each in await plans.scans(*call)] == []


async def test_no_statement_of_a_running_operation_reads_a_whole_table(
    plans: Plans, database: Database
) -> None:
    view, _ = await database.write(
        start,
        GUILD,
        SUNDAY,
        [ChannelRef(CHANNEL, "Alpha")],
        title="Sunday",
        initiator_id=1,
        text_channel_id=None,
        at=at(-100),
        key=GUILD,
    )
    calls: list[tuple[Any, ...]] = [
        (running_operations, GUILD),
        (get_operation, GUILD, view.id),
        (link_session, GUILD, session(1), Roles(), at(0)),
        (settle_links, GUILD, view.id, Roles(), at(0)),
        (credit_until, GUILD, view.id, at(0)),
        (resting_spans, GUILD, at(-200), at(0)),
    ]
    assert [each for call in calls for each in await plans.scans(*call)] == []


def _without_an_index() -> int:
    return int(VoiceSession.select().where(VoiceSession.channel_id == CHANNEL).count())


async def test_a_missing_index_shows(plans: Plans) -> None:
    # More than once where it is so slow that it makes room for others and runs again.
    found = await plans.scans(_without_an_index)
    assert found
    assert all("voice_sessions" in each for each in found)


def test_sizes_of_pieces_cover_every_count() -> None:
    assert SIZES[-1] == 1
    assert all(larger == 2 * smaller for larger, smaller in pairwise(SIZES))
    # The parameters that SQLite allows.
    assert 1 + len(COLUMNS) * SIZES[0] <= 32_766
