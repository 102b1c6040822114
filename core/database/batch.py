"""Group commit: many calls in one transaction, each in a savepoint of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from core.clock import SystemClock
from core.database.backends import (
    Backend,
    EmbeddedSqlite,
    ServerPostgres,
    connection_lost,
    may_retry,
    transaction_gone,
    was_too_slow,
)
from core.database.errors import CommitUnknown, StatementTooSlow, Stopped
from core.database.operations import Operation, running

#: SQLite's steps, some 2 ms, between two looks at the limits; for each it needs the lock of the interpreter.
_PROGRESS_STEPS = 100_000
#: How often a call makes room for others before it has its last chance.
MOST_YIELDS = 3
#: Rows that calls have together when they are run as one: few enough not to be slow.
MOST_JOINED = 1_000
_monotonic = SystemClock().monotonic


@dataclass(slots=True)
class Limits:
    """How long a call may run in one thread, in seconds.

    :param hard: then it fails.
    :param polite: then it makes room for others and runs again elsewhere or later; None for never.
    :param only_in_company: whether it makes room only if others wait, because it can run nowhere else.
    :param last_chance: computing time that it has, others waiting, when it made room often enough.
    """

    hard: float
    polite: float | None = None
    only_in_company: bool = False
    last_chance: float = 0.2


class TransactionLost(Exception):
    """The transaction is gone, through no fault of most of its calls: run those again that have no error yet.

    :param reason: what happened.
    :param begun: whether it got as far as BEGIN.
    :param alone: run them one by one, since running them together is what failed.
    """

    def __init__(self, reason: BaseException, *, begun: bool = True, alone: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.begun = begun
        self.alone = alone


class Runner:
    """Runs calls on this thread's connection.

    :param limits: how long a call may run.
    :param crowded: whether others wait for this thread.
    :param on_duration: told how many seconds a call took.
    """

    def __init__(
        self,
        database: Backend,
        limits: Limits,
        crowded: Callable[[], bool],
        on_duration: Callable[[Operation, float], None],
    ) -> None:
        self._database = database
        self._limits = limits
        self._crowded = crowded
        self._on_duration = on_duration
        self._operation: Operation | None = None
        self._unwanted: Operation | None = None
        self._ending = threading.Lock()
        self._started = self._cpu_started = 0.0
        self._company = self._stopped_one = self._savepoint = False
        self._collected_keys: set[int | None] = set()

    def watch_connection(self) -> None:
        """Put the limits on a new connection (PostgreSQL has its own)."""
        if isinstance(self._database, EmbeddedSqlite):
            self._database.connection().set_progress_handler(self._interrupts, _PROGRESS_STEPS)

    def running(self) -> tuple[Operation, float] | None:
        """Return the call that runs now and for how many seconds; for a look from another thread."""
        operation = self._operation
        return None if operation is None else (operation, _monotonic() - self._started)

    def give_up(self, operation: Operation) -> None:
        """Let a call, if it runs now, go on to no other statement, since others wait; from another thread."""
        self._unwanted = operation

    def cancel(self, operation: Operation, cancel: Callable[[], object]) -> None:
        """Call `cancel` if a call runs now; from another thread.

        The call does not end meanwhile, so that its COMMIT and what comes after it are not hit instead.
        """
        if not self._ending.acquire(blocking=False):
            return
        try:
            if self._operation is operation:
                cancel()
        finally:
            self._ending.release()

    def run_batch(self, operations: list[Operation]) -> None:
        """Run and commit the calls up to the first that takes too long for the others.

        Afterwards each has ended with its result or its own error, or it is late, or it has not begun.

        :raises TransactionLost: nothing is committed; calls whose error is set caused it, or the late one.
        """
        for operation in operations:
            operation.reset()
        self._company = len(operations) > 1
        self._stopped_one = self._savepoint = False
        self._collected_keys.clear()
        self._begin()
        try:
            groups: dict[Any, list[Operation]] = {}
            for operation in operations:
                if operation.rows is None:
                    if operation.key in self._collected_keys:
                        self._run_groups(groups)
                    self._in_savepoint(operation)
                else:
                    self._collect(operation, groups)
                if self._stopped_one:
                    break
            self._run_groups(groups)
        except BaseException:
            self._rollback()
            raise
        self._commit(operations)

    def read(self, operation: Operation) -> None:
        """Run one call that only reads, on one consistent snapshot; afterwards it has ended or is late."""
        operation.reset()
        begin = "DEFERRED" if isinstance(self._database, EmbeddedSqlite) else "REPEATABLE READ"
        try:
            with self._database.atomic(begin):
                operation.result = self._call(operation)
            operation.ran = operation.ended = True
        except Exception as error:
            if connection_lost(self._database) or may_retry(error):
                raise TransactionLost(error) from error
            self._judge(operation, error)

    def _begin(self) -> None:
        try:
            self._database.begin()
        except Exception as error:
            raise TransactionLost(error, begun=False) from error

    def _commit(self, operations: list[Operation]) -> None:
        try:
            self._database.commit()
        except Exception as error:
            if connection_lost(self._database):
                for operation in operations:
                    if operation.ran and operation.error is None:
                        operation.fail(CommitUnknown(f"the connection died while committing: {error}"))
                return
            self._rollback()
            raise TransactionLost(error, alone=True) from error
        for operation in operations:
            operation.ended = operation.ran

    def _rollback(self) -> None:
        if connection_lost(self._database) or transaction_gone(self._database):
            return
        self._database.rollback()

    def _collect(self, operation: Operation, groups: dict[Any, list[Operation]]) -> None:
        if not operation.rows:
            operation.ran = True
            return
        group = operation.group
        # A row may refer to one that the same key wrote before: it must not be moved in front of that.
        if operation.key in self._collected_keys and group in groups and group != next(reversed(groups)):
            self._run_groups(groups)
        groups.setdefault(group, []).append(operation)
        self._collected_keys.add(operation.key)

    def _run_groups(self, groups: dict[Any, list[Operation]]) -> None:
        collected = [part for group in groups.values() for part in _parts(group)]
        groups.clear()
        self._collected_keys.clear()
        for part in collected:
            if len(part) > 1:
                joined = part[0].together(part[1:])
                self._in_savepoint(joined, joined=True)
                if joined.error is None and not joined.late:
                    part[0].callbacks += joined.callbacks
                    for operation in part:
                        operation.ran = True
                    continue
            for operation in part:
                operation.args = operation.arguments(operation.rows or ())
                self._in_savepoint(operation)
                if operation.late:
                    return

    def _in_savepoint(self, operation: Operation, *, joined: bool = False) -> None:
        database = self._database
        try:
            self._set_savepoint()
            # With something on peewee's stack, atomic() inside a store function becomes a nested savepoint.
            database.push_transaction(self)
            try:
                operation.result = self._call(operation)
            finally:
                database.pop_transaction()
            operation.ran = True
        except BaseException as error:
            if connection_lost(database):
                raise TransactionLost(error) from error
            if not running.stopped and may_retry(error):
                raise TransactionLost(error, alone=True) from error
            self._judge(operation, error)
            if transaction_gone(database):
                # A late call is known; whatever else made the database give up may have been any of them.
                raise TransactionLost(error, alone=joined or not operation.late) from error
            database.execute_sql("ROLLBACK TO SAVEPOINT operation")

    def _set_savepoint(self) -> None:
        """Put the savepoint in front of the next call; COMMIT releases the last."""
        if self._savepoint and isinstance(self._database, ServerPostgres):
            # One round trip, of the four that a small call takes.
            self._database.execute_sql("RELEASE SAVEPOINT operation; SAVEPOINT operation")
            return
        if self._savepoint:
            self._database.execute_sql("RELEASE SAVEPOINT operation")
        self._database.execute_sql("SAVEPOINT operation")
        self._savepoint = True

    def _call(self, operation: Operation) -> Any:
        self._started = _monotonic()
        self._cpu_started = time.thread_time()
        self._operation = operation
        running.operation, running.late, running.stopped = operation, self._is_late, False
        try:
            result = operation.function(*operation.args, **operation.kwargs)
            if running.stopped:
                raise Stopped(f"{operation.name} was stopped and went on")
            return result
        finally:
            running.operation = running.late = None
            with self._ending:
                self._operation = None
            operation.seconds = _monotonic() - self._started
            self._on_duration(operation, operation.seconds)

    def _interrupts(self) -> int:
        if self._operation is None or not self._is_late():
            return 0
        running.stopped = True
        return 1

    def _is_late(self) -> bool:
        operation, limits = self._operation, self._limits
        if operation is None:
            return False
        spent = _monotonic() - self._started
        if spent > limits.hard or operation is self._unwanted:
            return True
        if limits.polite is None or spent <= limits.polite:
            return False
        if not limits.only_in_company:
            return True
        if not (self._company or self._crowded()):
            return False
        if operation.yields < MOST_YIELDS:
            return True
        # Its last chance is measured in work, up to a point, lest a busy machine fail what is not slow.
        return spent > 2 * limits.polite or time.thread_time() - self._cpu_started > limits.last_chance

    def _judge(self, operation: Operation, error: BaseException) -> None:
        """Decide what becomes of a call that raised `error`."""
        if not running.stopped and not was_too_slow(error):
            operation.fail(error)
            return
        limits = self._limits
        if limits.polite is not None and operation.seconds <= limits.hard:
            if not limits.only_in_company or operation.yields < MOST_YIELDS:
                operation.late = self._stopped_one = True
                operation.yields += 1
                return
            slow = StatementTooSlow(
                f"{operation.name} was stopped {operation.yields + 1} times, the last after"
                f" {operation.seconds:.2g} s, because other calls waited: do its work in smaller parts"
            )
        elif operation is self._unwanted:
            slow = StatementTooSlow(
                f"{operation.name} was stopped after {operation.seconds:.2g} s, because other calls with"
                " its key waited: do its work in smaller parts, or with write_alone if it is for many guilds"
            )
        else:
            slow = StatementTooSlow(f"{operation.name} ran longer than {limits.hard:g} s and was stopped")
        slow.__cause__ = error
        operation.fail(slow)


def _parts(group: Iterable[Operation]) -> Iterator[list[Operation]]:
    """Cut calls of one group into those that are run as one."""
    part: list[Operation] = []
    rows = 0
    for operation in group:
        more = len(operation.rows or ())
        if part and rows + more > MOST_JOINED:
            yield part
            part, rows = [], 0
        part.append(operation)
        rows += more
    if part:
        yield part


def any_late(operations: Iterable[Operation]) -> bool:
    """Return whether one of the calls was stopped for the others' sake."""
    return any(operation.late for operation in operations)
