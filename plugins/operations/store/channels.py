"""The voice channels that an operation tracks, and since when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from plugins.operations.models import Operation, OperationChannel
from plugins.operations.rules.values import ChannelRef, OperationView
from plugins.operations.store.linking import relink
from plugins.operations.store.reading import running_operations


def tracked_channels(guild_id: int, operation_id: int) -> list[ChannelRef]:
    """Return the channels that count for an operation now, in the order in which they were added."""
    query: Any = (
        OperationChannel.select(OperationChannel.channel_id, OperationChannel.name, OperationChannel.dispatch)
        .join(Operation)
        .where(
            Operation.guild_id == guild_id,
            Operation.id == operation_id,
            OperationChannel.removed.is_null(),
        )
        .order_by(OperationChannel.id)
    )
    return [ChannelRef(*row) for row in query.tuples()]


class ChannelsTaken(Exception):
    """A channel counts for one running operation at a time.

    :param titles: the title of the running operation per channel id.
    """

    def __init__(self, titles: Mapping[int, str]) -> None:
        super().__init__(f"channels in use: {dict(titles)}")
        self.titles = titles


def refuse_taken(guild_id: int, channels: Sequence[ChannelRef]) -> None:
    """Check that none of these channels counts for a running operation.

    :raises ChannelsTaken: some do.
    """
    query: Any = (
        OperationChannel.select(OperationChannel.channel_id, Operation.title)
        .join(Operation)
        .where(
            Operation.guild_id == guild_id,
            OperationChannel.channel_id.in_(sorted(channel.channel_id for channel in channels)),
            OperationChannel.removed.is_null(),
        )
    )
    if titles := dict(query.tuples()):
        raise ChannelsTaken(titles)


def open_channels(operation_id: int, channels: Sequence[ChannelRef], at: datetime) -> None:
    """Let channels count for an operation from `at` on."""
    for channel in channels:
        OperationChannel.create(
            operation_id=operation_id,
            channel_id=channel.channel_id,
            name=channel.name,
            dispatch=channel.dispatch,
            added=at,
        )


def channels_ever_tracked(guild_id: int, operation_id: int) -> set[int]:
    """Return the ids of all channels that count for an operation, or did at some time."""
    query: Any = (
        OperationChannel.select(OperationChannel.channel_id)
        .join(Operation)
        .where(Operation.guild_id == guild_id, Operation.id == operation_id)
    )
    return {row[0] for row in query.tuples()}


def set_dispatch(guild_id: int, type_name: str, channel_id: int) -> None:
    """Let the bot's seat be in another channel of the running operation of a type, if it tracks that one."""
    for operation in running_operations(guild_id, type_name):
        if any(each.channel_id == channel_id for each in tracked_channels(guild_id, operation.id)):
            OperationChannel.update(dispatch=OperationChannel.channel_id == channel_id).where(
                OperationChannel.operation_id == operation.id
            ).execute()


def track_channels(
    guild_id: int,
    type_name: str,
    channels: Sequence[ChannelRef],
    at: datetime,
    since: datetime | None = None,
) -> OperationView | None:
    """Let more channels count for the running operation of a type, from now on.

    Those that count for it already are left as they are.

    :param at: now, aware.
    :param since: from when time in them counts, not before the operation began; None for `at`.
    :returns: the operation, or None when none of this type runs.
    :raises ChannelsTaken: one counts for another running operation; nothing is changed.
    """
    running = running_operations(guild_id, type_name)
    if not running:
        return None
    operation = running[0]
    known = {channel.channel_id for channel in tracked_channels(guild_id, operation.id)}
    fresh = [channel for channel in channels if channel.channel_id not in known]
    refuse_taken(guild_id, fresh)
    open_channels(operation.id, fresh, max(at if since is None else since, operation.started_at))
    relink(guild_id, operation.id, at)
    return operation


def untrack_channel(guild_id: int, type_name: str, channel_id: int, at: datetime) -> OperationView | None:
    """End the counting of a channel for the running operation of a type; time so far stays credited.

    :returns: the operation for which it counted until now, or None when it did for none of this type.
    """
    for operation in running_operations(guild_id, type_name):
        if _close([operation.id], channel_id, at):
            relink(guild_id, operation.id, at)
            return operation
    return None


def close_channel(guild_id: int, channel_id: int, at: datetime) -> None:
    """End the counting of a channel that is gone, in whichever operation it counted."""
    for operation in running_operations(guild_id):
        if _close([operation.id], channel_id, at):
            relink(guild_id, operation.id, at)


def close_all(operation_id: int, at: datetime) -> None:
    """End the counting of every channel of an operation."""
    still = (OperationChannel.operation_id == operation_id) & OperationChannel.removed.is_null()
    OperationChannel.update(removed=at).where(still, OperationChannel.added <= at).execute()
    # The rest was added before the clock was set back: it counted for no time.
    OperationChannel.update(removed=OperationChannel.added).where(still).execute()


def _close(operation_ids: Collection[int], channel_id: int, at: datetime) -> bool:
    spans = OperationChannel.select().where(
        OperationChannel.operation_id.in_(sorted(operation_ids)),
        OperationChannel.channel_id == channel_id,
        OperationChannel.removed.is_null(),
    )
    closed = False
    for span in spans:
        # A clock that was set back must not make a span end before it began.
        span.removed = max(at, span.added)
        span.save()
        closed = True
    return closed


def dispatch_channel(guild_id: int) -> int | None:
    """Return where the bot's seat belongs: dispatch of the operation that was started last, or None.

    When the channel marked as dispatch no longer counts, the first one that does takes its place.
    """
    return dispatch(guild_id)[1]


def dispatch(guild_id: int) -> tuple[bool, int | None]:
    """Return whether any operation runs, and where the bot's seat belongs, as in `dispatch_channel`."""
    running = running_operations(guild_id)
    for operation in reversed(running):
        channels = tracked_channels(guild_id, operation.id)
        if channels:
            return True, next((each for each in channels if each.dispatch), channels[0]).channel_id
    return bool(running), None
