"""Which threads a database has, and how long a call may run in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.database.availability import Availability
from core.database.backends import Backend, ServerPostgres
from core.database.batch import Limits
from core.database.operations import Operation
from core.database.pool import Pool
from core.database.scheduling import Scheduler
from core.database.workers import Reader, Stats, Worker, Writer

BATCH = 200
#: Seconds that a slow write rests on SQLite, whose other writes cannot go on beside it.
_PAUSES = (0.2, 0.4, 0.8)
_SLOW_WRITERS = 2
#: Seconds that a write on PostgreSQL waits for slow ones; all runs and pauses of one on SQLite take as long.
KEY_PATIENCE = 2.0

Deliver = Callable[[Worker, list[Operation], bool], None]


@dataclass(frozen=True, slots=True)
class Staff:
    """Makes the threads of a database and their pools; on the event loop.

    :param handing_to: what a thread of the pool calls to give calls back.
    :param ended: called with calls that have ended.
    :param hard: seconds after which a call fails, `polite` after which it makes room for others.
    """

    backend: Backend
    stats: Stats
    availability: Availability
    handing_to: Callable[[Pool], Deliver]
    ended: Callable[[list[Operation]], None]
    hard: float
    polite: float

    def writers(self, count: int) -> Pool:
        """Return writers: on PostgreSQL with others for what is slow, on SQLite one that does all."""
        shared = isinstance(self.backend, ServerPostgres)
        scheduler = Scheduler(self.polite / 2)
        pool = Pool(
            scheduler,
            batch=BATCH,
            ended=self.ended,
            pauses=() if shared else _PAUSES,
            patience=KEY_PATIENCE,
            polite=self.polite,
        )

        def make(kind: str, number: int, *, slow: bool = False) -> Writer:
            return Writer(
                f"database-{kind}-{number}",
                self.backend,
                self.handing_to(pool),
                self.stats,
                self.availability,
                Limits(self.hard, None if slow else self.polite, only_in_company=not shared),
                crowded=lambda: scheduler.crowded,
                lazy=slow,
            )

        slow = [make("slow-writer", number, slow=True) for number in range(_SLOW_WRITERS if shared else 0)]
        pool.employ([make("writer", number) for number in range(count)], slow)
        return pool

    def readers(self) -> Pool:
        """Return a reader, and another for what is slow: neither database lets one wait for the other."""
        pool = Pool(Scheduler(self.polite / 2), batch=1, ended=self.ended)

        def make(name: str, *, slow: bool = False) -> Reader:
            return Reader(
                name,
                self.backend,
                self.handing_to(pool),
                self.stats,
                self.availability,
                Limits(self.hard, None if slow else self.polite),
                lazy=slow,
            )

        pool.employ([make("database-reader")], [make("database-slow-reader", slow=True)])
        return pool
