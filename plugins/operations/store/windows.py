"""The spans in which a running operation counts, and how they are edited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from plugins.operations.models import Operation, OperationWindow
from plugins.operations.rules.lifecycle import Status
from plugins.operations.store.linking import relink


class WindowsRefused(Exception):
    """These windows cannot be those of the operation; the message says why, for a log."""


def windows_of(guild_id: int, operation_id: int) -> list[tuple[datetime, datetime | None]]:
    """Return the windows of an operation, oldest first; empty for another guild's."""
    query: Any = (
        OperationWindow.select(OperationWindow.opened, OperationWindow.closed)
        .join(Operation)
        .where(Operation.guild_id == guild_id, Operation.id == operation_id)
        .order_by(OperationWindow.opened, OperationWindow.id)
    )
    return list(query.tuples())


def edit_windows(
    guild_id: int,
    operation_id: int,
    windows: Sequence[tuple[datetime, datetime | None]],
    at: datetime,
) -> None:
    """Replace the windows of a running operation; credit follows, for time gone by too.

    A channel counts from when it was added, whatever the windows say.

    :param windows: (opened, closed), `closed` None for the one that is open; at least one.
    :param at: now; no window may begin or end later.
    :raises WindowsRefused: the operation does not run here, or the windows are upside down or in the future.
    """
    row = Operation.get_or_none(
        Operation.guild_id == guild_id, Operation.id == operation_id, Operation.status == Status.ACTIVE.value
    )
    if row is None:
        raise WindowsRefused(f"no operation {operation_id} runs in guild {guild_id}")
    if not windows or sum(closed is None for _opened, closed in windows) > 1:
        raise WindowsRefused("an operation has at least one window, and at most one that is open")
    for opened, closed in windows:
        if opened > at or (closed is not None and not opened <= closed <= at):
            raise WindowsRefused(f"a window from {opened} to {closed} ends before it begins, or after now")
    OperationWindow.delete().where(OperationWindow.operation_id == operation_id).execute()
    for opened, closed in sorted(windows, key=lambda each: each[0]):
        OperationWindow.create(operation_id=operation_id, opened=opened, closed=closed)
    relink(guild_id, operation_id, at)
