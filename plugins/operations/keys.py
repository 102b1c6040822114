"""What the buttons of this plugin carry: numbers, put together with dots."""

from __future__ import annotations

from redlegion import UserError
from redlegion import translate as _

_LARGEST = 2**63 - 1
_MOST_DIGITS = 19


def numbers(key: str, count: int) -> list[int]:
    """Return the numbers in a key.

    :raises UserError: the message is from a version whose keys were others.
    """
    parts = key.split(".")
    good = [
        each
        for each in parts
        if each.isascii() and each.isdecimal() and len(each) <= _MOST_DIGITS and int(each) <= _LARGEST
    ]
    if len(parts) != count or len(good) != count:
        raise old_message()
    return [int(each) for each in good]


def old_message() -> UserError:
    """Return the refusal of a button whose key says nothing that this version knows."""
    return UserError(
        _("This message is from an older version of me and no longer works."),
        _("Run the command again to get a fresh one."),
    )
