"""Session records as rows, thousands at a time, without peewee's price per value.

The statements are spelt out by hand, and values are converted by the column: a plain check of a whole column
costs a twentieth of a call per value. What the check does not know goes to the field, which says what is
wrong with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import attrgetter
from typing import Any

import peewee

from core.database.backends import EmbeddedSqlite
from core.database.current import current_now, proxy
from core.database.fields import LARGEST, Instant, Snowflake
from core.database.models import VoiceSession
from core.events import SessionRecord

#: The columns that a record has, in its own order.
COLUMNS = (
    VoiceSession.id,
    VoiceSession.guild_id,
    VoiceSession.user_id,
    VoiceSession.channel_id,
    VoiceSession.joined,
    VoiceSession.left,
    VoiceSession.deafened_us,
    VoiceSession.status,
    VoiceSession.previous_id,
    VoiceSession.joined_estimated,
    VoiceSession.left_estimated,
    VoiceSession.afk,
    VoiceSession.deafened_since,
    VoiceSession.via_channel_id,
)
_STAMPS = ("created_at", "updated_at")
#: What no later state of a session changes; its status, only as long as nobody has voided it.
_KEPT = frozenset({"id", "guild_id", "user_id", "status", "previous_id", "created_at"})
#: Sizes in which rows go to SQLite. It keeps a prepared statement for each, and 14 columns of the largest
#: are well below the 32,766 parameters that it allows.
SIZES = tuple(2**power for power in range(11, -1, -1))
#: Rows in one statement on PostgreSQL, where each column is one text.
ROWS = 10_000
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEAST = -LARGEST - 1

Column = Sequence[Any]

_names = ", ".join(f'"{name}"' for name in (*_STAMPS, *(field.column_name for field in COLUMNS)))
_replaced = ", ".join(
    f'"{field.column_name}" = excluded."{field.column_name}"'
    for field in COLUMNS
    if field.column_name not in _KEPT
)
_HEAD = f"INSERT INTO voice_sessions ({_names}) "
_TAIL = (
    f' ON CONFLICT ("id") DO UPDATE SET {_replaced}, "updated_at" = excluded."updated_at", '
    "\"status\" = CASE WHEN voice_sessions.\"status\" = 'cancelled' THEN 'cancelled' "
    'ELSE excluded."status" END'
)


def upsert_rows(records: Sequence[SessionRecord]) -> None:
    """Write sessions whole, by their id, in the given order; store function.

    A row that is there keeps what never changes, and its status if that is cancelled.

    :raises TypeError: a value is not of its column's type.
    :raises ValueError: a number does not fit.
    """
    if not records:
        return
    columns = [_checked(field, list(map(value_of, records))) for field, value_of in _SOURCES]
    database = proxy.obj
    if not isinstance(database, EmbeddedSqlite):
        for start in range(0, len(records), ROWS):
            texts = [_array(column[start : start + ROWS]) for column in columns]
            database.execute_sql(_FROM_ARRAYS, [current_now(), *texts])
        return
    now = (current_now() - _UNIX) // _MICROSECOND
    rows = list(zip(*columns, strict=True))
    for start, size in _pieces(len(rows)):
        database.execute_sql(_from_values(size), [now, *chain.from_iterable(rows[start : start + size])])


def _checked(field: Any, column: Column) -> Column:
    """Return a column's values as both databases take them: times are microseconds since 1970."""
    try:
        if isinstance(field, Instant):
            return [None if value is None else (value - _UNIX) // _MICROSECOND for value in column]
        if isinstance(field, Snowflake):
            numbers = [value for value in column if value is not None] if None in column else column
            whole = set(map(type, numbers)) <= {int}
            if whole and min(numbers, default=0) >= _LEAST and max(numbers, default=0) <= LARGEST:
                return column
        elif isinstance(field, peewee.BooleanField) and set(map(type, column)) <= {bool}:
            return column
    except TypeError:
        pass
    return [field.db_value(value) for value in column]


def _pieces(count: int) -> Iterator[tuple[int, int]]:
    """Yield start and size of pieces that have the sizes of prepared statements."""
    start = 0
    for size in SIZES:
        while count - start >= size:
            yield start, size
            start += size


@functools.cache
def _from_values(size: int) -> str:
    # The first parameter is the time of writing, in every row.
    row = f"(?1, ?1{', ?' * len(COLUMNS)})"
    return f"{_HEAD}VALUES {', '.join([row] * size)}{_TAIL}"


def _array(column: Column) -> str:
    """Return a column as PostgreSQL writes arrays; its driver takes ten times as long for a list."""
    if None not in column and not isinstance(column[0], str):
        return "{" + ",".join(map(str, column)) + "}"
    known = {value: _element(value) for value in set(column)}
    return "{" + ",".join([known[value] for value in column]) + "}"


def _element(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "NULL" if value is None else str(value)


def _from_arrays() -> str:
    kinds = [_kind(field) for field in COLUMNS]
    values = ", ".join(
        _instant(f"v{number}") if isinstance(field, Instant) else f"v{number}"
        for number, field in enumerate(COLUMNS)
    )
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    names = ", ".join(f"v{number}" for number in range(len(COLUMNS)))
    return (
        f"{_HEAD}SELECT written.at, written.at, {values} FROM (SELECT %s::timestamptz AS at) AS written, "
        f"unnest({arrays}) AS given ({names}){_TAIL}"
    )


def _instant(value: str) -> str:
    # In two steps: PostgreSQL multiplies an interval as a float, which has no room for all the microseconds.
    return (
        f"timestamptz 'epoch' + {value} / 1000000 * interval '1 second' "
        f"+ mod({value}, 1000000) * interval '1 microsecond'"
    )


def _kind(field: Any) -> str:
    if isinstance(field, peewee.BooleanField):
        return "boolean"
    return "bigint" if isinstance(field, Snowflake | Instant) else "text"


_SOURCES: tuple[tuple[Any, Callable[[SessionRecord], Any]], ...] = tuple(
    (field, attrgetter(field.name)) for field in COLUMNS
)
_FROM_ARRAYS = _from_arrays()
