"""Calls from a task into a thread, and the end of those whose caller had to give up.

Cancelling an await ends nothing in a thread. What a cancelled caller leaves running there is noted, so that
whoever cancelled it can wait for the end before the next thing begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LeftRunning:
    """A call that goes on in a thread although nobody waits for it.

    :param name: of the function that runs there.
    :param ended: returns once it has ended.
    """

    name: str
    ended: Callable[[], Awaitable[object]]


#: Where the current task notes what it leaves running; None where nobody asks.
left_running: ContextVar[list[LeftRunning] | None] = ContextVar("redlegion_left_running", default=None)


def note_left(name: str, ended: Callable[[], Awaitable[object]]) -> None:
    """Say that a call goes on without its caller; see `LeftRunning`."""
    notes = left_running.get()
    if notes is not None:
        notes.append(LeftRunning(name, ended))


class Crossing:
    """One call on its way through a thread; made on the loop.

    A caller that gives up before it has begun keeps it from beginning at all.
    """

    __slots__ = ("_begun", "_ended", "_given_up", "_lock", "_loop", "_over")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = Lock()
        self._begun = self._over = self._given_up = False
        self._ended: asyncio.Future[None] | None = None

    def run(self, function: Callable[[], T]) -> T | None:
        """Run `function` in this thread, unless the caller has given up; returns None then."""
        with self._lock:
            if self._given_up:
                return None
            self._begun, self._over = True, False
        try:
            return function()
        finally:
            with self._lock:
                self._over = True
                ended = self._ended
            if ended is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(_set, ended)

    def give_up(self) -> asyncio.Future[None] | None:
        """Return what becomes done with the call's end; None if it has ended or will never begin."""
        with self._lock:
            self._given_up = True
            if not self._begun or self._over:
                return None
            self._ended = self._loop.create_future()
            return self._ended


async def crossed(crossing: Crossing, name: str, answer: Awaitable[T]) -> T:
    """Wait for the answer of a call; when cancelled, note it if it goes on in its thread."""
    try:
        return await answer
    except asyncio.CancelledError:
        ended = crossing.give_up()
        if ended is not None:
            note_left(name, lambda: asyncio.shield(ended))
        raise


async def in_thread(function: Callable[[], T], name: str) -> T:
    """Run blocking code in a thread of the loop's own pool and return its result.

    :param name: what a log calls it while it outlives its caller.
    """
    crossing = Crossing()
    loop = asyncio.get_running_loop()
    # Not shielded: a cancelled caller takes a call that has not begun out of the pool's queue.
    answer = loop.run_in_executor(None, copy_context().run, crossing.run, function)
    return await crossed(crossing, name, answer)  # type: ignore[arg-type]


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
