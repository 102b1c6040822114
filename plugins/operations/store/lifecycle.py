"""Start and end of an operation, each in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from plugins.operations.models import Operation, OperationWindow
from plugins.operations.rules.lifecycle import Status, advance
from plugins.operations.rules.linking import NO_ROLE, Roles
from plugins.operations.rules.values import ChannelRef, OperationType, OperationView, Summary
from plugins.operations.store.channels import close_all, open_channels, refuse_taken
from plugins.operations.store.linking import settle_links
from plugins.operations.store.participants import write_participants
from plugins.operations.store.reading import get_operation, participants_of, running_operations
from redlegion.database import ensure_guild


class AlreadyRunning(Exception):
    """Only one operation of a type runs in a guild at a time.

    :param operation: the one that runs.
    """

    def __init__(self, operation: OperationView) -> None:
        super().__init__(f"{operation.title} is running")
        self.operation = operation


class NotRunning(Exception):
    """The operation to end does not run (any more), or is not of this guild."""

    def __init__(self, operation: OperationView | None) -> None:
        super().__init__("the operation is not running")
        self.operation = operation


def start(
    guild_id: int,
    kind: OperationType,
    channels: Sequence[ChannelRef],
    *,
    title: str,
    initiator_id: int,
    text_channel_id: int | None,
    at: datetime,
    request_id: int | None = None,
    roles: Roles = NO_ROLE,
) -> tuple[OperationView, bool]:
    """Begin an operation: its row, its first window, its channels.

    :param at: aware; members who sit there already count from then on.
    :param request_id: the interaction behind it; asked twice, it begins once.
    :param roles: what is known of everybody's roles now.
    :returns: the operation, and whether it was begun by this call.
    :raises AlreadyRunning: one of this type runs.
    :raises ChannelsTaken: another running operation tracks one of the channels.
    """
    if request_id is not None:
        known = Operation.get_or_none(Operation.guild_id == guild_id, Operation.request_id == request_id)
        if known is not None:
            return _must_get(guild_id, known.id), False
    if running := running_operations(guild_id, kind.name):
        raise AlreadyRunning(running[0])
    refuse_taken(guild_id, channels)
    ensure_guild(guild_id)
    operation = Operation.create(
        guild_id=guild_id,
        type=kind.name,
        title=title,
        badge=kind.badge,
        status=advance(Status.PLANNED, Status.ACTIVE).value,
        initiator_id=initiator_id,
        request_id=request_id,
        text_channel_id=text_channel_id,
        started_at=at,
    )
    OperationWindow.create(operation_id=operation.id, opened=at)
    open_channels(operation.id, channels, at)
    settle_links(guild_id, operation.id, roles, at)
    return _must_get(guild_id, operation.id), True


def end(
    guild_id: int,
    operation_id: int,
    by: int,
    at: datetime,
    names: Mapping[int, str],
    *,
    roles: Roles = NO_ROLE,
) -> Summary:
    """End a running operation and write down who took part for how long.

    Members who still sit there count up to `at`; their voice sessions go on.

    :param by: who ended it.
    :param at: aware; everything the gateway said before it is committed.
    :param names: what members are called now; for the rest the users table is asked.
    :param roles: what is known of everybody's roles now, for sessions on which nothing is decided yet.
    :raises NotRunning: there is no such operation here, or it has ended.
    """
    row = Operation.get_or_none(Operation.guild_id == guild_id, Operation.id == operation_id)
    if row is None or row.status != Status.ACTIVE.value:
        raise NotRunning(get_operation(guild_id, operation_id))
    # A clock that was set back since the start (or since a channel was added) must not turn spans around.
    open_ones = OperationWindow.select().where(
        OperationWindow.operation_id == row.id, OperationWindow.closed.is_null()
    )
    at = max([at, row.started_at, *(window.opened for window in open_ones)])
    settle_links(guild_id, row.id, roles, at)
    OperationWindow.update(closed=at).where(
        OperationWindow.operation_id == row.id, OperationWindow.closed.is_null()
    ).execute()
    close_all(row.id, at)
    write_participants(guild_id, row.id, at, names)
    row.status = advance(row.status, Status.ENDED).value
    row.ended_at = at
    row.ended_by = by
    row.termination_type = "manual"
    row.save()
    return Summary(_must_get(guild_id, row.id), tuple(participants_of(guild_id, row.id)))


def _must_get(guild_id: int, operation_id: int) -> OperationView:
    view = get_operation(guild_id, operation_id)
    if view is None:
        raise LookupError(f"operation {operation_id} has just been written and is not there")
    return view
