"""Deciding anew which sessions count once the windows of an operation have been edited; for the writer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.events import SessionRecord
from plugins.operations.models import Operation, OperationChannel, OperationWindow
from plugins.operations.rules import linking
from plugins.operations.rules.credit import Stay, TrackedSpan, counted_part, counting_spans
from plugins.operations.rules.lifecycle import Status
from plugins.operations.rules.linking import Roles
from plugins.operations.rules.spans import Span, intersection, union, us
from plugins.operations.rules.windows import Bounds
from plugins.operations.store.linking import decisions_on, keep, relink, sessions_around


def redecide(guild_id: int, operation_id: int, touched: Sequence[Bounds], roles: Roles, at: datetime) -> None:
    """Decide again on every session that old or new windows reach, also on those that have ended.

    What was decided stays and is followed by what holds now; roles stay as they were last seen.

    :param touched: the windows before and after the edit, which is stored already.
    :param roles: what is known of everybody's roles now, for sessions on which nothing was decided.
    :param at: now.
    """
    sessions = sessions_around(guild_id, touched, at)
    running = Operation.get_by_id(operation_id).status == Status.ACTIVE.value
    ran = _ran(operation_id, at)
    counting = counting_spans(ran, _tracked(operation_id, at))
    known = decisions_on(operation_id, [each.id for each in sessions])
    fresh, again = [], []
    for each in sessions:
        lies = _lies(each, at, ran)
        where = bool(counted_part(_stay(each, at), counting))
        if each.id not in known:
            fresh.append(
                linking.first_decision(
                    each.id,
                    each.user_id,
                    each.joined,
                    at,
                    running=lies,
                    tracked=where,
                    held=roles.of(each.user_id),
                )
            )
        elif each.left is not None or not running:
            found = linking.again(known[each.id][-1], at, at, running=lies, tracked=where, held=None)
            again += [found] if found is not None else []
    keep(operation_id, [*fresh, *again])
    if running:
        relink(guild_id, operation_id, at)


def _lies(session: SessionRecord, at: datetime, ran: list[Span]) -> bool:
    stay = _stay(session, at)
    return bool(intersection(union([(us(stay.joined), us(stay.left))]), ran))


def _stay(session: SessionRecord, at: datetime) -> Stay:
    left = session.left if session.left is not None else max(at, session.joined)
    return Stay(session.user_id, session.channel_id, session.joined, left)


def _ran(operation_id: int, at: datetime) -> list[Span]:
    query: Any = OperationWindow.select(OperationWindow.opened, OperationWindow.closed).where(
        OperationWindow.operation_id == operation_id
    )
    return union((us(opened), us(closed or at)) for opened, closed in query.tuples())


def _tracked(operation_id: int, at: datetime) -> list[TrackedSpan]:
    query: Any = OperationChannel.select(
        OperationChannel.channel_id, OperationChannel.added, OperationChannel.removed
    ).where(OperationChannel.operation_id == operation_id)
    return [TrackedSpan(channel, added, removed or at) for channel, added, removed in query.tuples()]
