"""The JSON shapes that clients get, written out whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Json = dict[str, Any]


def stamp(moment: datetime) -> str:
    """Return a moment as Discord writes it."""
    return moment.isoformat(timespec="microseconds")


def optional_id(snowflake: int | None) -> str | None:
    """Return an id as a string, or None."""
    return None if snowflake is None else str(snowflake)
