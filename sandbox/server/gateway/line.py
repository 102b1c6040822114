"""What is wrong with the way of a session's dispatches to its client."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sandbox.server.clock import WorldClock
    from sandbox.server.gateway.session import Session

_NEVER_HELD = frozenset({"READY", "RESUMED"})
Numbered = tuple[int, str]
_T = TypeVar("_T")


@dataclass(slots=True)
class Line:
    """The faults of one session; they outlast its connections.

    ``holding``: dispatches wait to be released, with ``gather`` so many at the most; ``mixed``: they leave
    in another order than they came. The next ``twice`` dispatches (only those called ``twice_event``, if
    given) leave two times. Each leaves ``delay`` later. The next resume begins ``overlap`` dispatches
    before the first that the client has missed, and with ``replay_mixed`` in another order.
    """

    clock: WorldClock
    random: random.Random
    holding: bool = False
    mixed: bool = False
    gather: int = 0
    twice: int = 0
    twice_event: str | None = None
    delay: timedelta = timedelta()
    overlap: int = 0
    replay_mixed: bool = False
    held: list[Numbered] = field(default_factory=list)
    late: deque[tuple[datetime, Numbered]] = field(default_factory=deque)

    def take(self, session: Session, event: str, one: Numbered) -> None:
        """Take a dispatch on its way, and let out what may leave now."""
        if event in _NEVER_HELD:
            session.deliver([one])
            return
        copies = [one]
        if self.twice and self.twice_event in {None, event}:
            self.twice -= 1
            copies = [one, one]
        if self.holding:
            self.held += copies
            if self.gather and len(self.held) >= self.gather:
                self.release(session)
        elif self.delay or self.late:
            due = self.clock.now() + self.delay
            if self.late:
                due = max(due, self.late[-1][0])
            self.late += [(due, each) for each in copies]
            self._wake(session, due)
        else:
            session.deliver(copies)

    def release(self, session: Session) -> int:
        """Let out all that is held, in one write, and hold no longer; returns how many dispatches."""
        waiting = shuffled(self.held, self.random) if self.mixed else self.held
        self.holding = self.mixed = False
        self.gather, self.held = 0, []
        if session.connection is not None:
            session.deliver(waiting)
        return len(waiting)

    def replay(self, session: Session, after: int) -> list[str] | None:
        """Return what a resume after a number sends, or None when it is no longer kept.

        What waits here is part of it and waits no longer.
        """
        missed = session.missed(after)
        if missed is None:
            return None
        if self.overlap:
            missed = session.missed(max(session.kept_from - 1, after - self.overlap)) or missed
        self.held, self.overlap = [], 0
        self.late.clear()
        if self.replay_mixed:
            self.replay_mixed = False
            return shuffled(missed, self.random)
        return missed

    def _wake(self, session: Session, due: datetime) -> None:
        async def arrive() -> None:
            now, waiting = self.clock.now(), list[Numbered]()
            while self.late and self.late[0][0] <= now:
                waiting.append(self.late.popleft()[1])
            if waiting and session.connection is not None:
                session.deliver(waiting)

        self.clock.call_at(due, arrive)


def shuffled(given: Sequence[_T], by: random.Random) -> list[_T]:
    """Return the same things in another order, if there is one."""
    order = list(range(len(given)))
    by.shuffle(order)
    if order == sorted(order):
        order.reverse()
    return [given[each] for each in order]
