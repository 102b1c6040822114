"""The event loop's side of the database: awaitable calls into the threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from core.clock import Clock, SystemClock
from core.database.availability import Availability
from core.database.backends import Backend, ServerPostgres
from core.database.errors import DatabaseBusy, DatabaseClosed, DatabaseUnavailable
from core.database.inserting import insert_rows
from core.database.lock import FileLock
from core.database.lookout import Lookout
from core.database.operations import Operation, after_commit, is_joinable
from core.database.pool import Pool
from core.database.staffing import Staff
from core.database.workers import Stats, Worker

__all__ = ["Database", "after_commit"]

T = TypeVar("T")

logger = logging.getLogger("redlegion.database")

STATEMENT_LIMIT = 30.0
POLITE_LIMIT = 0.2
#: Well within the three seconds in which Discord wants an answer, so that a member hears of it.
PATIENCE = 1.5
QUEUE_LIMIT = 10_000
_LIMIT_WHEN_STOPPING = 5.0
#: Seconds between two looks whether the threads have ended.
_LOOK_AGAIN = 0.002


class Database:
    """One open database; made by `open_database`.

    Store functions are plain module-level functions: database only (no network, no sleep, no asyncio, no
    Discord objects), safe to run twice, returning values, never queries.

    :param url: as given to `open_database`.
    :param backend: peewee's database; a query on it outside the threads raises InterfaceError.
    :param lock: held until close(), on SQLite.
    :param writers: writer threads on PostgreSQL; a key is never in two of them at once.
    :param statement_limit: seconds after which one call is stopped and fails.
    :param polite_limit: seconds after which a call no longer holds up others: it is undone and runs again,
        in a thread of its own (PostgreSQL, and any read) or later, when nobody waits (a write on SQLite).
    :param patience: seconds that calls wait for a server that is away, from the moment at which it was lost;
        after that they are refused at once until it is back.
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
        polite_limit: float = POLITE_LIMIT,
        patience: float = PATIENCE,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.url = url
        self.backend = backend
        self.clock: Clock = clock or SystemClock()
        self.is_postgres = isinstance(backend, ServerPostgres)
        self.stats = Stats()
        self.statement_limit = statement_limit
        self.polite_limit = polite_limit
        self.queue_limit = queue_limit
        self.availability = Availability(patience, self._availability_changed)
        self._lock = lock
        # SQLite has one write lock: a second writer could only wait for the first.
        self._writer_count = (writers or 2) if self.is_postgres else 1
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writes: Pool | None = None
        self._reads: Pool | None = None
        self._pending = 0
        self._idle: list[asyncio.Future[None]] = []
        self._hoping: list[asyncio.Future[None]] = []
        self._open = False
        self._lookout = Lookout(self._workers, lambda: self._pending)

    async def start(self) -> None:
        """Start the threads and connect them.

        :raises Exception: what connecting raised; nothing keeps running then.
        """
        if self._open:
            return
        self._loop = asyncio.get_running_loop()
        staff = Staff(
            self.backend,
            self.stats,
            self.availability,
            self._handing_to,
            self._finish,
            self.statement_limit,
            self.polite_limit,
        )
        self._writes, self._reads = staff.writers(self._writer_count), staff.readers()
        workers = self._workers()
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
        workers = self._workers()
        self._open = False
        _wake(self._hoping)
        try:
            async with asyncio.timeout(within):
                if any(worker.failure is None for worker in workers):
                    await self.idle()
                for worker in workers:
                    worker.stop()
                # Not in the pool of asyncio.to_thread: plugins that hang there must not hold up this.
                while any(worker.is_alive() for worker in workers):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError:
            for worker in workers:
                worker.stop()
            names = ", ".join(worker.name for worker in workers if worker.is_alive())
            logger.error("%s did not end; %d database calls are given up", names, self._pending)
            return
        self._lookout.close()
        self._writes = self._reads = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def hurry(self, patience: float = 2.0) -> None:
        """Wait no longer than `patience` seconds for a server that is away, nor long for a slow call: the
        process is stopping.
        """
        self.availability.patience = min(self.availability.patience, patience)
        for worker in self._workers():
            worker.hurry(_LIMIT_WHEN_STOPPING)
        self._lookout.end_what_is_late()

    @property
    def quarantined(self) -> list[str]:
        """Names of store functions that were slow and now run out of the others' way."""
        return [name for pool in (self._writes, self._reads) if pool for name in pool.scheduler.quarantined]

    async def write(self, function: Callable[..., T], *args: Any, key: int = 0, **kwargs: Any) -> T:
        """Run a store function in the writer and answer once its change is committed.

        Calls with the same key run in the order in which they were made. A cancelled call that has not
        started is skipped; one that has, commits.

        :param key: the guild whose rows it touches; it may touch no others (see `write_alone`).
        :returns: what the function returned.
        :raises DatabaseBusy: too many calls are under way; nothing was queued.
        :raises DatabaseUnavailable: the server is away; nothing was written.
        :raises StatementTooSlow: it took too long, and nothing of it was written.
        :raises CommitUnknown: the connection died during COMMIT.
        """
        operation = Operation(self._future(), function, args, kwargs, key)
        if is_joinable(function):
            (operation.rows,) = args
        return await self._submit(operation, self._writes)  # type: ignore[no-any-return]

    async def write_alone(self, function: Callable[..., T], *args: Any, key: int = 0, **kwargs: Any) -> T:
        """Like `write`, in a transaction of its own: for work across keys, which locks rows in id order."""
        operation = Operation(self._future(), function, args, kwargs, key, alone=True)
        return await self._submit(operation, self._writes)  # type: ignore[no-any-return]

    async def append(self, model: Any, rows: Sequence[Mapping[str, Any]], *, key: int = 0) -> None:
        """Insert rows; those of many calls become one statement.

        :param rows: dicts with the same keys.
        :param key: as for `write`.
        :raises ValueError: the rows have different columns, or one that the model has not.
        """
        if len({frozenset(row) for row in rows}) > 1:
            raise ValueError("the rows of one append have the same columns")
        operation = Operation(self._future(), insert_rows, key=key, model=model, rows=list(rows))
        await self._submit(operation, self._writes)

    async def read(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a store function that only reads, on one consistent snapshot, and return its result."""
        operation = Operation(self._future(), function, args, kwargs, key=None)
        return await self._submit(operation, self._reads)  # type: ignore[no-any-return]

    def after_commit(self, callback: Callable[[], None]) -> None:
        """See `core.database.after_commit`; inside a store function."""
        after_commit(callback)

    async def there(self) -> None:
        """Return once the server answers, at once if it is not away.

        :raises DatabaseClosed: the database was closed meanwhile.
        """
        while self.availability.away:
            if not self._open:
                raise DatabaseClosed("the database was closed before its server came back")
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._hoping.append(waiter)
            await waiter

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

    async def _submit(self, operation: Operation, pool: Pool | None) -> Any:
        if pool is None or not self._open:
            raise DatabaseClosed(
                "the database is not open: await db.start() first, and no calls after close()"
            )
        if asyncio.get_running_loop() is not self._loop:
            raise DatabaseClosed("the database belongs to the event loop that started it")
        if self.availability.refuses:
            raise self._away()
        if self._pending >= self.queue_limit:
            raise DatabaseBusy(f"{self._pending} database calls are under way, try again in a moment")
        self._pending += 1
        pool.submit(operation)
        self._lookout.watch()
        return await operation.future

    def running(self) -> list[tuple[str, float]]:
        """Return the names of the calls that run now, and for how many seconds."""
        found = [worker.running() for worker in self._workers()]
        return [(one[0].name, one[1]) for one in found if one is not None]

    def _workers(self) -> list[Worker]:
        return [worker for pool in (self._writes, self._reads) if pool is not None for worker in pool.workers]

    def _handing_to(self, pool: Pool) -> Callable[[Worker, list[Operation], bool], None]:
        """Return what a thread calls to give calls back."""

        def deliver(worker: Worker, operations: list[Operation], free: bool) -> None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(pool.take_back, worker, operations, free)

        return deliver

    def _availability_changed(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look_whether_away)

    def _look_whether_away(self) -> None:
        availability = self.availability
        if not availability.away or self._loop is None:
            _wake(self._hoping)
            return
        if not availability.refuses:
            self._loop.call_later(max(0.01, availability.patience_left), self._look_whether_away)
            return
        for pool in (self._writes, self._reads):
            if pool is not None:
                pool.give_up(self._away)

    def _away(self) -> DatabaseUnavailable:
        seconds = self.availability.seconds_away
        return DatabaseUnavailable(
            f"the database does not answer, for {seconds:.0f} s now: try again in a moment"
        )

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
            _wake(self._idle)


def _wake(waiters: list[asyncio.Future[None]]) -> None:
    """Let go of those who wait; whether they wait again is theirs to say."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()


def _each(calls: Sequence[Callable[[], object]]) -> None:
    for call in calls:
        call()
