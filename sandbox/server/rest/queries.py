"""What stands behind the question mark of a request, and the reason in its header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.errors import invalid_form

if TYPE_CHECKING:
    from sandbox.server.rest.router import Call


def number(call: Call, name: str, default: int, low: int, high: int) -> int:
    """Return a whole number of the query. Raises RestError 50035."""
    given = call.query.get(name)
    if given is None:
        return default
    if not given.lstrip("-").isdigit():
        raise invalid_form((name,), "NUMBER_TYPE_COERCE", f'Value "{given}" is not int.')
    value = int(given)
    if value < low:
        words = f"int value should be greater than or equal to {low}."
        raise invalid_form((name,), "NUMBER_TYPE_MIN", words)
    if value > high:
        raise invalid_form((name,), "NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.")
    return value


def optional_id(call: Call, name: str) -> int | None:
    """Return an id of the query, None when it is absent. Raises RestError 50035."""
    given = call.query.get(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 21):
        raise invalid_form((name,), "NUMBER_TYPE_COERCE", f'Value "{given}" is not snowflake.')
    return int(given)


def flag(call: Call, name: str) -> bool:
    """Return whether the query says yes."""
    return call.query.get(name, "").lower() in {"1", "true"}


def page(call: Call, ids: list[int], default: int, most: int) -> list[int]:
    """Return the part of ascending ids that ``before``, ``after`` and ``limit`` ask for.

    Raises RestError 50035.
    """
    limit = number(call, "limit", default, 1, most)
    before, after = optional_id(call, "before"), optional_id(call, "after")
    found = [each for each in ids if (before is None or each < before) and (after is None or each > after)]
    return found[-limit:] if before is not None and after is None else found[:limit]
