"""All tables of the project: their schemas, filled with odd values, and read back to compare."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import peewee

from core.clock import SystemClock
from core.database import CORE_SCHEMA, Instant, JsonText, Reference, Schema
from core.database.backends import Backend
from core.database.catalog import read_catalog
from core.database.opening import use
from core.database.schema import own_connection

PLUGINS = Path(__file__).parents[2] / "plugins"
ROWS = 6
LARGEST = 2**63 - 1
_NUMBERS = (0, 1, -1, LARGEST, -LARGEST - 1, 1_428_000_000_000_000_001)
_TEXTS = (
    "",
    "Zo\u00eb \U0001f680 \u202eright to left\u202c \u0130 \uffff",
    "a line\nand\r\nanother\ttab \\N \\. \\x41 \x1a\x7f\x01",
    "'quoted' \"twice\" `thrice` %s {} $1 ?",
    "cut\0here",
    "long " * 4_000,
)
_TIMES = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, 0, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
)
_JSON: tuple[Any, ...] = (
    {},
    [],
    {"a": None, "b": [True, 1.5e-7, "\u2028"], "\U0001f680": {"n": 2**63 - 1}},
    {"text": 'with "quotes", \\ and \n'},
    [[[[]]]],
    {"0": 0.1},
)
_HOUR = timedelta(hours=1)


def _money(number: int) -> dict[str, Any]:
    return {
        "gross": 4 * number,
        "expenses": number,
        "org_cut": number,
        "fees": number,
        "payouts_total": number,
    }


#: Columns whose values a CHECK or a unique index narrows down, by table.
_NARROW: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "voice_sessions": lambda n: {
        "status": ("active", "completed", "cancelled")[n % 3],
        "left": None if n == 0 else _TIMES[2] + _HOUR * n,
        "joined": _TIMES[2],
    },
    "jobs": lambda n: {"state": ("waiting", "running", "done", "dead")[n % 4]},
    "market_material": lambda n: {
        "form": ("refined", "raw", "gem")[n % 3],
        "price": (None, 1, LARGEST)[n % 3],
    },
    "operations_operation": lambda n: {
        "status": ("planned", "ended", "active")[n % 3],
        "termination_type": (None, "manual")[n % 2],
        "started_at": _TIMES[2],
        "ended_at": None if n == 0 else _TIMES[3],
    },
    "operations_window": lambda n: {"opened": _TIMES[4], "closed": None if n == 0 else _TIMES[3]},
    "operations_channel": lambda n: {"added": _TIMES[4], "removed": None if n == 0 else _TIMES[3]},
    "operations_participant": lambda n: {"seconds": n * 10**17, "status": ("left", "banned")[n % 2]},
    "operations_session": lambda n: {"reason": ("counts", "unknown", "closed", "untracked", "role")[n % 5]},
    "payroll_payroll": lambda n: {
        "state": "locked" if n else "draft",
        "form": "raw",
        "locked_at": _TIMES[n] if n else None,
        **_money(n * 10**17),
    },
    "payroll_ore": lambda n: {
        "centi_scu": None if n == 0 else LARGEST,
        "price": None if n == 0 else LARGEST,
    },
    "payroll_payslip": lambda n: {"seconds": n, "gross": 2 * n, "fee": n, "net": n},
}


def all_schemas() -> list[Schema]:
    """Return the core's schema and that of every plugin of the project, required ones first."""
    needs: dict[str, Sequence[str]] = {}
    for path in PLUGINS.glob("*/manifest.toml"):
        needs[path.parent.name] = tomllib.loads(path.read_text(encoding="utf-8")).get("requires", ())
    modules = [importlib.import_module(f"plugins.{name}") for name in TopologicalSorter(needs).static_order()]
    return [CORE_SCHEMA, *(m.register_schema() for m in modules if hasattr(m, "register_schema"))]


@contextmanager
def bound(url: str) -> Iterator[Backend]:
    """A connection to which the models are bound."""
    with own_connection(url) as backend:
        use(backend, SystemClock())
        yield backend


def models_of(schemas: Sequence[Schema]) -> list[Any]:
    """Return all models, those that others refer to first."""
    order: Any = vars(peewee)["sort_models"]
    return list(order([model for schema in schemas for model in schema.models]))


def fill(url: str, schemas: Sequence[Schema]) -> None:
    """Put rows with odd values into every table; row 0 has every null that it may have."""
    with bound(url) as backend, backend.atomic():
        for model in models_of(schemas):
            for number in range(ROWS):
                model.insert(**_row(model, number)).execute()


def _row(model: Any, number: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in model._meta.sorted_fields:
        if isinstance(field, peewee.AutoField):
            values[field.name] = number + 10
        elif isinstance(field, Reference):
            key = field.rel_model._meta.primary_key
            values[field.name] = number + 10 if isinstance(key, peewee.AutoField) else _NUMBERS[number]
        elif number == 0 and field.null:
            values[field.name] = None
        else:
            values[field.name] = _value(field, number)
    if model._meta.table_name == "payroll_payroll":
        values["operation_id"] = number + 10
    return values | _NARROW.get(model._meta.table_name, lambda _: {})(number)


def _value(field: Any, number: int) -> Any:
    match field:
        case Instant():
            return _TIMES[number]
        case JsonText():
            return _JSON[number]
        case peewee.BooleanField():
            return number % 2 == 0
        case peewee.BigIntegerField():
            return _NUMBERS[number]
        case peewee.IntegerField():
            return (0, -(2**31), 2**31 - 1, 1, 2, 3)[number]
        case peewee.TextField():
            return _TEXTS[number]
    raise AssertionError(f"say what an odd value of {type(field).__name__} is")


def everything(url: str, schemas: Sequence[Schema]) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all models, by table, in the order of their keys."""
    with bound(url):
        return {
            model._meta.table_name: list(model.select().order_by(model._meta.primary_key).dicts())
            for model in models_of(schemas)
        }


def tables(url: str) -> set[str]:
    """Return the names of the tables that there are."""
    with own_connection(url) as backend:
        return set(read_catalog(backend))
