"""How amounts, times and reasons are written for people; the same in Discord, PDF and CSV."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from plugins.payroll.rules.amounts import AmountError, Reason
from plugins.payroll.rules.report import OreLine
from redlegion import translate as _

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def auec(amount: int) -> str:
    """Return 1234567 as "1,234,567"."""
    return f"{amount:,}"


def scu(centi_scu: int) -> str:
    """Return hundredths of an SCU as "1,234.50"."""
    return f"{centi_scu // 100:,}.{centi_scu % 100:02}"


def percent(basis_points: int) -> str:
    """Return 1250 basis points as "12.5 %"."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + " %"


def share(seconds: int, total: int) -> str:
    """Return the part of `total` as a percentage with two decimals, half up."""
    if total <= 0:
        return "0.00 %"
    points = (seconds * 20_000 + total) // (2 * total)
    return f"{points // 100}.{points % 100:02} %"


def hms(seconds: int) -> str:
    """Return seconds as h:mm:ss."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def duration(seconds: int) -> str:
    """Return seconds as "2 h 10 min", "10 min" or "45 s"."""
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
    if minutes:
        return _("{minutes} min").format(minutes=minutes)
    return _("{seconds} s").format(seconds=seconds)


def month(when: datetime) -> str:
    """Return "Sep 2025"."""
    return f"{MONTHS[when.month - 1]} {when.year}"


def utc(when: datetime) -> str:
    """Return "2026-03-01 18:00 UTC"."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def source_of(line: OreLine) -> str:
    """Return where a line's price comes from: "offline sample, Sep 2025" or who typed it."""
    if line.overridden_by is not None:
        return _("typed by {name}").format(name=line.overridden_by_name or line.overridden_by)
    return f"{line.price_source}, {month(line.price_as_of)}"


def price_lists(lines: Iterable[OreLine]) -> str:
    """Return the sources of several lines: "offline sample, Jan 2025 to Sep 2025" or with "typed" added."""
    lines = list(lines)
    listed = [line for line in lines if line.overridden_by is None and line.price is not None]
    parts = []
    for source in sorted({line.price_source for line in listed}):
        dates = sorted(line.price_as_of for line in listed if line.price_source == source)
        first, last = month(dates[0]), month(dates[-1])
        span = first if first == last else _("{first} to {last}").format(first=first, last=last)
        parts.append(f"{source}, {span}")
    if any(line.overridden_by is not None for line in lines):
        parts.append(_("typed prices"))
    return "; ".join(parts) or _("none")


def form_label(form: str) -> str:
    """Return the word for refined or raw."""
    return _("refined") if form == "refined" else _("raw")


def quantity_problem(error: AmountError) -> str:
    """Say why a quantity cannot be used, and how to write it."""
    text = _shortened(error.text)
    match error.reason:
        case Reason.NEGATIVE:
            return _("“{text}” is negative. Write 0 or leave it empty if none was sold.").format(text=text)
        case Reason.TOO_MANY_DECIMALS:
            return _(
                "“{text}” has more than two decimals. Write at most two, like 12.50; "
                "for thousands use no separator or a space, like 1 234."
            ).format(text=text)
        case Reason.TOO_LARGE:
            return _("“{text}” is absurdly large. The most is 1,000,000 SCU.").format(text=text)
        case _:
            return _("“{text}” is not a number. Write SCU like 12, 12.5 or 1 234.25.").format(text=text)


def price_problem(error: AmountError) -> str:
    """Say why a price cannot be used, and how to write it."""
    text = _shortened(error.text)
    match error.reason:
        case Reason.TOO_LARGE:
            return _("“{text}” is absurdly large. The most is 1,000,000,000 aUEC per SCU.").format(text=text)
        case Reason.NOT_A_NUMBER:
            return _("“{text}” is not a number. Write whole aUEC per SCU, like 22210.").format(text=text)
        case _:
            return _(
                "“{text}” is not a whole price above zero. Write whole aUEC per SCU, like 22210."
            ).format(text=text)


def percent_problem(error: AmountError) -> str:
    """Say why a percentage cannot be used."""
    return _("“{text}” is not a percentage from 0 to 100 with at most two decimals.").format(
        text=_shortened(error.text)
    )


def _shortened(text: str) -> str:
    # A backtick or a line break in what was typed must not break the message that quotes it.
    flat = " ".join(text.replace("`", "'").split())
    return flat if len(flat) <= 24 else flat[:23] + "…"
