"""Credit as it stands, from the voice sessions that the core recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from plugins.operations.models import Operation, OperationChannel, OperationWindow
from plugins.operations.rules.credit import Credit, Stay, TrackedSpan, Window, credit
from plugins.operations.rules.linking import NO_ROLE, Decision, Roles, held_spans, unseen_changes
from plugins.operations.rules.values import ChannelRef, OperationView
from plugins.operations.store.channels import tracked_channels
from plugins.operations.store.linking import decisions_of
from plugins.operations.store.reading import get_operation
from plugins.operations.store.voided import voided_between
from redlegion.database import User
from redlegion.voice import SessionRecord, sessions_between


@dataclass(frozen=True, slots=True)
class Progress:
    """A running operation, looked at once.

    :param sitting: user ids per tracked channel, in the order in which they sat down; with or without credit.
    :param credits: what each member has earned so far.
    :param names: what the users table knows of these members.
    """

    operation: OperationView
    channels: tuple[ChannelRef, ...]
    sitting: dict[int, tuple[int, ...]]
    credits: dict[int, Credit]
    names: dict[int, str]


@dataclass(frozen=True, slots=True)
class Record:
    """What credit and statistics are computed from."""

    stays: list[Stay]
    windows: list[Window]
    tracked: list[TrackedSpan]


def progress(guild_id: int, operation_id: int, at: datetime, roles: Roles = NO_ROLE) -> Progress | None:
    """Return how a running operation stands at `at`, or None when this guild has no such operation.

    :param roles: for the sessions on which nothing is decided yet.
    """
    operation = get_operation(guild_id, operation_id)
    if operation is None:
        return None
    channels = tracked_channels(guild_id, operation_id)
    sitting: dict[int, list[int]] = {channel.channel_id: [] for channel in channels}
    # The span is half open, and whoever sat down in this very instant sits there too.
    until = at + timedelta(microseconds=1)
    found = sessions_between(guild_id, operation.started_at, until, list(sitting))
    # Who earns nothing with a voided session sits there all the same.
    found += [session for session, _reason in voided_between(guild_id, operation.started_at, until)]
    for session in sorted(found, key=lambda each: (each.joined, each.id)):
        if session.left is None and session.channel_id in sitting:
            sitting[session.channel_id].append(session.user_id)
    credits_now = credit_until(guild_id, operation_id, at, roles)
    people = credits_now.keys() | {user for users in sitting.values() for user in users}
    return Progress(
        operation=operation,
        channels=tuple(channels),
        sitting={channel: tuple(users) for channel, users in sitting.items()},
        credits=credits_now,
        names=known_names(people),
    )


def voices(guild_id: int, operation_id: int, at: datetime, roles: Roles = NO_ROLE) -> list[int]:
    """Return the ids of the members with credit in an operation at `at`."""
    return list(credit_until(guild_id, operation_id, at, roles))


def credit_until(guild_id: int, operation_id: int, at: datetime, roles: Roles = NO_ROLE) -> dict[int, Credit]:
    """Return each member's credit up to `at`; open stays, windows and channels count up to it.

    :param roles: for the sessions on which nothing is decided yet.
    """
    found = record_until(guild_id, operation_id, at, roles)
    return credit(found.stays, found.windows, found.tracked)


def record_until(
    guild_id: int,
    operation_id: int,
    at: datetime,
    roles: Roles = NO_ROLE,
    user_id: int | None = None,
) -> Record:
    """Return what an operation's credit is computed from, up to `at`.

    :param roles: for the sessions on which nothing is decided yet.
    :param user_id: only this member's stays; None for all.
    """
    opened: Any = (
        OperationWindow.select(OperationWindow.opened, OperationWindow.closed)
        .where(OperationWindow.operation_id == operation_id)
        .order_by(OperationWindow.opened)
    )
    windows = [Window(start, at if end is None else end) for start, end in opened.tuples()]
    if not windows:
        return Record([], [], [])
    spans: Any = OperationChannel.select(
        OperationChannel.channel_id, OperationChannel.added, OperationChannel.removed
    ).where(OperationChannel.operation_id == operation_id)
    tracked = [
        TrackedSpan(channel_id, added, at if removed is None else removed)
        for channel_id, added, removed in spans.tuples()
    ]
    return record_with(guild_id, operation_id, windows, tracked, at, roles, user_id)


def record_with(  # noqa: PLR0917 - what a record is made of
    guild_id: int,
    operation_id: int,
    windows: list[Window],
    tracked: list[TrackedSpan],
    at: datetime,
    roles: Roles,
    user_id: int | None = None,
) -> Record:
    """Return what an operation's credit would be computed from, with windows and channels like these.

    :param windows: at least one.
    :param at: now, or when the operation ended; not before the end of the last window.
    """
    decided = decisions_of(operation_id, user_id)
    start = min(window.opened for window in windows)
    end = max(window.closed for window in windows)
    sessions = sessions_between(guild_id, start, end, user_id=user_id)
    # Stays in every channel: an estimated one beside the tracked channels says that time is unsure too.
    return Record(
        [stay_of(session, decided.get(session.id, ()), roles, at) for session in sessions], windows, tracked
    )


def resting_spans(guild_id: int, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the windows of this guild's operations that touch a span, whatever became of the operation.

    What was earned in them is computed from voice sessions, before and after a payroll.
    """
    opened: Any = (
        OperationWindow.select(OperationWindow.opened, OperationWindow.closed)
        .join(Operation)
        .where(
            Operation.guild_id == guild_id,
            OperationWindow.opened <= end,
            OperationWindow.closed.is_null() | (OperationWindow.closed >= start),
        )
    )
    return [(begun, closed or end) for begun, closed in opened.tuples()]


def stay_of(session: SessionRecord, decided: Sequence[Decision], roles: Roles, at: datetime) -> Stay:
    """Return a session as credit sees it.

    :param decided: what was decided on it, in order.
    :param roles: for a session on which nothing is decided yet.
    :param at: now, or when the operation ended.
    """
    # The end of an open stay is yet to come; the windows, closed at `at` or before, clip it.
    left = session.left or max(at, session.joined) + timedelta(seconds=1)
    held: tuple[tuple[datetime, datetime], ...] | None
    if decided:
        held = held_spans(decided, session.joined, left)
    else:
        held = () if roles.of(session.user_id) is False else None
    deafened = session.deafened_us
    if session.left is None and session.deafened_since is not None:
        deafened += max((at - session.deafened_since) // timedelta(microseconds=1), 0)
    return Stay(
        session.user_id,
        session.channel_id,
        session.joined,
        left,
        session.joined_estimated,
        session.left_estimated,
        held,
        deafened,
        session.left is None,
        unseen_changes(decided),
        session.via_channel_id,
    )


def known_names(user_ids: Collection[int]) -> dict[int, str]:
    """Return the names that the users table has for these people."""
    names: dict[int, str] = {}
    ids = sorted(user_ids)
    for start in range(0, len(ids), 500):
        query: Any = User.select(User.id, User.name).where(
            User.id.in_(ids[start : start + 500]), User.name != ""
        )
        names.update(query.tuples())
    return names
