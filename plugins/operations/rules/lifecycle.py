"""Which state of an operation may follow which, and what an operation is called."""

from __future__ import annotations

from datetime import datetime, tzinfo
from enum import StrEnum
from types import MappingProxyType

from plugins.operations.rules.values import OperationType


class Status(StrEnum):
    """Where an operation is in its life."""

    PLANNED = "planned"
    ACTIVE = "active"
    ENDING = "ending"
    SYNCING = "syncing"
    ENDED = "ended"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


# Ending, syncing and completed are states of the table already, so that rows written today stay
# valid; nothing leads into or out of them until a type with a countdown exists.
TRANSITIONS = MappingProxyType(
    {
        Status.PLANNED: frozenset({Status.ACTIVE, Status.CANCELLED}),
        Status.ACTIVE: frozenset({Status.ENDED, Status.CANCELLED}),
        Status.ENDING: frozenset[Status](),
        Status.SYNCING: frozenset[Status](),
        Status.ENDED: frozenset[Status](),
        Status.COMPLETED: frozenset[Status](),
        Status.CANCELLED: frozenset[Status](),
    }
)


class IllegalTransition(Exception):
    """An operation was asked to go where its state does not lead.

    :param current: the state it is in.
    :param wanted: the state that was asked for.
    """

    def __init__(self, current: Status, wanted: Status) -> None:
        super().__init__(f"an operation that is {current} cannot become {wanted}")
        self.current = current
        self.wanted = wanted


def advance(current: str, wanted: Status) -> Status:
    """Return the state an operation is in after the step.

    :param current: its state now, as stored.
    :param wanted: the state to go to.
    :raises IllegalTransition: the table has no such step.
    """
    state = Status(current)
    if wanted not in TRANSITIONS[state]:
        raise IllegalTransition(state, wanted)
    return wanted


def title_for(kind: OperationType, started_at: datetime, tz: tzinfo) -> str:
    """Return what people read, for example "Sunday Mining - 2026-09-06".

    :param kind: the type of the operation.
    :param started_at: aware.
    :param tz: the guild's time zone: late on a Saturday in UTC can be Sunday already.
    """
    return f"{kind.title} - {started_at.astimezone(tz).strftime(kind.date_format)}"
