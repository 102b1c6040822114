"""Rates as people write them, "7.5 %", of the basis points that are kept: 100 of them are 1 %."""

from __future__ import annotations

import re

from core.i18n import translate as _

#: At most two decimals, behind a point or a comma; digits are in no groups, which a comma would make.
_RATE = re.compile(r"([+-]?)(\d{1,12})(?:[.,](\d{1,2}))?\s*%?", re.ASCII)


def rate_words(basis_points: int) -> str:
    """Return basis points as `read_rate` reads them, such as "7.5 %"."""
    sign = "-" if basis_points < 0 else ""
    whole, rest = divmod(abs(basis_points), 100)
    return sign + f"{whole}.{rest:02}".rstrip("0").rstrip(".") + " %"


def read_rate(text: str) -> int:
    """Return the basis points that a text such as "10 %", "7.5" or "0,25 %" means.

    :raises ValueError: it cannot be read; the message is the rest of a sentence about the setting.
    """
    found = _RATE.fullmatch(text.strip())
    if found is None:
        shown = " ".join(text.replace("`", "ˋ").split())[:40]
        raise ValueError(
            _("must be a percentage with at most two decimals, such as 7.5 %, not {given}").format(
                given=f"`{shown}`"
            )
        )
    sign, whole, rest = found.groups()
    value = int(whole) * 100 + int((rest or "").ljust(2, "0"))
    return -value if sign == "-" else value
