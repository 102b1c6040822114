"""Group commit: many calls in one transaction, each in a savepoint of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.clock import SystemClock
from core.database.backends import (
    Backend,
    EmbeddedSqlite,
    connection_lost,
    may_retry,
    transaction_gone,
    was_too_slow,
)
from core.database.errors import CommitUnknown, StatementTooSlow
from core.database.operations import Operation, running

#: Bound parameters in one INSERT: SQLite allows 32,766, PostgreSQL 65,535.
_PARAMETERS = 30_000
_PROGRESS_STEPS = 50_000
_monotonic = SystemClock().monotonic


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

    :param limit: seconds that one call may run.
    :param on_duration: told how many seconds a call took.
    """

    def __init__(
        self, database: Backend, limit: float, on_duration: Callable[[Operation, float], None]
    ) -> None:
        self._database = database
        self._limit = limit
        self._on_duration = on_duration
        self._deadline: float | None = None

    def watch_connection(self) -> None:
        """Put the statement limit on a new connection (PostgreSQL has its own)."""
        if isinstance(self._database, EmbeddedSqlite):
            self._database.connection().set_progress_handler(self._is_late, _PROGRESS_STEPS)

    def run_batch(self, operations: list[Operation]) -> None:
        """Run and commit the calls; afterwards each has its result or its own error.

        :raises TransactionLost: nothing is committed; calls whose error is set caused it.
        """
        for operation in operations:
            operation.reset()
        self._begin()
        try:
            appends: dict[Any, list[Operation]] = {}
            for operation in operations:
                if operation.rows is None:
                    if any(operation.key == other.key for group in appends.values() for other in group):
                        self._insert_all(appends)
                    self._in_savepoint(operation)
                else:
                    self._collect(operation, appends)
            self._insert_all(appends)
        except BaseException:
            self._rollback()
            raise
        self._commit(operations)

    def read(self, operation: Operation) -> None:
        """Run one call that only reads, on one consistent snapshot."""
        operation.reset()
        begin = "DEFERRED" if isinstance(self._database, EmbeddedSqlite) else "REPEATABLE READ"
        try:
            with self._database.atomic(begin):
                operation.result = self._call(operation)
        except Exception as error:
            if connection_lost(self._database) or may_retry(error):
                raise TransactionLost(error) from error
            operation.fail(self._named(operation, error))

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
                    if operation.error is None:
                        operation.fail(CommitUnknown(f"the connection died while committing: {error}"))
                return
            self._rollback()
            raise TransactionLost(error, alone=True) from error

    def _rollback(self) -> None:
        if connection_lost(self._database) or transaction_gone(self._database):
            return
        self._database.rollback()

    def _collect(self, operation: Operation, appends: dict[Any, list[Operation]]) -> None:
        if not operation.rows:
            return
        group = (operation.model, frozenset(operation.rows[0]))
        # A row may refer to one that the same key appended before: it must not be moved in front of that.
        later = list(appends)[list(appends).index(group) + 1 :] if group in appends else []
        if any(operation.key == other.key for name in later for other in appends[name]):
            self._insert_all(appends)
        appends.setdefault(group, []).append(operation)

    def _insert_all(self, appends: dict[Any, list[Operation]]) -> None:
        for group in appends.values():
            joined = Operation(future=group[0].future, function=insert_rows, model=group[0].model)
            joined.args = (group[0].model, [row for operation in group for row in operation.rows or ()])
            self._in_savepoint(joined)
            if joined.error is None:
                continue
            for operation in group:
                operation.args = (operation.model, operation.rows)
                self._in_savepoint(operation)
        appends.clear()

    def _in_savepoint(self, operation: Operation) -> None:
        database = self._database
        try:
            database.execute_sql("SAVEPOINT operation")
            # With something on peewee's stack, atomic() inside a store function becomes a nested savepoint.
            database.push_transaction(self)
            try:
                operation.result = self._call(operation)
            finally:
                database.pop_transaction()
            database.execute_sql("RELEASE SAVEPOINT operation")
        except BaseException as error:
            if connection_lost(database):
                raise TransactionLost(error) from error
            if may_retry(error):
                raise TransactionLost(error, alone=True) from error
            operation.fail(self._named(operation, error))
            if transaction_gone(database):
                raise TransactionLost(error, alone=True) from error
            database.execute_sql("ROLLBACK TO SAVEPOINT operation")
            database.execute_sql("RELEASE SAVEPOINT operation")

    def _call(self, operation: Operation) -> Any:
        started = _monotonic()
        self._deadline = started + self._limit
        running.operation = operation
        try:
            return operation.function(*operation.args, **operation.kwargs)
        finally:
            running.operation = None
            self._deadline = None
            self._on_duration(operation, _monotonic() - started)

    def _is_late(self) -> int:
        return int(self._deadline is not None and _monotonic() > self._deadline)

    def _named(self, operation: Operation, error: BaseException) -> BaseException:
        if not was_too_slow(error):
            return error
        slow = StatementTooSlow(f"{operation.name} ran longer than {self._limit:g} s and was stopped")
        slow.__cause__ = error
        return slow


def insert_rows(model: Any, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows with few statements; store function.

    :param rows: dicts with the same keys; columns that are left out get their defaults.
    """
    rows = list(rows)
    size = max(1, _PARAMETERS // max(1, len(model._meta.sorted_fields)))
    for start in range(0, len(rows), size):
        model.insert_many(rows[start : start + size]).execute()
