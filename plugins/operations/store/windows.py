"""The spans in which an operation counts, and how they are edited: planned first, then done."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.guilds import audit
from plugins.operations.models import Operation, OperationChannel, OperationWindow
from plugins.operations.rules.credit import TrackedSpan, Window, credit
from plugins.operations.rules.lifecycle import Status
from plugins.operations.rules.linking import NO_ROLE, Roles
from plugins.operations.rules.values import OperationView
from plugins.operations.rules.windows import Bounds, Edit, edited, stretched
from plugins.operations.store.participants import write_participants
from plugins.operations.store.reading import get_operation, namesakes
from plugins.operations.store.redeciding import redecide
from plugins.operations.store.standing import credit_until, known_names, record_with
from plugins.operations.store.voiding import AlreadyPaid
from plugins.operations.store.window_checks import refuse_folded, refuse_taken_then, windows_of

EDITED = "operation.windows"


class NoSuchOperation(LookupError):
    """This guild has no operation of this id whose windows could be edited."""


class WindowsChanged(Exception):
    """Somebody has edited the windows since the edit was planned."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What an edit means for one member, in whole seconds of credit."""

    user_id: int
    before: int
    after: int

    @property
    def change(self) -> int:
        """How much the member gains; less than 0 for a loss."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Planned:
    """An edit of an operation's windows.

    :param gains: of everybody with credit before or after, the largest change first.
    :param names: what is known of their names: of participants, that of the time.
    :param mark: tells the windows before the edit from others.
    :param namesakes: ids of other operations of this title.
    """

    operation: OperationView
    before: tuple[Bounds, ...]
    after: tuple[Bounds, ...]
    gains: tuple[Gain, ...]
    names: Mapping[int, str]
    mark: int
    namesakes: tuple[int, ...] = ()


def plan_windows(
    guild_id: int, operation_id: int, edit: Edit, at: datetime, roles: Roles = NO_ROLE
) -> Planned:
    """Return what an edit would come to, and change nothing.

    A channel that counted from the first instant on, or to the last, goes on doing so.

    :param at: now.
    :param roles: what is known of everybody's roles now, for sessions on which nothing is decided yet.
    :raises NoSuchOperation: there is none here that runs or has ended.
    :raises AlreadyPaid: its payroll is locked.
    :raises EditRefused: the windows cannot become what is asked for.
    :raises ChannelsTaken: a channel would count for two operations at once.
    :raises OnlySums: sessions of the time that would come to it were folded.
    """
    operation = _editable(guild_id, operation_id)
    before = windows_of(guild_id, operation_id)
    after = edited(before, edit, at)
    spans = _spans(operation_id)
    further = _stretched(spans, before, after)
    tracked = [(channel, further.get(row, span)) for row, (channel, span) in spans.items()]
    refuse_taken_then(guild_id, operation_id, list(spans.values()), tracked, at)
    refuse_folded(guild_id, {channel for channel, _span in tracked}, before, after, at)
    until = operation.ended_at or at
    held = roles if operation.ended_at is None else NO_ROLE
    earned = credit_until(guild_id, operation_id, until, held)
    record = record_with(
        guild_id,
        operation_id,
        [Window(opened, closed or at) for opened, closed in after],
        [TrackedSpan(channel, added, removed or at) for channel, (added, removed) in tracked],
        at,
        roles,
    )
    found = credit(record.stays, record.windows, record.tracked)
    return _planned(
        guild_id,
        operation,
        before,
        after,
        {user: each.seconds for user, each in earned.items()},
        {user: each.seconds for user, each in found.items()},
    )


def edit_windows(  # noqa: PLR0917 - who, what and when
    guild_id: int,
    operation_id: int,
    edit: Edit,
    by: int,
    at: datetime,
    roles: Roles = NO_ROLE,
    names: Mapping[int, str] | None = None,
    mark: int | None = None,
) -> Planned:
    """Edit the windows of an operation, and all that follows from them; audited.

    Which sessions count is decided anew, also of time gone by, and what was earned in an operation that has
    ended is computed anew.

    :param by: the officer.
    :param names: what members are called now.
    :param mark: the plan's, so that nothing is done that nobody has looked at; None does not look.
    :returns: what was done.
    :raises WindowsChanged: they are not those of the plan any more.
    :raises Exception: whatever `plan_windows` raises; nothing is changed then.
    """
    plan = plan_windows(guild_id, operation_id, edit, at, roles)
    if mark is not None and mark != plan.mark:
        raise WindowsChanged
    OperationWindow.delete().where(OperationWindow.operation_id == operation_id).execute()
    for opened, closed in plan.after:
        OperationWindow.create(operation_id=operation_id, opened=opened, closed=closed)
    spans = _spans(operation_id)
    for span, (added, removed) in _stretched(spans, plan.before, plan.after).items():
        OperationChannel.update(added=added, removed=removed).where(OperationChannel.id == span).execute()
    row = Operation.get_by_id(operation_id)
    row.started_at = plan.after[0][0]
    if row.ended_at is not None:
        row.ended_at = plan.after[-1][1]
    row.save()
    redecide(guild_id, operation_id, [*plan.before, *plan.after], roles, at)
    earned = credit_until(guild_id, operation_id, row.ended_at or at)
    if row.ended_at is not None:
        write_participants(guild_id, operation_id, row.ended_at, names or {})
    before, after = {"windows": _iso(plan.before)}, {"windows": _iso(plan.after)}
    audit.record(guild_id, by, EDITED, str(operation_id), before, after, at)
    return _planned(
        guild_id,
        _editable(guild_id, operation_id),
        plan.before,
        plan.after,
        {each.user_id: each.before for each in plan.gains},
        {user: each.seconds for user, each in earned.items()},
    )


def _editable(guild_id: int, operation_id: int) -> OperationView:
    operation = get_operation(guild_id, operation_id)
    if operation is None or operation.status not in {Status.ACTIVE.value, Status.ENDED.value}:
        raise NoSuchOperation(operation_id)
    if operation.payroll_processed:
        raise AlreadyPaid(operation)
    return operation


def _spans(operation_id: int) -> dict[int, tuple[int, Bounds]]:
    """Return (channel id, (added, removed)) by the id of the row."""
    query: Any = OperationChannel.select(
        OperationChannel.id, OperationChannel.channel_id, OperationChannel.added, OperationChannel.removed
    ).where(OperationChannel.operation_id == operation_id)
    return {row: (channel, (added, removed)) for row, channel, added, removed in query.tuples()}


def _stretched(
    spans: Mapping[int, tuple[int, Bounds]], before: Sequence[Bounds], after: Sequence[Bounds]
) -> dict[int, Bounds]:
    changed = dict(stretched([span for _channel, span in spans.values()], before, after))
    return {row: changed[span] for row, (_channel, span) in spans.items() if span in changed}


def _planned(  # noqa: PLR0917 - what a plan is made of
    guild_id: int,
    operation: OperationView,
    before: Sequence[Bounds],
    after: Sequence[Bounds],
    earned: Mapping[int, int],
    then: Mapping[int, int],
) -> Planned:
    gains = [Gain(user, earned.get(user, 0), then.get(user, 0)) for user in sorted({*earned, *then})]
    names = known_names([each.user_id for each in gains])
    return Planned(
        operation,
        tuple(before),
        tuple(after),
        tuple(sorted(gains, key=lambda each: (-abs(each.change), each.user_id))),
        names,
        zlib.crc32(repr(list(before)).encode()),
        namesakes(guild_id, operation),
    )


def _iso(windows: Sequence[Bounds]) -> list[list[str | None]]:
    return [
        [opened.isoformat(), None if closed is None else closed.isoformat()] for opened, closed in windows
    ]
