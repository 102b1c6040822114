"""Where a database and the models disagree, found by building what the models say and comparing catalogs."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from graphlib import CycleError, TopologicalSorter
from typing import Any

import peewee

from core.database.backends import Backend, EmbeddedSqlite
from core.database.catalog import Table, read_catalog
from core.database.migrating import CHECKSUMS, HISTORY

_REFERENCES = re.compile(r"\bREFERENCES\s+\"?(\w+)", re.IGNORECASE)


def compare(database: Backend, schemas: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the differences between the tables of `database` and the models, one line each.

    Tables that no model claims are reported too, unless they belong to a plugin that has migrations here but
    is not among `schemas`.

    :param database: connected in this thread; left as it is.
    :param schemas: models by the name of their schema.
    """
    claimed = [model for models in schemas.values() for model in models]
    wanted = _shadow(database, _with_targets(claimed))
    live = read_catalog(database)
    names = {model._meta.table_name for model in claimed}
    lines: list[str] = []
    for name in sorted(names):
        if name in live:
            lines.extend(_table_lines(name, wanted[name], live[name]))
        else:
            lines.append(f"{name}: the table is missing")
    lines.extend(f"{name}: the table is in no model" for name in _strangers(live, wanted, schemas))
    return lines


def _strangers(live: Mapping[str, Table], wanted: Mapping[str, Table], schemas: Iterable[str]) -> list[str]:
    mine = set(schemas)
    installed = {name.removesuffix(HISTORY) for name in live if name.endswith(HISTORY)}
    others = tuple(f"{name}_" for name in installed - mine)
    found = []
    for name in sorted(set(live) - set(wanted)):
        if name == CHECKSUMS or (name.endswith(HISTORY) and name.removesuffix(HISTORY) in installed):
            continue
        # Without the core among the schemas, only a plugin's own prefix says whose a table is.
        judged = "core" in mine or name.startswith(tuple(f"{own}_" for own in mine))
        if judged and not (others and name.startswith(others)):
            found.append(name)
    return found


def _table_lines(name: str, wanted: Table, live: Table) -> list[str]:
    lines = []
    for column in [*wanted.columns, *(column for column in live.columns if column not in wanted.columns)]:
        if column not in live.columns:
            lines.append(f"{name}.{column}: the column is missing")
        elif column not in wanted.columns:
            lines.append(f"{name}.{column}: the column is in no model")
        else:
            is_now, should = live.columns[column], wanted.columns[column]
            lines.extend(
                f"{name}.{column}: {what} is {is_now[what]}, the models say {should[what]}"
                for what in should
                if is_now[what] != should[what]
            )
    for rule in [*wanted.rules, *(rule for rule in live.rules if rule not in wanted.rules)]:
        if rule not in live.rules:
            lines.append(f"{name}: {rule} is missing")
        elif rule not in wanted.rules:
            lines.append(f"{name}: {rule} is in no model")
        elif live.rules[rule] != wanted.rules[rule]:
            lines.append(f"{name}: {rule} is {live.rules[rule]}, the models say {wanted.rules[rule]}")
    return lines


def _with_targets(models: Iterable[Any]) -> list[Any]:
    found: dict[Any, None] = {}
    queue = list(models)
    while queue:
        model = queue.pop()
        if model not in found:
            found[model] = None
            queue.extend(model._meta.refs.values())
    order: Any = vars(peewee)["sort_models"]
    return _after_what_they_name(list(order(list(found))))


def _after_what_they_name(models: list[Any]) -> list[Any]:
    """Return models so that each comes after those named in plain SQL too; peewee knows only fields."""
    tables = {model._meta.table_name: model for model in models}
    before: dict[str, set[str]] = {}
    for name, model in tables.items():
        raw = " ".join(
            str(getattr(each, "sql", each)) for f in model._meta.sorted_fields for each in f.constraints or ()
        )
        named = {
            *_REFERENCES.findall(raw),
            *(target._meta.table_name for target in model._meta.refs.values()),
        }
        before[name] = named & tables.keys() - {name}
    try:
        return [tables[name] for name in TopologicalSorter(before).static_order()]
    except CycleError:
        return models


def _shadow(database: Backend, models: Sequence[Any]) -> dict[str, Table]:
    if isinstance(database, EmbeddedSqlite):
        scratch = EmbeddedSqlite(":memory:")
        scratch.connect()
        with closing(scratch):
            return _build(scratch, models)
    schema = f"shadow_{secrets.token_hex(4)}"
    with database.atomic() as transaction:
        try:
            database.execute_sql(f"CREATE SCHEMA {schema}")
            database.execute_sql(f"SET LOCAL search_path TO {schema}")
            return _build(database, models)
        finally:
            # Rolled back, so that nobody ever sees it.
            transaction.rollback(False)


def _build(database: Backend, models: Sequence[Any]) -> dict[str, Table]:
    for model in models:
        manager = peewee.SchemaManager(model, database)
        strict, model._meta.strict_tables = model._meta.strict_tables, isinstance(database, EmbeddedSqlite)
        try:
            manager.create_all(safe=False)
        finally:
            model._meta.strict_tables = strict
    return read_catalog(database)
