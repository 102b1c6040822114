"""One process on one event loop, from the first line to an end that nothing can hold up.

The first SIGTERM or SIGINT asks for an orderly stop, the second ends the process at once. A loop that a
plugin blocks hears neither, so a thread watches over the time that the stop may take.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any, Self

log = logging.getLogger(__name__)

#: Real seconds from the first signal to the end of the process, whatever hangs.
STOP_WITHIN = 10.0
#: Seconds that cancelled tasks and idle threads get to end.
LEFTOVER_SECONDS = 0.4
#: The exit status of a process that had to be ended in the middle of its stop.
CUT_OFF = 1
#: New objects after which Python looks for cycles of garbage.
COLLECT_AFTER = 10_000
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Seconds after which the end no longer waits for log lines to be written.
_LAST_WORDS = 0.2

_left_behind: list[str] = []

_Handler = Callable[[int, FrameType | None], Any] | int | None


def collect_seldom() -> None:
    """Have Python look for cycles of garbage less often; called before the bulk of the imports.

    Python looks after every 700 new objects, which takes a tenth of the time of a start; most of what a
    start makes stays for good.
    """
    gc.set_threshold(COLLECT_AFTER, 10, 10)


class StopSignals:
    """Hears SIGINT and SIGTERM while its block lasts; made in the main thread, inside the running loop.

    :param within: seconds from the first signal after which the process is ended; see `STOP_WITHIN`.
    """

    def __init__(self, within: float = STOP_WITHIN) -> None:
        self.heard = asyncio.Event()
        self._within = within
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._before: dict[signal.Signals, _Handler] = {}
        # The only queue that may be used in a signal handler.
        self._further: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._guard: threading.Thread | None = None

    def __enter__(self) -> Self:
        # Not loop.add_signal_handler: those wait for a loop that may be blocked.
        self._before = {name: signal.signal(name, self._hear) for name in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)
        self._further.put(None)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self._guard is not None:
            self._further.put(number)
            return
        name = signal.Signals(number).name
        self._guard = threading.Thread(target=self._watch, args=(name,), name="stop guard", daemon=True)
        self._guard.start()
        self._loop.call_soon_threadsafe(self.heard.set)

    def _watch(self, name: str) -> None:
        log.info("%s: stopping in order; the same again stops at once", name)
        try:
            number = self._further.get(timeout=self._within)
        except queue.Empty:
            frame = sys._current_frames().get(self._loop_thread)
            stack = "".join(traceback.format_stack(frame)) if frame else ""
            _tell("the stop took longer than %.0f s and was cut off; it hung here:\n%s", self._within, stack)
            os._exit(CUT_OFF)
        if number is not None:
            _tell("%s again: stopping at once", signal.Signals(number).name)
            os._exit(128 + number)


def run_process(work: Callable[[StopSignals], Coroutine[Any, Any, None]]) -> None:
    """Run `work` on an event loop of its own until it ends, and end what it leaves behind.

    Returns or raises as `work` does. What cannot be ended is named in the log; `leave` then ends the process
    without it.

    :param work: called in the loop with the signals that ask it to stop.
    """
    loop = asyncio.new_event_loop()
    threads = ThreadPoolExecutor(thread_name_prefix="thread")
    before = set(threading.enumerate())
    left: list[str] = []

    async def main() -> None:
        loop.set_default_executor(threads)
        with StopSignals() as signals:
            try:
                await work(signals)
            finally:
                left.extend(await _end_tasks())
                threads.shutdown(wait=False, cancel_futures=True)
                left.extend(await _end_threads(before))

    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(main())
    finally:
        if left:
            log.error("the process ends without what did not stop: %s", ", ".join(left))
            _left_behind.extend(left)
        else:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
        asyncio.set_event_loop(None)


def leave(status: int) -> int:
    """Return `status`, or end the process with it when something in it could not be ended.

    The interpreter would wait for such a thread for ever.
    """
    if _left_behind:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    return status


async def _end_tasks() -> list[str]:
    """Cancel every other task; return the names of those that do not end."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if not tasks:
        return []
    done, late = await asyncio.wait(tasks, timeout=LEFTOVER_SECONDS)
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed during the stop", task.get_name(), exc_info=error)
    return [f"the task {task.get_name()} ({task.get_coro()!r})" for task in late]


async def _end_threads(before: set[threading.Thread]) -> list[str]:
    """Wait a moment for the threads that the interpreter would wait for; return the names of those left."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LEFTOVER_SECONDS
    while True:
        left = [each for each in threading.enumerate() if not each.daemon and each not in before]
        if not left or loop.time() > until:
            return [f"the thread {each.name}" for each in left]
        await asyncio.sleep(0.002)


def _tell(words: str, *values: object) -> None:
    """Log from a thread that ends the process next; who holds the log up must not hold up the end."""
    teller = threading.Thread(target=log.error, args=(words, *values), daemon=True)
    teller.start()
    teller.join(_LAST_WORDS)
