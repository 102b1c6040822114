"""The threads that own the connections: one loop each, from its queue to the database."""

from __future__ import annotations

import logging
import queue
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.clock import SystemClock
from core.database.backends import (
    Backend,
    connection_lost,
    may_retry,
    set_up_reader,
    set_up_writer,
)
from core.database.batch import Runner, TransactionLost
from core.database.errors import DatabaseUnavailable
from core.database.operations import Operation

logger = logging.getLogger("redlegion.database")

BATCH = 200
SLOW = 0.25
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
    :param slowest: seconds of the slowest call, and `slowest_name` its function.
    """

    batches: int = 0
    writes: int = 0
    reads: int = 0
    reruns: int = 0
    reconnects: int = 0
    slow: int = 0
    slowest: float = 0.0
    slowest_name: str = ""


class Worker(threading.Thread):
    """A thread with a connection and a queue.

    :param deliver: called in this thread with calls that are done.
    :param limit: seconds that one call may run.
    :param patience: seconds after which calls are given up while the server is away.
    """

    batch_size = BATCH

    def __init__(
        self,
        name: str,
        database: Backend,
        deliver: Callable[[list[Operation]], None],
        stats: Stats,
        *,
        limit: float,
        patience: float,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.database = database
        self.queue: queue.SimpleQueue[Operation | None] = queue.SimpleQueue()
        self.stats = stats
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._deliver = deliver
        self._limit = limit
        self._patience = patience
        self._closing = threading.Event()
        self._runner = Runner(database, limit, self._note)

    def hurry(self, patience: float) -> None:
        """Give calls up after `patience` seconds from now on."""
        self._patience = min(self._patience, patience)

    def stop(self) -> None:
        """Have the thread end after what is queued."""
        self._closing.set()
        self.queue.put(None)

    def run(self) -> None:
        try:
            self._connect()
        except Exception as error:
            self.failure = error
            return
        finally:
            self.ready.set()
        more = True
        while more:
            operations, more = self._take()
            wanted = [operation for operation in operations if not operation.skipped]
            try:
                self.work(wanted)
            except Exception as error:
                logger.exception("a database thread failed on %s calls", len(wanted))
                for operation in wanted:
                    operation.fail(error)
                self._drop_connection()
            self._deliver(operations)
        self._drop_connection()

    def work(self, operations: list[Operation]) -> None:
        """Run the calls; afterwards each has its result or error."""
        raise NotImplementedError

    def set_up(self) -> None:
        """Prepare a connection that was just made."""
        raise NotImplementedError

    def _take(self) -> tuple[list[Operation], bool]:
        operations: list[Operation] = []
        item = self.queue.get()
        while item is not None:
            operations.append(item)
            if len(operations) >= self.batch_size:
                return operations, True
            try:
                item = self.queue.get_nowait()
            except queue.Empty:
                return operations, True
        return operations, False

    def _connect(self) -> None:
        self.database.connect()
        self.set_up()
        self._runner.watch_connection()

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
        """:raises DatabaseUnavailable: after `patience` seconds."""
        self._drop_connection()
        started = _monotonic()
        pause = 0.02
        while True:
            try:
                self._connect()
            except Exception as error:
                self._drop_connection()
                if _monotonic() - started > self._patience or self._closing.is_set():
                    raise DatabaseUnavailable(f"the database does not answer: {error}") from error
                self._closing.wait(pause * random.uniform(0.5, 1.0))
                pause = min(2.0, pause * 2)
            else:
                self.stats.reconnects += 1
                logger.info("connected to the database again")
                return

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
    """Commits what is queued, in groups, first in first out."""

    def set_up(self) -> None:
        set_up_writer(self.database, self._limit)

    def work(self, operations: list[Operation]) -> None:
        group: list[Operation] = []
        for operation in operations:
            if operation.alone:
                self._write(group)
                self._write([operation])
                group = []
            else:
                group.append(operation)
        self._write(group)

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
                innocent = [operation for operation in operations if operation.error is None]
                self.stats.reruns += len(innocent)
                tries = tries + 1 if len(innocent) == len(operations) else 0
                operations = innocent
                if len(operations) > 1 and (lost.alone or (lost.begun and tries > _TRIES_TOGETHER)):
                    for operation in operations:
                        self._write([operation])
                    return
                if tries and not self._goes_on(lost, tries):
                    _fail_all(operations, lost.reason)
                    return
            else:
                self.stats.batches += 1
                self.stats.writes += len(operations)
                return

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
    """Answers questions, one after the other, on a read-only connection."""

    batch_size = 1

    def set_up(self) -> None:
        set_up_reader(self.database, self._limit)

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
                self.stats.reads += 1
                break
