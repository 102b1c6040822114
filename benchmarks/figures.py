"""Figures of several rounds: median, least and most, and the ratio to the baseline round by round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, with the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of the values of at least one round."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of ours beside the same figure of a baseline, measured by turns.

    :param benchmark: slash, voice, voice_scale, start, sandbox, writes, dispatch or isolation.
    :param figure: what was measured, in words.
    :param unit: of both.
    :param digits: how many decimals a person wants to see.
    :param baseline_name: what it is compared with.
    :param baseline: one value a round.
    :param ours: one value a round, taken right after the baseline's.
    """

    benchmark: str
    figure: str
    unit: str
    digits: int
    baseline_name: str
    baseline: tuple[float, ...]
    ours: tuple[float, ...]

    @property
    def ratio(self) -> Spread:
        """Return ours divided by the baseline."""
        return Spread.of([mine / base for mine, base in zip(self.ours, self.baseline, strict=True)])

    def as_json(self) -> dict[str, Any]:
        """Return it with its spreads and the single rounds."""
        return {
            "benchmark": self.benchmark,
            "figure": self.figure,
            "unit": self.unit,
            "better": "higher" if self.unit.startswith("/") else "lower",
            "baseline_name": self.baseline_name,
            "rounds": len(self.ours),
            "baseline": asdict(Spread.of(self.baseline)),
            "ours": asdict(Spread.of(self.ours)),
            "ratio": asdict(self.ratio),
            "baseline_rounds": list(self.baseline),
            "ours_rounds": list(self.ours),
        }


class Rounds:
    """Collects the values of named figures, one a round, per bot."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], list[float]] = {}

    def add(self, bot: str, **figures: float) -> None:
        """Note what a bot took in the round that is over."""
        for name, value in figures.items():
            self._values.setdefault((bot, name), []).append(value)

    def values(self, bot: str, figure: str) -> tuple[float, ...]:
        """Return the values of a figure, one a round."""
        return tuple(self._values[bot, figure])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
