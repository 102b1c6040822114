"""The event loop's side of the database: awaitable calls into the threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from core.clock import Clock, SystemClock
from core.database.backends import Backend, ServerPostgres
from core.database.batch import insert_rows
from core.database.errors import DatabaseBusy, DatabaseClosed
from core.database.lock import FileLock
from core.database.operations import Operation, after_commit
from core.database.workers import Reader, Stats, Worker, Writer

__all__ = ["Database", "after_commit"]

T = TypeVar("T")

logger = logging.getLogger("redlegion.database")

STATEMENT_LIMIT = 30.0
PATIENCE = 30.0
QUEUE_LIMIT = 10_000
#: Seconds between two looks whether the threads have ended.
_LOOK_AGAIN = 0.002


class Database:
    """One open database; made by `open_database`.

    Store functions are plain module-level functions: database only (no network, no sleep, no asyncio, no
    Discord objects), safe to run twice, returning values, never queries.

    :param url: as given to `open_database`.
    :param backend: peewee's database; a query on it outside the threads raises InterfaceError.
    :param lock: held until close(), on SQLite.
    :param writers: writer threads; a key always goes to the same one.
    :param statement_limit: seconds after which one call is stopped.
    :param patience: seconds that calls wait for a server that is away.
    :param queue_limit: calls under way at most; more raise DatabaseBusy.
    """

    def __init__(
        self,
        url: str,
        backend: Backend,
        *,
        lock: FileLock | None = None,
        clock: Clock | None = None,
        writers: int | None = None,
        statement_limit: float = STATEMENT_LIMIT,
        patience: float = PATIENCE,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.url = url
        self.backend = backend
        self.clock: Clock = clock or SystemClock()
        self.is_postgres = isinstance(backend, ServerPostgres)
        self.stats = Stats()
        self.statement_limit = statement_limit
        self.patience = patience
        self.queue_limit = queue_limit
        self._lock = lock
        # SQLite has one write lock: a second writer could only wait for the first.
        self._writer_count = (writers or 2) if self.is_postgres else 1
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writers: list[Worker] = []
        self._reader: Worker | None = None
        self._pending = 0
        self._idle: list[asyncio.Future[None]] = []
        self._open = False

    async def start(self) -> None:
        """Start the threads and connect them.

        :raises Exception: what connecting raised; nothing keeps running then.
        """
        if self._open:
            return
        self._loop = asyncio.get_running_loop()
        options: dict[str, Any] = {"limit": self.statement_limit, "patience": self.patience}
        self._writers = [
            Writer(f"database-writer-{number}", self.backend, self._deliver, self.stats, **options)
            for number in range(self._writer_count)
        ]
        self._reader = Reader("database-reader", self.backend, self._deliver, self.stats, **options)
        workers = [*self._writers, self._reader]
        for worker in workers:
            worker.start()
        await asyncio.to_thread(_each, [worker.ready.wait for worker in workers])
        failures = [worker.failure for worker in workers if worker.failure is not None]
        self._open = True
        if failures:
            await self.close()
            raise failures[0]

    async def close(self, within: float | None = None) -> None:
        """Write what is queued, end the threads, close the connections and free the SQLite lock.

        :param within: real seconds after which a thread that its server keeps waiting is left behind, with
            what it still had to write; None waits for as long as it takes.
        """
        workers = [*self._writers, *([self._reader] if self._reader is not None else [])]
        self._open = False
        for worker in workers:
            worker.stop()
        # Not in the pool of asyncio.to_thread: plugins that hang there must not hold up this.
        started = self._time()
        while any(worker.is_alive() for worker in workers):
            if within is not None and self._time() - started > within:
                names = ", ".join(worker.name for worker in workers if worker.is_alive())
                logger.error("%s did not end; %d database calls are given up", names, self._pending)
                return
            await asyncio.sleep(_LOOK_AGAIN)
        if workers:
            await self.idle()
        self._writers, self._reader = [], None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()

    def hurry(self, patience: float = 2.0) -> None:
        """Wait no longer than `patience` seconds for a server that is away: the process is stopping."""
        for worker in (*self._writers, *([self._reader] if self._reader is not None else [])):
            worker.hurry(patience)

    async def write(self, function: Callable[..., T], *args: Any, key: int = 0, **kwargs: Any) -> T:
        """Run a store function in the writer and answer once its change is committed.

        Calls with the same key run in the order in which they were made. A cancelled call that has not
        started is skipped; one that has, commits.

        :param key: the guild whose rows it touches; it may touch no others (see `write_alone`).
        :returns: what the function returned.
        :raises DatabaseBusy: too many calls are under way; nothing was queued.
        :raises CommitUnknown: the connection died during COMMIT.
        """
        return await self._submit_write(Operation(self._future(), function, args, kwargs, key))  # type: ignore[no-any-return]

    async def write_alone(self, function: Callable[..., T], *args: Any, key: int = 0, **kwargs: Any) -> T:
        """Like `write`, in a transaction of its own: for work across keys, which locks rows in id order."""
        operation = Operation(self._future(), function, args, kwargs, key, alone=True)
        return await self._submit_write(operation)  # type: ignore[no-any-return]

    async def append(self, model: Any, rows: Sequence[Mapping[str, Any]], *, key: int = 0) -> None:
        """Insert rows; those of many calls become one statement.

        :param rows: dicts with the same keys.
        :param key: as for `write`.
        """
        if len({frozenset(row) for row in rows}) > 1:
            raise ValueError("the rows of one append have the same columns")
        await self._submit_write(
            Operation(self._future(), insert_rows, key=key, model=model, rows=list(rows))
        )

    async def read(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a store function that only reads, on one consistent snapshot, and return its result."""
        operation = Operation(self._future(), function, args, kwargs)
        return await self._submit(operation, self._reader)  # type: ignore[no-any-return]

    def after_commit(self, callback: Callable[[], None]) -> None:
        """See `core.database.after_commit`; inside a store function."""
        after_commit(callback)

    @property
    def pending(self) -> int:
        """Calls that are queued or running."""
        return self._pending

    async def idle(self) -> None:
        """Return once nothing is queued or running."""
        while self._pending:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(waiter)
            await waiter

    def _future(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    async def _submit_write(self, operation: Operation) -> Any:
        writer = self._writers[operation.key % len(self._writers)] if self._writers else None
        return await self._submit(operation, writer)

    async def _submit(self, operation: Operation, worker: Worker | None) -> Any:
        if worker is None or not self._open:
            raise DatabaseClosed(
                "the database is not open: await db.start() first, and no calls after close()"
            )
        if asyncio.get_running_loop() is not self._loop:
            raise DatabaseClosed("the database belongs to the event loop that started it")
        if self._pending >= self.queue_limit:
            raise DatabaseBusy(f"{self._pending} database calls are under way, try again in a moment")
        self._pending += 1
        worker.queue.put(operation)
        return await operation.future

    def _deliver(self, operations: list[Operation]) -> None:
        if operations and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._finish, operations)

    def _finish(self, operations: list[Operation]) -> None:
        self._pending -= len(operations)
        for operation in operations:
            for callback in operation.callbacks:
                try:
                    callback()
                except Exception as error:
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": f"a callback after {operation.name} failed", "exception": error}
                    )
            operation.deliver()
        if not self._pending:
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)


def _each(calls: Sequence[Callable[[], object]]) -> None:
    for call in calls:
        call()
