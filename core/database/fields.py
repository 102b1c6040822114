"""Column types that mean the same on SQLite (STRICT tables) and on PostgreSQL."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

LARGEST = 2**63 - 1
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean_text(value: str) -> str:
    """Return `value` without NUL (PostgreSQL refuses it) and without lone surrogates (no UTF-8 for them)."""
    return _SURROGATES.sub("\ufffd", value.replace("\0", ""))


def _clean_json(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): _clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_json(item) for item in value]
    return value


def _whole(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} is a whole number, not {value!r}")
    if not -LARGEST - 1 <= value <= LARGEST:
        raise ValueError(f"{what} must fit in 64 bits, {value} does not")
    return value


class Instant(peewee.Field):
    """A point in time: aware in, aware UTC out, to the microsecond.

    TIMESTAMPTZ on PostgreSQL, INTEGER microseconds since 1970 on SQLite.
    """

    field_type = "INSTANT"

    def db_value(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError(f"{self.name} needs an aware datetime, not {value!r}")
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value if self._is_postgres() else (value - _UNIX) // _MICROSECOND

    def python_value(self, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return _UNIX + timedelta(microseconds=value)

    def _is_postgres(self) -> bool:
        database = self.model._meta.database
        if isinstance(database, peewee.Proxy):
            database = database.obj
        return isinstance(database, peewee.PostgresqlDatabase)


class WholeNumber(peewee.BigIntegerField):
    """A 64-bit whole number; floats, booleans and numbers written as text are refused, not rounded."""

    def adapt(self, value: Any) -> Any:
        return None if value is None else _whole(value, str(self.name))

    def python_value(self, value: Any) -> Any:
        # PostgreSQL's SUM of a BIGINT is NUMERIC.
        return None if value is None else int(value)


class Snowflake(WholeNumber):
    """An id: Discord's, or one of core.ids."""


class Money(WholeNumber):
    """Whole aUEC."""


class CentiScu(WholeNumber):
    """Hundredths of an SCU."""


class Text(peewee.TextField):
    """Text of any length."""

    def adapt(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            raise TypeError(f"{self.name} is text, not {value!r}")
        return clean_text(value)


class JsonText(peewee.TextField):
    """A dict or list, kept as JSON text: the same bytes on both databases, never queried inside."""

    def adapt(self, value: Any) -> Any:
        return value

    def db_value(self, value: Any) -> Any:
        if value is None:
            return None
        return json.dumps(_clean_json(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    def python_value(self, value: Any) -> Any:
        return None if value is None else json.loads(value)


class Reference(peewee.ForeignKeyField):
    """A foreign key that is read and written as the plain id, and restricts the deletion of its target.

    Name the field after its column (`guild_id = Reference(Guild)`): `row.guild_id` is the id, never a query.

    :param model: what is referred to.
    """

    def __init__(self, model: Any, **options: Any) -> None:
        options.setdefault("on_delete", "RESTRICT")
        super().__init__(model, lazy_load=False, backref="+", **options)
