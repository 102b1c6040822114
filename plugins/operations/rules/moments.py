"""An instant as people write it: "21:05", "2026-09-06 21:05", "20 min ago". Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

from core.guilds.durations import read_duration
from core.i18n import translate as _

_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?::(\d{2}))?\s*([ap]\.?m\.?)?", re.IGNORECASE)
_AGO = re.compile(r"(.+?)\s*\bago", re.IGNORECASE)
_STAMP = re.compile(r"<t:(\d{1,12})(?::[a-zA-Z])?>")
_NOON = 12
_DAYS_AROUND = (-1, 0, 1)


def read_moment(text: str, *, zone: tzinfo, now: datetime, near: datetime) -> datetime:
    """Return the instant that a text means, in UTC and whole seconds.

    :param text: "21:05", "9:05 pm", "20 min ago", "now", "2026-09-06 21:05", with or without an offset from
        UTC, or a timestamp as Discord writes it.
    :param zone: in which times without an offset are.
    :param now: aware.
    :param near: aware; a time of day is that of the day on which it comes nearest to this, and not of
        tomorrow.
    :raises ValueError: it cannot be read; the message is a whole sentence.
    """
    plain = " ".join(text.split())
    found: datetime | None
    if plain.casefold() == "now":
        found = now
    elif stamp := _STAMP.fullmatch(plain):
        found = datetime.fromtimestamp(int(stamp[1]), UTC)
    elif ago := _AGO.fullmatch(plain):
        found = _ago(ago[1], now, plain)
    elif clock := _CLOCK.fullmatch(plain):
        found = _nearest(_time(clock, plain), zone, near, now)
    else:
        found = _iso(plain, zone)
    if found is None:
        raise ValueError(
            _("On that day {time} does not exist: the clocks go forward there.").format(time=_quoted(plain))
        )
    return found.astimezone(UTC).replace(microsecond=0)


def _ago(span: str, now: datetime, text: str) -> datetime:
    try:
        back = read_duration(span)
        if back >= timedelta():
            return now - back
    except (ValueError, OverflowError):
        pass
    raise _unreadable(text)


def _time(found: re.Match[str], text: str) -> time:
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if half := found[4]:
        if not 1 <= hour <= _NOON:
            raise _unreadable(text)
        hour = hour % _NOON + (_NOON if half[0].lower() == "p" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise _unreadable(text) from None


def _nearest(clock: time, zone: tzinfo, near: datetime, now: datetime) -> datetime | None:
    day = near.astimezone(zone).date()
    around = [
        _exact(datetime.combine(day + timedelta(days=days), clock), zone, near) for days in _DAYS_AROUND
    ]
    if around[1] is None:
        # The clocks skip this time of day on the very day that is meant.
        return None
    real = [each for each in around if each is not None]
    today = now.astimezone(zone).date()
    past = [each for each in real if each.astimezone(zone).date() <= today]
    return min(past or real, key=lambda each: abs(each - near))


def _iso(text: str, zone: tzinfo) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        if not re.search(r"\d[T ]\d", text):
            raise _unreadable(text)
        return _exact(found, zone, None)
    except (ValueError, OverflowError):
        raise _unreadable(text) from None


def _exact(local: datetime, zone: tzinfo, near: datetime | None) -> datetime | None:
    """Return a local time as an instant, None where the clocks skip it; of two, the one nearer to `near`."""
    found = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = sorted(each for each in found if each.astimezone(zone).replace(tzinfo=None, fold=0) == local)
    if not real:
        return None
    return real[0] if near is None else min(real, key=lambda each: abs(each - near))


def _unreadable(text: str) -> ValueError:
    return ValueError(_("I cannot read {text} as a time.").format(text=_quoted(text)))


def _quoted(text: str) -> str:
    return f"“{text[:40]}”"
