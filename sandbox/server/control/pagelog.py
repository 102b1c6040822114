"""The log in two sizes: a line for each entry, and one entry whole."""

from __future__ import annotations

from typing import Any

from sandbox.server.errors import Refused
from sandbox.server.world import World

Json = dict[str, Any]
_BODIES = frozenset({"request", "response", "data", "headers"})


def lines(world: World, after: int, limit: int) -> list[Json]:
    """Return the newest entries after a number, oldest first, numbered and without their bodies."""
    entries = world.log.entries
    first = world.log.total - len(entries)
    start = max(after + 1 - first, len(entries) - limit, 0)
    return [
        {"number": first + place} | {key: value for key, value in entry.items() if key not in _BODIES}
        for place, entry in enumerate(entries[start:], start)
    ]


def entry(world: World, number: int) -> Json:
    """Return one entry with its bodies. Raises Refused (404) when it is gone or was never there."""
    entries = world.log.entries
    first = world.log.total - len(entries)
    if not first <= number < world.log.total:
        raise Refused(f"the log keeps the entries {first} to {world.log.total - 1}, not {number}", 404)
    return {"number": number} | entries[number - first]
