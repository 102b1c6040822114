"""Whose tables a plugin's models touch: its own, with references only to what it may rest on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee

from core.database import CORE_SCHEMA, BaseModel, CentiScu, Instant, Money, Schema
from core.plugins.problems import Problems

HOOK = "register_schema"
RESTRICTS = "use Reference, which restricts"
#: Columns of every entity; they hold no time that anybody is owed.
_STAMPS = frozenset({"created_at", "updated_at"})
_REFERENCES = re.compile(r"\bREFERENCES\s+\"?(\w+)\"?(?:\s*\([^)]*\))?([^,]*)", re.IGNORECASE)
_ON_DELETE = re.compile(
    r"\bON\s+DELETE\s+(RESTRICT|CASCADE|SET\s+NULL|SET\s+DEFAULT|NO\s+ACTION)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key as a model says it.

    :param target: the table that it points at.
    :param on_delete: in capitals, NO ACTION where nothing is said.
    """

    target: str
    on_delete: str


def checked_schema(
    name: str, answer: Any, required: Mapping[str, Schema | None], rivals: set[str], problems: Problems
) -> Schema | None:
    """Return a plugin's schema, if every table in it is its own and every reference is allowed.

    :param required: the schemas of the plugins that it requires, directly or not.
    :param rivals: the names of all other plugins.
    """
    if not isinstance(answer, Schema) or answer.name != name:
        problems.add(HOOK, f"it must return Schema({name!r}, models, migrations)")
        return None
    if not isinstance(answer.migrations, Path) or not answer.migrations.is_dir():
        problems.add(HOOK, f"migrations must be the path of a folder, and {answer.migrations} is none")
        return None
    before = len(problems)
    models: Sequence[object] = answer.models
    for model in models:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            problems.add(HOOK, f"a model derives from redlegion.database.BaseModel, {model!r} does not")
    if len(problems) == before:
        mine = [model._meta.table_name for model in answer.models]
        for table in sorted({table for table in mine if mine.count(table) > 1}):
            problems.add(HOOK, f"two models have the table {table}")
        allowed = _tables(CORE_SCHEMA).union(
            *(_tables(each) for each in required.values() if each is not None)
        )
        for model in answer.models:
            for reason in _wrong_with(name, model, {*mine}, allowed, rivals):
                problems.add(HOOK, reason)
    return answer if len(problems) == before else None


def _wrong_with(name: str, model: Any, mine: set[str], allowed: set[str], rivals: set[str]) -> Iterator[str]:
    table: str = model._meta.table_name
    # A plugin `loans_extra` beside `loans`: the longest name that fits is the owner.
    if table in _tables(CORE_SCHEMA):
        yield f"the table {table} belongs to the core"
        return
    owner = max((n for n in {*rivals, name} if table.startswith(f"{n}_")), key=len, default=None)
    if owner is None:
        yield f"the table {table} must be named {name}_..., as tables bear their plugin's name"
    elif owner != name:
        yield f"the table {table} bears the name of the plugin {owner}; name it {name}_..."
    elif table == f"{name}_migration":
        yield f"the table {table} is where the bot keeps which migrations were applied; name it otherwise"
    for link in links_of(model):
        inside = link.target in mine
        if not inside and link.target not in allowed:
            yield (
                f"{table} refers to {link.target}, which belongs neither to this plugin nor to the core nor "
                "to a plugin that it requires"
            )
        elif not inside and link.on_delete != "RESTRICT":
            yield f"{table} refers to {link.target} with ON DELETE {link.on_delete}; {RESTRICTS}"
        elif link.on_delete not in {"RESTRICT", "NO ACTION"} and (precious := _precious(model)) is not None:
            yield (
                f"{table} holds money, ore or time ({precious}), which no ON DELETE {link.on_delete} may "
                f"take away; {RESTRICTS}"
            )


def links_of(model: Any) -> Iterator[Link]:
    """Return the foreign keys of a model, those in plain SQL included."""
    raw = list(model._meta.constraints or ())
    for field in model._meta.sorted_fields:
        if isinstance(field, peewee.ForeignKeyField) and field.rel_model is not None:
            yield Link(field.rel_model._meta.table_name, (field.on_delete or "NO ACTION").upper())
        raw += field.constraints or ()
    for constraint in raw:
        for target, rest in _REFERENCES.findall(str(getattr(constraint, "sql", constraint))):
            said = _ON_DELETE.search(rest)
            yield Link(target, " ".join(said[1].upper().split()) if said else "NO ACTION")


def _precious(model: Any) -> str | None:
    """Return a column that holds money, ore or time, or None."""
    for field in model._meta.sorted_fields:
        if isinstance(field, Money | CentiScu | Instant) and field.name not in _STAMPS:
            return str(field.column_name)
    return None


def _tables(schema: Schema) -> set[str]:
    return {model._meta.table_name for model in schema.models}
