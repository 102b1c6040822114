"""How single values look in a backup: as SQLite keeps them, so that both databases can take them.

A point in time is whole microseconds since 1970, a truth value 0 or 1; numbers, texts and null are
themselves. Bytes and the numbers that JSON lacks are wrapped in an object of one key.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INSTANT = "timestamp with time zone"
#: PostgreSQL types whose values `encode` can write; anything else is asked for as text.
_PLAIN = frozenset({"smallint", "integer", "bigint", "boolean", "text", "double precision", "real", "bytea"})
_CHARACTERS = "character"


def selected(column: str, kind: str) -> str:
    """Return the expression that reads a PostgreSQL column of type `kind`."""
    if kind in _PLAIN or kind == _INSTANT or kind.startswith(_CHARACTERS):
        return quoted(column)
    return f"{quoted(column)}::text"


def quoted(name: str) -> str:
    """Return an identifier as SQL."""
    return '"' + name.replace('"', '""') + '"'


def encode(row: Sequence[Any]) -> bytes:
    """Return a row, as either driver returned it, as one line of a backup."""
    values = [_written(value) for value in row]
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes, width: int) -> list[Any]:
    """Return the values of one line, as SQLite takes them.

    :param width: the number of columns.
    :raises ValueError: it is no row of so many values.
    """
    values = json.loads(line)
    if not isinstance(values, list) or len(values) != width:
        raise ValueError("not a row of this table")
    return [_read(value) if isinstance(value, dict | list | bool) else value for value in values]


def postgres_readers(kinds: Sequence[str]) -> list[Callable[[Any], Any] | None]:
    """Return what turns each value of a row into one for a PostgreSQL column of that type; None: itself."""
    special: dict[str, Callable[[Any], Any]] = {"boolean": _truth, _INSTANT: _instant}
    return [
        _without_nul if kind == "text" or kind.startswith(_CHARACTERS) else special.get(kind)
        for kind in kinds
    ]


def _written(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return (value - _UNIX) // _MICROSECOND
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    return value


def _read(value: Any) -> Any:
    match value:
        case {"bytes": str(text)} if len(value) == 1:
            return base64.b64decode(text, validate=True)
        case {"number": str(text)} if len(value) == 1:
            return float(text)
    raise ValueError("not a value of a backup")


def _truth(value: Any) -> Any:
    if value not in (0, 1, None):
        raise ValueError(f"{value!r} is neither true nor false")
    return None if value is None else bool(value)


def _instant(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, int):
        raise ValueError(f"{value!r} is no point in time")
    try:
        return _UNIX + timedelta(microseconds=value)
    except OverflowError:
        raise ValueError(f"{value} is no point in time") from None


def _without_nul(value: Any) -> Any:
    # Our own text columns never hold one; a plain column of a plugin may, on SQLite.
    return value.replace("\0", "") if isinstance(value, str) else value
