"""What stands against new windows of an operation: another operation, or time that is kept as sums only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from plugins.operations.models import Operation, OperationChannel, OperationWindow
from plugins.operations.rules.spans import Span, intersection, union, us
from plugins.operations.rules.windows import Bounds
from plugins.operations.store.channels import ChannelsTaken
from redlegion.voice import folded_within


class OnlySums(Exception):
    """Part of the time that would count is kept as daily sums only, so nobody can say who sat where then."""


def windows_of(guild_id: int, operation_id: int) -> list[Bounds]:
    """Return the windows of an operation, oldest first; empty for another guild's."""
    query: Any = (
        OperationWindow.select(OperationWindow.opened, OperationWindow.closed)
        .join(Operation)
        .where(Operation.guild_id == guild_id, Operation.id == operation_id)
        .order_by(OperationWindow.opened, OperationWindow.id)
    )
    return list(query.tuples())


def refuse_taken_then(
    guild_id: int,
    operation_id: int,
    now: Sequence[tuple[int, Bounds]],
    then: Sequence[tuple[int, Bounds]],
    at: datetime,
) -> None:
    """Check that no channel comes to count for two operations at one time.

    :param now: (channel id, (added, removed)) as they are.
    :param then: the same spans, in the same order, as they are to be.
    :param at: now; what is open goes on to it.
    :raises ChannelsTaken: some would.
    """
    channels = {channel for (channel, span), (_same, new) in zip(now, then, strict=True) if span != new}
    if not channels:
        return
    others: Any = (
        OperationChannel.select(
            OperationChannel.channel_id,
            OperationChannel.added,
            OperationChannel.removed,
            Operation.id,
            Operation.title,
        )
        .join(Operation)
        .where(
            Operation.guild_id == guild_id,
            Operation.id != operation_id,
            OperationChannel.channel_id.in_(sorted(channels)),
            OperationChannel.added <= at,
            OperationChannel.removed.is_null()
            | (OperationChannel.removed > min(span[0] for _channel, span in then)),
        )
    )
    titles: dict[int, str] = {}
    for channel, added, removed, other, title in others.tuples():
        ran = _closed(windows_of(guild_id, other), at)
        theirs = intersection(_closed([(added, removed)], at), ran)
        for (mine, span), (_same, new) in zip(now, then, strict=True):
            fresh = _new_part(span, new, at)
            if mine == channel and intersection(fresh, theirs):
                titles[channel] = title
    if titles:
        raise ChannelsTaken(titles)


def _new_part(span: Bounds, new: Bounds, at: datetime) -> list[Span]:
    parts = [(us(new[0]), us(span[0]))]
    if span[1] is not None and new[1] is not None:
        parts.append((us(span[1]), us(new[1])))
    return union(parts)


def refuse_folded(
    guild_id: int, channels: set[int], before: Sequence[Bounds], after: Sequence[Bounds], at: datetime
) -> None:
    """Check that nothing was folded in what the windows gain.

    :param channels: those that count for the operation.
    :param at: now; what is open goes on to it.
    :raises OnlySums: something was.
    """
    old = _closed(before, at)
    for opened, closed in after:
        new = (us(opened), us(closed or at))
        fresh = new[1] - new[0] > sum(end - start for start, end in intersection([new], old))
        if fresh and folded_within(guild_id, channels, opened, closed or at):
            raise OnlySums


def _closed(windows: Sequence[Bounds], at: datetime) -> list[Span]:
    return union((us(opened), us(closed or max(at, opened))) for opened, closed in windows)
