"""Many rows at once: as peewee would insert them, without its price per row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from core.database.backends import Backend, EmbeddedSqlite

#: Rows in one statement on PostgreSQL, where each column is one array.
_ROWS = 5_000
#: Bound parameters in one INSERT: SQLite allows 32,766, PostgreSQL 65,535.
_PARAMETERS = 30_000
_plans: dict[tuple[Any, ...], _Plan] = {}


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to insert rows with certain keys into a certain table.

    :param given: key in the row, and conversion, of each column that the rows have.
    :param defaults: what makes a value, and conversion, of each other column that has a default.
    """

    sql: str
    given: tuple[tuple[Any, Callable[[Any], Any]], ...]
    defaults: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...]


def insert_rows(model: Any, rows: Iterable[Mapping[str, Any]], conflict: str = "") -> None:
    """Insert rows with few statements; store function.

    :param rows: dicts with the same keys; columns that are left out get their defaults.
    :param conflict: an ON CONFLICT clause that both databases understand. Values are plain then.
    :raises ValueError: a key is no field of the model.
    """
    rows = list(rows)
    if not rows:
        return
    database: Backend = model._meta.database
    database = getattr(database, "obj", database)
    plan = _plan(model, database, tuple(rows[0]), conflict)
    if not conflict and any(isinstance(value, peewee.Node) for value in rows[0].values()):
        _insert_in_peewees_way(model, rows)
        return
    columns = [[convert(row[key]) for row in rows] for key, convert in plan.given]
    columns += [[convert(make()) for _ in rows] for make, convert in plan.defaults]
    if isinstance(database, EmbeddedSqlite):
        database.execute_many(plan.sql, zip(*columns, strict=True))
        return
    for start in range(0, len(rows), _ROWS):
        database.execute_sql(plan.sql, [column[start : start + _ROWS] for column in columns])


def _insert_in_peewees_way(model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    size = max(1, _PARAMETERS // max(1, len(model._meta.sorted_fields)))
    for start in range(0, len(rows), size):
        model.insert_many(rows[start : start + size]).execute()


def _plan(model: Any, database: Backend, keys: tuple[Any, ...], conflict: str) -> _Plan:
    """Return the plan for rows with these keys, made once."""
    sort = (model, isinstance(database, EmbeddedSqlite), keys, conflict)
    if sort not in _plans:
        meta = model._meta
        unknown = [key for key in keys if key not in meta.combined]
        if unknown:
            raise ValueError(f"{model.__name__} has no column {unknown[0]!r}: name its fields")
        fields = [meta.combined[key] for key in keys]
        # By name: to compare fields is to write SQL.
        named = {field.name for field in fields}
        left_out = [f for f in meta.sorted_fields if f.name not in named and f in meta.defaults]
        _plans[sort] = _Plan(
            f"{_statement(model, database, [*fields, *left_out])} {conflict}".rstrip(),
            tuple((key, field.db_value) for key, field in zip(keys, fields, strict=True)),
            tuple((_maker(meta.defaults[field]), field.db_value) for field in left_out),
        )
    return _plans[sort]


def _statement(model: Any, database: Backend, fields: Sequence[Any]) -> str:
    names = ", ".join(f'"{field.column_name}"' for field in fields)
    table = f'"{model._meta.table_name}"'
    if isinstance(database, EmbeddedSqlite):
        return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(fields))})"
    arrays = ", ".join(f"%s::{_type(database, field)}[]" for field in fields)
    return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})"


def _type(database: Backend, field: Any) -> str:
    name = str(vars(database)["_field_types"].get(field.field_type, field.field_type))
    # A serial is a whole number with a default.
    return {"BIGSERIAL": "BIGINT", "SERIAL": "INTEGER"}.get(name, name)


def _maker(default: Any) -> Callable[[], Any]:
    return default if callable(default) else lambda: default
