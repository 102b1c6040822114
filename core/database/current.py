"""The process's current database and clock: what models and their defaults are bound to."""

from __future__ import annotations

from datetime import datetime

import peewee

from core.clock import Clock, SystemClock

#: All models are bound to this; `open_database` points it at the database that is open now.
proxy = peewee.DatabaseProxy()

_clock: Clock = SystemClock()


def use_clock(clock: Clock) -> None:
    """Make `clock` the one that `current_now` reads."""
    global _clock  # noqa: PLW0603 - one database and one clock are current per process, by contract
    _clock = clock


def current_now() -> datetime:
    """Return the time of the open database's clock, aware, in UTC; the default of time columns."""
    return _clock.now()
