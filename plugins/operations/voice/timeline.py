"""What the picture of an operation shows: whose row, which colour, which time marks. No drawing here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from plugins.operations.rules.statistics import MemberEvening, Step

#: Rows of one picture.
MOST_ROWS = 60
#: Okabe and Ito's colours, told apart by people of any colour vision; black is left for letters.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
#: Channels with a look of their own; each colour comes plain and with a line through it.
MOST_LOOKS = 2 * len(COLOURS)
#: Widths of the time marks, in minutes.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)


@dataclass(frozen=True, slots=True)
class Look:
    """How a channel is drawn.

    :param lined: with a line through the middle.
    """

    colour: str
    lined: bool = False


OTHER = Look("#5B6470")


@dataclass(frozen=True, slots=True)
class Row:
    """One member.

    :param label: the place in the list and the name.
    :param total: the credited time, in words.
    """

    label: str
    total: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is drawn.

    :param windows: (opened, closed), oldest first; at least one.
    :param channels: names by id, in the order of the legend.
    :param looks: by channel id.
    :param zone: of the time marks.
    :param words: labels: "running", "estimated", "uncounted", "voided", "either", "others", "nobody".
    """

    title: str
    subtitle: str
    windows: tuple[tuple[datetime, datetime], ...]
    channels: Mapping[int, str]
    looks: Mapping[int, Look]
    rows: tuple[Row, ...]
    zone: tzinfo
    words: Mapping[str, str]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when to when it goes: the windows with a little on both sides."""
        start, end = self.windows[0][0], max(closed for _opened, closed in self.windows)
        beside = max((end - start) / 50, timedelta(seconds=30))
        return start - beside, end + beside


def looks_for(members: Sequence[MemberEvening], channels: Mapping[int, str]) -> dict[int, Look]:
    """Return how each channel is drawn in which anybody sat, in the order of `channels`.

    With more channels than looks, those with the least time share one.

    :param members: all of the operation, so that every page has the same colours.
    """
    used: Counter[int] = Counter()
    for member in members:
        for step in member.steps:
            used[step.channel_id] += max(step.seconds, 1)
    own = {channel for channel, _seconds in used.most_common(MOST_LOOKS)}
    looks: dict[int, Look] = {}
    place = 0
    for channel in channels:
        if channel in own:
            looks[channel] = Look(COLOURS[place % len(COLOURS)], lined=place >= len(COLOURS))
            place += 1
        elif channel in used:
            looks[channel] = OTHER
    return looks


def time_marks(start: datetime, end: datetime, zone: tzinfo, most: int) -> list[tuple[datetime, str]]:
    """Return (instant, label) of the marks on the time axis, at round times of a zone.

    Where the clocks change, a label says from which mark on it is in which part of the year.

    :param most: marks that there is room for.
    """
    minutes = (end - start) / timedelta(minutes=1)
    step = next((each for each in _STEPS if minutes / each <= most), 0)
    if not step:
        step = 1440 * (int(minutes / 1440 / most) + 1)
    local = start.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    marks: list[tuple[datetime, str]] = []
    named = None if clocks_change(start, end, zone) else local.tzname()
    for at in _instants(midnight.replace(tzinfo=None), end, zone, step):
        if at < start:
            continue
        shown = at.astimezone(zone)
        if step >= 1440 or (shown.hour, shown.minute) == (0, 0):
            marks.append((at, shown.strftime("%d %b")))
            continue
        # Over days the hours do not come twice.
        if shown.tzname() != named and step <= 60:
            named = shown.tzname()
            marks.append((at, shown.strftime("%H:%M %Z")))
        else:
            marks.append((at, shown.strftime("%H:%M")))
    return marks


def clocks_change(start: datetime, end: datetime, zone: tzinfo) -> bool:
    """Say whether a zone's clocks show another part of the year at the end of a span than at its start."""
    return start.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset()


def _instants(naive: datetime, end: datetime, zone: tzinfo, step: int) -> list[datetime]:
    """Return when a zone's clocks show every `step` minutes from a time on, up to `end`, in order."""
    found: set[datetime] = set()
    while True:
        at = naive.replace(tzinfo=zone).astimezone(UTC)
        if at > end:
            return sorted(found)
        # A time that the clocks skip; a day begins all the same.
        if step >= 1440 or at.astimezone(zone).replace(tzinfo=None) == naive:
            found.add(at)
        again = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
        # What they show twice is marked twice, if marks lie that close.
        if at < again <= end and step <= 60:
            found.add(again)
        naive += timedelta(minutes=step)
