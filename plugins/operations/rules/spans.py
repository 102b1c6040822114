"""Arithmetic of half-open spans in whole microseconds: pure, and what credit and statistics rest on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000

#: (start, end) in microseconds since 1970; the end is not part of it.
Span = tuple[int, int]


def us(at: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def instant(microseconds: int) -> datetime:
    """Return microseconds since 1970 as an instant in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def seconds(microseconds: int) -> int:
    """Return whole seconds, rounded half up."""
    return (microseconds + SECOND // 2) // SECOND


def length(spans: Iterable[Span]) -> int:
    """Return how many microseconds lie in any of the spans."""
    return sum(end - start for start, end in union(spans))


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the same instants as sorted, disjoint, non-empty spans."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def intersection(left: list[Span], right: list[Span]) -> list[Span]:
    """Return the instants in both; each side sorted and disjoint."""
    both = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            both.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return both
