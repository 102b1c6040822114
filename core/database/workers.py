"""The threads that own the connections: one loop each, from the calls it is given to the database."""

from __future__ import annotations

import logging
import queue
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.clock import SystemClock
from core.database.availability import Availability, first_line
from core.database.backends import (
    Backend,
    ServerPostgres,
    connection_lost,
    may_retry,
    set_up_reader,
    set_up_writer,
)
from core.database.batch import Limits, Runner, TransactionLost, any_late
from core.database.errors import DatabaseUnavailable
from core.database.operations import Operation

logger = logging.getLogger("redlegion.database")

SLOW = 0.25
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_LOCK_LIMIT = 10.0
_CANCEL_LIMIT = 1.0
_TRIES_TOGETHER = 3
_TRIES_ALONE = 6
_monotonic = SystemClock().monotonic


@dataclass(slots=True)
class Stats:
    """Counters since the start.

    :param batches: transactions of writers that were committed.
    :param writes: calls that were written, appends included.
    :param reads: calls that were read.
    :param reruns: calls that ran again after a deadlock or a lost connection.
    :param reconnects: connections made anew.
    :param slow: calls that took longer than SLOW.
    :param yields: calls that were stopped and run again, so that others need not wait for them.
    :param slowest: seconds of the slowest call, and `slowest_name` its function.
    """

    batches: int = 0
    writes: int = 0
    reads: int = 0
    reruns: int = 0
    reconnects: int = 0
    slow: int = 0
    yields: int = 0
    slowest: float = 0.0
    slowest_name: str = ""


class Worker(threading.Thread):
    """A thread with a connection, which works on what it is given.

    :param deliver: called in this thread with calls that it is done with, and whether it is free.
    :param crowded: whether calls wait that only this thread can run.
    :param lazy: connect with the first call only.
    """

    def __init__(  # noqa: PLR0917 - what all threads share, in one order
        self,
        name: str,
        database: Backend,
        deliver: Callable[[Worker, list[Operation], bool], None],
        stats: Stats,
        availability: Availability,
        limits: Limits,
        *,
        crowded: Callable[[], bool] = lambda: False,
        lazy: bool = False,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.database = database
        self.queue: queue.SimpleQueue[list[Operation] | None] = queue.SimpleQueue()
        self.stats = stats
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._deliver = deliver
        self._availability = availability
        self._limits = limits
        self._lazy = lazy
        self._connected_before = False
        self._closing = threading.Event()
        self._connection: Any = None
        self._runner = Runner(database, limits, crowded, self._note)

    def hurry(self, limit: float) -> None:
        """Let no call go on to another statement when it has run for `limit` seconds."""
        self._limits.hard = min(self._limits.hard, limit)

    def running(self) -> tuple[Operation, float] | None:
        """Return the call that runs now and for how many seconds; for a look from another thread."""
        return self._runner.running()

    def interrupt(self) -> None:
        """Stop the statement that runs now, if the running call has had its time; from another thread."""
        now = self.running()
        if now is not None and now[1] > self._limits.hard:
            self._runner.cancel(now[0], self._cancel)

    def end(self, operation: Operation) -> None:
        """Stop a call, if it runs now, since others wait for it: it fails; from another thread, at once."""
        self._runner.give_up(operation)
        # Not in the pool of asyncio.to_thread, which plugins may fill with what hangs.
        threading.Thread(target=self._runner.cancel, args=(operation, self._cancel), daemon=True).start()

    def stop(self) -> None:
        """Have the thread end after what it was given."""
        self._closing.set()
        self.queue.put(None)

    def run(self) -> None:
        try:
            if not self._lazy:
                self._connect()
        except Exception as error:
            self.failure = error
            return
        finally:
            self.ready.set()
        while (operations := self.queue.get()) is not None:
            try:
                self.work([operation for operation in operations if not operation.skipped])
            except Exception as error:
                logger.exception("a database thread failed on %s calls", len(operations))
                for operation in operations:
                    operation.fail(error)
                self._drop_connection()
            away = self._availability.away
            self._deliver(self, operations, not away)
            if away:
                self._come_back()
                self._deliver(self, [], True)
        self._drop_connection()

    def work(self, operations: list[Operation]) -> None:
        """Run the calls; afterwards each has ended, or is late, or did not begin."""
        raise NotImplementedError

    def set_up(self) -> None:
        """Prepare a connection that was just made."""
        raise NotImplementedError

    def _cancel(self) -> None:
        if not isinstance(self.database, ServerPostgres):
            # On SQLite the progress handler looks at the limit by itself.
            return
        try:
            self._connection.cancel_safe(timeout=_CANCEL_LIMIT)
        except Exception as error:
            logger.warning("%s could not be interrupted: %s", self.name, first_line(error))

    def _connect(self) -> None:
        self.database.connect()
        self.set_up()
        self._connection = self.database.connection()
        self._runner.watch_connection()
        self.stats.reconnects += self._connected_before
        self._connected_before = True
        self._availability.back()

    def _drop_connection(self) -> None:
        state: Any = vars(self.database)["_state"]
        try:
            # A transaction that an error left on peewee's stack must not outlive its connection.
            state.transactions.clear()
            self.database.close()
        except Exception:
            logger.warning("closing a database connection failed", exc_info=True)
            state.reset()

    def _reconnect(self) -> None:
        """:raises DatabaseUnavailable: the server has been away for longer than calls wait."""
        self._drop_connection()
        pause = _FIRST_PAUSE
        while True:
            try:
                self._connect()
            except Exception as error:
                self._drop_connection()
                self._availability.lost(error)
                if self._availability.refuses or self._closing.is_set():
                    raise DatabaseUnavailable(f"the database does not answer: {first_line(error)}") from error
                self._closing.wait(min(pause * random.uniform(0.5, 1.0), self._availability.patience_left))
                pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                return

    def _come_back(self) -> None:
        """Return once the server is back, whichever thread finds out, or the thread is to end."""
        pause = _FIRST_PAUSE
        while self._availability.away and not self._closing.wait(pause * random.uniform(0.5, 1.0)):
            try:
                self._drop_connection()
                self._connect()
            except Exception as error:
                self._drop_connection()
                self._availability.lost(error)
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _ensure_connected(self) -> None:
        if self.database.is_closed() or connection_lost(self.database):
            self._reconnect()

    def _note(self, operation: Operation, seconds: float) -> None:
        if seconds > self.stats.slowest:
            self.stats.slowest, self.stats.slowest_name = seconds, operation.name
        if seconds > SLOW:
            self.stats.slow += 1
            logger.warning("%s took %.0f ms", operation.name, seconds * 1000)


class Writer(Worker):
    """Commits what it is given, in groups, first in first out."""

    def set_up(self) -> None:
        limits = self._limits
        lock_limit = min(_LOCK_LIMIT, limits.hard) if limits.polite is None else 0.0
        set_up_writer(self.database, limits.polite or limits.hard, lock_limit=lock_limit)

    def work(self, operations: list[Operation]) -> None:
        self._write(operations)
        self.stats.yields += any_late(operations)

    def _write(self, operations: list[Operation]) -> None:
        tries = 0
        while operations:
            try:
                self._ensure_connected()
                self._runner.run_batch(operations)
            except DatabaseUnavailable as error:
                _fail_all(operations, error)
                return
            except TransactionLost as lost:
                if any_late(operations):
                    # It took the transaction along; what came after it goes back with it.
                    first = next(index for index, one in enumerate(operations) if one.late)
                    operations = [one for one in operations[:first] if one.error is None]
                    self.stats.reruns += len(operations)
                    continue
                innocent = [operation for operation in operations if operation.error is None]
                self.stats.reruns += len(innocent)
                tries = tries + 1 if len(innocent) == len(operations) else 0
                operations = innocent
                if len(operations) > 1 and (lost.alone or (lost.begun and tries > _TRIES_TOGETHER)):
                    self._write_one_by_one(operations)
                    return
                if tries and not self._goes_on(lost, tries):
                    _fail_all(operations, lost.reason)
                    return
            else:
                self.stats.batches += 1
                self.stats.writes += sum(operation.ended for operation in operations)
                return

    def _write_one_by_one(self, operations: list[Operation]) -> None:
        held: set[int | None] = set()
        for operation in operations:
            if operation.key not in held:
                self._write([operation])
            if not operation.ended:
                held.add(operation.key)

    def _goes_on(self, lost: TransactionLost, tries: int) -> bool:
        """Wait a moment and say whether another try makes sense."""
        temporary = not lost.begun or connection_lost(self.database) or may_retry(lost.reason)
        if not temporary or tries >= _TRIES_ALONE:
            return False
        self._closing.wait(random.uniform(0.0, 0.01) * 2**tries)
        return True


def _fail_all(operations: list[Operation], error: BaseException) -> None:
    for operation in operations:
        operation.fail(error)


class Reader(Worker):
    """Answers questions on a read-only connection."""

    def set_up(self) -> None:
        set_up_reader(self.database, self._limits.polite or self._limits.hard)

    def work(self, operations: list[Operation]) -> None:
        for operation in operations:
            for last in (False, False, True):
                try:
                    self._ensure_connected()
                    self._runner.read(operation)
                except DatabaseUnavailable as error:
                    operation.fail(error)
                except TransactionLost as lost:
                    self.stats.reruns += 1
                    if last:
                        operation.fail(lost.reason)
                    continue
                self.stats.reads += operation.ended
                self.stats.yields += operation.late
                break
