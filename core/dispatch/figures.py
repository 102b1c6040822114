"""Counts and times per (plugin, hook), in a space that does not grow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import log2

#: Buckets per doubling of the time, so that a percentile is at most a fifth too high.
PER_DOUBLING = 4
#: From a microsecond to more than an hour.
BUCKETS = 32 * PER_DOUBLING


@dataclass(frozen=True, slots=True)
class HookFigure:
    """What one hook of one plugin has done so far.

    :param delivered: calls that ended well.
    :param failed: calls that raised, were cancelled or took too long; `timed_out` are part of them.
    :param dropped: events that it never saw, by a full lane or an open breaker.
    :param p50: seconds that a call took, as `p99` and `longest`; 0 before the first one.
    """

    plugin: str
    hook: str
    delivered: int
    failed: int
    timed_out: int
    dropped: int
    p50: float
    p99: float
    longest: float


class _Line:
    __slots__ = ("buckets", "delivered", "dropped", "failed", "longest", "timed_out")

    def __init__(self) -> None:
        self.delivered = self.failed = self.timed_out = self.dropped = 0
        self.longest = 0.0
        self.buckets = [0] * BUCKETS

    def percentile(self, share: float) -> float:
        """Return the upper end of the bucket in which `share` of the calls have ended."""
        needed = share * (self.delivered + self.failed)
        seen = 0
        for number, count in enumerate(self.buckets):
            seen += count
            if count and seen >= needed:
                return min(self.longest, 1e-6 * (2 ** ((number + 1) / PER_DOUBLING) - 1))
        return 0.0


class Figures:
    """Collects what calls took and how they ended."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], _Line] = {}

    def ended(self, plugin: str, hook: str, ran: float, *, failed: bool, timed_out: bool) -> None:
        """Note the end of a call.

        :param ran: seconds.
        """
        line = self._lines.get((plugin, hook)) or self._line(plugin, hook)
        if failed:
            line.failed += 1
            line.timed_out += timed_out
        else:
            line.delivered += 1
        line.longest = max(line.longest, ran)
        line.buckets[min(BUCKETS - 1, int(PER_DOUBLING * log2(1.0 + 1e6 * max(0.0, ran))))] += 1

    def dropped(self, plugin: str, hook: str) -> None:
        """Note an event that a plugin was not told of."""
        self._line(plugin, hook).dropped += 1

    def all(self) -> list[HookFigure]:
        """Return the figures of every hook that was called, by name."""
        return [
            HookFigure(
                plugin,
                hook,
                line.delivered,
                line.failed,
                line.timed_out,
                line.dropped,
                line.percentile(0.50),
                line.percentile(0.99),
                line.longest,
            )
            for (plugin, hook), line in sorted(self._lines.items())
        ]

    def counted(self, what: str) -> Counter[tuple[str, str]]:
        """Return one count per (plugin, hook): delivered, failed, timed_out or dropped."""
        counts = Counter({key: getattr(line, what) for key, line in self._lines.items()})
        return +counts

    def _line(self, plugin: str, hook: str) -> _Line:
        return self._lines.setdefault((plugin, hook), _Line())
