"""Which voice sessions count for a running operation: decided and kept. Every function may run twice.

All are for the writer, whose transactions come one after the other; each looks at what is decided already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from core.database import VoiceSession
from core.events import SessionRecord
from core.voice.store import read_records
from plugins.operations.models import Operation, OperationChannel, OperationSession, OperationWindow
from plugins.operations.rules import linking
from plugins.operations.rules.lifecycle import Status
from plugins.operations.rules.linking import Decision, Reason, Roles
from plugins.operations.rules.windows import Bounds
from redlegion.database import current_now

ROWS_PER_STATEMENT = 500


def anything_runs(guild_id: int) -> bool:
    """Return whether an operation runs in a guild."""
    return bool(_running_ids(guild_id))


def guilds_that_run() -> list[int]:
    """Return in which guilds an operation runs."""
    query: Any = Operation.select(Operation.guild_id).where(Operation.status == Status.ACTIVE.value)
    return [row[0] for row in query.distinct().tuples()]


def link_session(
    guild_id: int, session: SessionRecord, roles: Roles, at: datetime, *, passed_on: bool = False
) -> None:
    """Decide on a session that has just begun, for every running operation; what is decided stays.

    :param roles: what is known of the member's roles now.
    :param at: now.
    :param passed_on: it has changed its channel, so what was decided on it is decided again.
    """
    for operation_id in _running_ids(guild_id):
        if passed_on:
            _decide_again(operation_id, [session], at, None)
        _decide(operation_id, [session], roles, at)


def settle_links(
    guild_id: int, operation_id: int, roles: Roles, at: datetime, unseen_since: datetime | None = None
) -> None:
    """Decide on the sessions of an operation that nothing is decided on, and again on those that go on.

    :param roles: what is known of everybody's roles now.
    :param at: changes count from here.
    :param unseen_since: roles have changed at some time since then, which nobody saw; None: at `at`.
    """
    sessions = sessions_within(guild_id, operation_id, at)
    _decide(operation_id, sessions, roles, at)
    going_on = [each for each in sessions if each.left is None or each.left > at]
    _decide_again(operation_id, going_on, at, roles, unseen_since)


def resync_links(guild_id: int, roles: Roles, at: datetime, unseen_since: datetime | None = None) -> None:
    """Settle every running operation of a guild: events may have been missed; see `settle_links`."""
    for operation_id in _running_ids(guild_id):
        settle_links(guild_id, operation_id, roles, at, unseen_since)


def relink(guild_id: int, operation_id: int, at: datetime) -> None:
    """Decide again on the open sessions after windows or tracked channels have changed.

    :param at: when they changed; roles stay as they were last seen.
    """
    sessions = [each for each in sessions_within(guild_id, operation_id, at) if each.left is None]
    _decide_again(operation_id, sessions, at, None)


def change_role(  # noqa: PLR0917 - who, what and when
    guild_id: int,
    user_id: int,
    held: bool,
    since: datetime,
    at: datetime,
    unseen_since: datetime | None = None,
) -> None:
    """Note that a member was given the role that the guild asks for, or lost it.

    Sessions on which nothing is decided yet are left to what decides on them first.

    :param since: when the roles changed, or when that was heard of.
    :param at: now.
    :param unseen_since: they changed at some time from then to `since`; None: at `since`.
    """
    from_then = since if unseen_since is None else unseen_since
    for operation_id in _running_ids(guild_id):
        sessions = [
            each
            for each in sessions_within(guild_id, operation_id, at, user_id)
            if each.left is None or each.left > (from_then if not held else since)
        ]
        past = decisions_on(operation_id, [each.id for each in sessions])
        for session in sessions:
            if session.id in past:
                own = max(since, session.joined)
                changed = linking.role_changed(past[session.id], own, at, held, unseen_since)
                keep(operation_id, changed)


def decisions_on(operation_id: int, session_ids: Collection[int]) -> dict[int, list[Decision]]:
    """Return what was decided on sessions, in order, by session id."""
    found: dict[int, list[Decision]] = defaultdict(list)
    ids = sorted(session_ids)
    for start in range(0, len(ids), ROWS_PER_STATEMENT):
        chunk = ids[start : start + ROWS_PER_STATEMENT]
        _read(found, OperationSession.operation_id == operation_id, OperationSession.session_id.in_(chunk))
    return dict(found)


def decisions_of(operation_id: int, user_id: int | None = None) -> dict[int, list[Decision]]:
    """Return what was decided for an operation, in order, by session id.

    :param user_id: only on this member's sessions; None for all.
    """
    found: dict[int, list[Decision]] = defaultdict(list)
    own = [] if user_id is None else [OperationSession.user_id == user_id]
    _read(found, OperationSession.operation_id == operation_id, *own)
    return dict(found)


def sessions_within(
    guild_id: int, operation_id: int, at: datetime, user_id: int | None = None
) -> list[SessionRecord]:
    """Return the sessions that overlap an operation from its first window to its last, voided ones too.

    :param at: now; what goes on goes on to it.
    """
    windows = _windows(operation_id)
    return sessions_around(guild_id, windows, at, user_id) if windows else []


def sessions_around(
    guild_id: int, windows: Collection[Bounds], at: datetime, user_id: int | None = None
) -> list[SessionRecord]:
    """Return the sessions that overlap the span from the first of some windows to the last.

    :param windows: at least one.
    :param at: now; what goes on goes on to it.
    """
    start = min(opened for opened, _closed in windows)
    end = max(closed or at for _opened, closed in windows)
    query = VoiceSession.select().where(
        VoiceSession.guild_id == guild_id,
        VoiceSession.joined <= end,
        VoiceSession.left.is_null() | (VoiceSession.left > start),
        VoiceSession.afk == False,  # noqa: E712 - an SQL expression
    )
    if user_id is not None:
        query = query.where(VoiceSession.user_id == user_id)
    return read_records(query)


def _read(found: dict[int, list[Decision]], *conditions: Any) -> None:
    rows: Any = (
        OperationSession.select(
            OperationSession.session_id,
            OperationSession.user_id,
            OperationSession.since,
            OperationSession.reason,
            OperationSession.held,
            OperationSession.decided_at,
            OperationSession.unseen_since,
        )
        .where(*conditions)
        .order_by(OperationSession.session_id, OperationSession.since)
    )
    for session_id, user_id, since, reason, held, decided_at, unseen_since in rows.tuples():
        found[session_id].append(
            Decision(session_id, user_id, since, Reason(reason), held, decided_at, unseen_since)
        )


def _running_ids(guild_id: int) -> list[int]:
    query: Any = Operation.select(Operation.id).where(
        Operation.guild_id == guild_id, Operation.status == Status.ACTIVE.value
    )
    return [row[0] for row in query.order_by(Operation.id).tuples()]


def _windows(operation_id: int) -> list[tuple[datetime, datetime | None]]:
    query: Any = OperationWindow.select(OperationWindow.opened, OperationWindow.closed).where(
        OperationWindow.operation_id == operation_id
    )
    return list(query.tuples())


def _tracked(operation_id: int) -> frozenset[int]:
    query: Any = OperationChannel.select(OperationChannel.channel_id).where(
        OperationChannel.operation_id == operation_id, OperationChannel.removed.is_null()
    )
    return frozenset(row[0] for row in query.tuples())


def _runs(operation_id: int, at: datetime) -> bool:
    return any(opened <= at and (closed is None or at < closed) for opened, closed in _windows(operation_id))


def _decide(operation_id: int, sessions: Sequence[SessionRecord], roles: Roles, at: datetime) -> None:
    known = decisions_on(operation_id, [each.id for each in sessions])
    fresh = [each for each in sessions if each.id not in known]
    if not fresh:
        return
    running, tracked = _runs(operation_id, at), _tracked(operation_id)
    keep(
        operation_id,
        [
            linking.first_decision(
                each.id,
                each.user_id,
                each.joined,
                at,
                running=running,
                tracked=each.channel_id in tracked,
                held=roles.of(each.user_id),
            )
            for each in fresh
        ],
    )


def _decide_again(
    operation_id: int,
    sessions: Sequence[SessionRecord],
    at: datetime,
    roles: Roles | None,
    unseen_since: datetime | None = None,
) -> None:
    known = decisions_on(operation_id, [each.id for each in sessions])
    running, tracked = _runs(operation_id, at), _tracked(operation_id)
    changed = (
        linking.again(
            known[each.id][-1],
            at,
            at,
            running=running,
            tracked=each.channel_id in tracked,
            held=roles.of(each.user_id) if roles is not None else None,
            unseen_since=unseen_since,
        )
        for each in sessions
        if each.id in known
    )
    keep(operation_id, [each for each in changed if each is not None])


def keep(operation_id: int, decisions: Iterable[Decision]) -> None:
    """Store decisions; one of the same session and the same `since` takes the place of the other."""
    now = current_now()
    rows = [
        {
            "created_at": now,
            "updated_at": now,
            "operation_id": operation_id,
            "session_id": each.session_id,
            "user_id": each.user_id,
            "since": each.since,
            "linked": each.linked,
            "reason": each.reason.value,
            "held": each.held,
            "decided_at": each.decided_at,
            "unseen_since": each.unseen_since,
        }
        for each in decisions
    ]
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        OperationSession.insert_many(rows[start : start + ROWS_PER_STATEMENT]).on_conflict(
            conflict_target=[
                OperationSession.operation_id,
                OperationSession.session_id,
                OperationSession.since,
            ],
            preserve=[
                OperationSession.updated_at,
                OperationSession.linked,
                OperationSession.reason,
                OperationSession.held,
                OperationSession.decided_at,
                OperationSession.unseen_since,
            ],
        ).execute()
