"""Whether a voice session counts for a running operation: decisions, and how they follow each other. Pure.

A decision holds from its `since` until the next one of the same session, so that they are a history and
nothing is ever written over. Windows and tracked channels have exact spans of their own, which may still be
edited later; what a decision alone knows is whether the member held the role, so that is what credit is
clipped to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why a session counts or does not; the words are kept in the database."""

    COUNTS = "counts"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    UNTRACKED = "untracked"
    ROLE = "role"


#: Reasons for which a session counts; nobody loses time because nobody could tell which roles they held.
LINKING = frozenset({Reason.COUNTS, Reason.UNKNOWN})
_ELSEWHERE = frozenset({Reason.CLOSED, Reason.UNTRACKED})


@dataclass(frozen=True, slots=True)
class Roles:
    """What is known at one instant of who holds the role that the guild asks for.

    :param required: the guild asks for one.
    :param held: by user id, for those whose roles are known.
    """

    required: bool = False
    held: Mapping[int, bool] = field(default_factory=dict)

    def of(self, user_id: int) -> bool | None:
        """Return whether a member may earn time, None when that is not known."""
        return self.held.get(user_id) if self.required else True


NO_ROLE = Roles()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one session counts from an instant on.

    :param since: from when it holds, until the next one of this session.
    :param held: the member held the role, or none is asked for; None when nobody could tell.
    :param decided_at: when it was made.
    :param unseen_since: the roles changed at some time between then and when that was found; None when the
        change was seen, or there was none.
    """

    session_id: int
    user_id: int
    since: datetime
    reason: Reason
    held: bool | None
    decided_at: datetime
    unseen_since: datetime | None = None

    @property
    def linked(self) -> bool:
        """Whether the session counts."""
        return self.reason in LINKING


def reason_for(*, running: bool, tracked: bool, held: bool | None) -> Reason:
    """Return why a session counts or does not.

    :param running: a window of the operation is open.
    :param tracked: the channel counts for it.
    :param held: as in `Decision`.
    """
    if not running:
        return Reason.CLOSED
    if not tracked:
        return Reason.UNTRACKED
    if held is None:
        return Reason.UNKNOWN
    return Reason.COUNTS if held else Reason.ROLE


def first_decision(
    session_id: int,
    user_id: int,
    joined: datetime,
    at: datetime,
    *,
    running: bool,
    tracked: bool,
    held: bool | None,
) -> Decision:
    """Return the first decision on a session; it holds from the beginning of the stay."""
    reason = reason_for(running=running, tracked=tracked, held=held)
    return Decision(session_id, user_id, joined, reason, held, at)


def again(
    last: Decision,
    since: datetime,
    at: datetime,
    *,
    running: bool,
    tracked: bool,
    held: bool | None,
    unseen_since: datetime | None = None,
) -> Decision | None:
    """Return what has changed since the last decision on a session, None when nothing has.

    :param since: when it changed.
    :param at: now.
    :param held: as in `Decision`; None leaves it as it was.
    :param unseen_since: the roles changed at some time since then: what was taken counts until then, what
        was given from `since` on.
    """
    held = last.held if held is None else held
    reason = reason_for(running=running, tracked=tracked, held=held)
    if (reason, held) == (last.reason, last.held):
        return None
    missed = unseen_since if _earns(held) != _earns(last.held) else None
    if missed is not None and not _earns(held):
        since = missed
    since = max(since, last.since)
    if since == last.since:
        # It takes the place of the last one, and what that one rests on is no surer for it.
        missed = missed or last.unseen_since
    return replace(last, since=since, reason=reason, held=held, decided_at=at, unseen_since=missed)


def role_changed(
    past: Sequence[Decision],
    since: datetime,
    at: datetime,
    held: bool,
    unseen_since: datetime | None = None,
) -> list[Decision]:
    """Return the decisions on a session that a change of roles makes or corrects, if any.

    Those made meanwhile, before the news of the change came, are corrected too.

    :param past: the decisions on this session so far, in order; at least one.
    :param since: when the roles changed.
    :param at: now.
    :param unseen_since: as in `again`; None when the change was seen.
    """
    if unseen_since is not None and not held:
        since = max(unseen_since, past[0].since)
    before = [each for each in past if each.since <= since]
    later = [each for each in past if each.since > since]
    stood = (before or later)[-1 if before else 0]
    changed = []
    if before and stood.held is not held:
        changed.append(replace(_with_role(stood, held, at, unseen_since), since=since))
    # What was only found later is known now.
    return changed + [
        _with_role(each, held, at, None)
        for each in later
        if each.held is not held or each.unseen_since is not None
    ]


def _with_role(decision: Decision, held: bool, at: datetime, unseen_since: datetime | None) -> Decision:
    elsewhere = decision.reason in _ELSEWHERE
    reason = decision.reason if elsewhere else (Reason.COUNTS if held else Reason.ROLE)
    return replace(decision, reason=reason, held=held, decided_at=at, unseen_since=unseen_since)


def _earns(held: bool | None) -> bool:
    return held is not False


def unseen_changes(past: Collection[Decision]) -> tuple[tuple[datetime, datetime], ...]:
    """Return the spans at some instant of which the member's roles changed while nobody saw it."""
    return tuple(
        (each.unseen_since, max(each.since, each.decided_at))
        for each in past
        if each.unseen_since is not None
    )


def held_spans(
    past: Collection[Decision], start: datetime, end: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Return the spans in which the member held the role, or nobody could tell.

    :param past: the decisions on one session; the first of them says what was before it too.
    :param start: when the session began.
    :param end: when it ended, or an instant after everything that matters.
    """
    ordered = sorted(past, key=lambda each: each.since)
    bounds = [start, *(each.since for each in ordered[1:]), end]
    return tuple(
        (since, until)
        for each, since, until in zip(ordered, bounds, bounds[1:], strict=False)
        if each.held is not False and since < until
    )
