"""One call of the event loop into a database thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.database.errors import DatabaseError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(eq=False, slots=True)
class Operation:
    """A call on its way: from the loop to a thread, and back with a result or an error.

    :param key: what it must keep its place with; None for a read, which has no place.
    :param rows: for an append, the rows; for a `joinable` function, what it is called with; else None.
    :param alone: runs in a transaction of its own, never in a batch.
    :param made: when it was queued, by the monotonic clock, in seconds.
    :param yields: how often it was stopped so that others need not wait for it.
    :param ended: whether it has its result or error for good; `late`, whether it was stopped in its last run.
    :param seconds: how long its last run took.
    """

    future: asyncio.Future[Any]
    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    key: int | None = 0
    model: Any = None
    rows: Sequence[Any] | None = None
    alone: bool = False
    callbacks: list[Callable[[], None]] = field(default_factory=list)
    result: Any = None
    error: BaseException | None = None
    made: float = 0.0
    yields: int = 0
    due: float = 0.0
    ran: bool = False
    ended: bool = False
    late: bool = False
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What to call it in a log."""
        if self.model is not None:
            return f"append to {self.model.__name__}"
        return f"{self.function.__module__}.{getattr(self.function, '__qualname__', self.function)}"

    @property
    def skipped(self) -> bool:
        """Whether its caller gave up; asked before it starts."""
        return self.future.cancelled()

    @property
    def group(self) -> object:
        """What it has in common with those that it may be run together with; only if it has rows."""
        return self.function if self.model is None or not self.rows else (self.model, frozenset(self.rows[0]))

    def together(self, others: Sequence[Operation]) -> Operation:
        """Return one call that does what this one and others of its group do."""
        rows = [row for each in (self, *others) for row in each.rows or ()]
        return Operation(self.future, self.function, self.arguments(rows), model=self.model)

    def arguments(self, rows: Sequence[Any]) -> tuple[Any, ...]:
        """Return what the function is called with for these rows."""
        return (rows,) if self.model is None else (self.model, rows)

    def reset(self) -> None:
        """Forget an earlier run."""
        self.callbacks.clear()
        self.result = None
        self.error = None
        self.ran = self.ended = self.late = False

    def fail(self, error: BaseException) -> None:
        """End it with an error; what it wanted to happen after the commit does not."""
        self.callbacks.clear()
        self.result = None
        self.late = False
        self.ran = self.ended = True
        # A future cannot hold a StopIteration.
        self.error = (
            RuntimeError(f"{self.name} raised {error!r}") if isinstance(error, StopIteration) else error
        )

    def deliver(self) -> None:
        """Tell the caller; on the loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


_JOINABLE: set[Callable[..., Any]] = set()


def joinable(function: F) -> F:
    """Mark a store function that takes one sequence and returns nothing: its calls may be run as one.

    What many guilds have to write at the same time is one call then, with the sequences one after the other;
    if that fails, each call is run by itself.
    """
    _JOINABLE.add(function)
    return function


def is_joinable(function: Callable[..., Any]) -> bool:
    """Return whether a function is marked as `joinable`."""
    return function in _JOINABLE


class _Running(threading.local):
    """What this thread runs now.

    :param late: asked before every statement whether the call must stop here.
    :param stopped: whether it was told to stop, even if it caught that.
    """

    operation: Operation | None = None
    late: Callable[[], bool] | None = None
    stopped: bool = False


running = _Running()


def after_commit(callback: Callable[[], None]) -> None:
    """Have `callback` run on the event loop once the change of the running store function is committed.

    It does not run if the function fails, is re-run (then once, for the run that counts) or the commit fails.

    :param callback: called without arguments, before the caller of write() goes on.
    :raises DatabaseError: outside a function that write() runs.
    """
    operation = running.operation
    if operation is None:
        raise DatabaseError("after_commit is for store functions that run inside db.write(...)")
    operation.callbacks.append(callback)
