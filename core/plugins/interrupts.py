"""Tells the operator's Ctrl-C from a KeyboardInterrupt that a plugin raises by itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_heard = threading.Event()


@contextmanager
def ctrl_c_noted() -> Iterator[None]:
    """Note a Ctrl-C that comes while plugins' code is run; it raises KeyboardInterrupt as ever.

    Without effect where somebody else hears the signal, and in other threads, which it never reaches.
    """
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    _heard.clear()
    signal.signal(signal.SIGINT, _hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def is_ctrl_c(error: BaseException) -> bool:
    """Say whether an error that came out of a plugin's code is the operator's Ctrl-C."""
    if not isinstance(error, KeyboardInterrupt) or threading.current_thread() is not threading.main_thread():
        return False
    # Python's own handler leaves no trace of itself: better stop once too often than go on after a Ctrl-C.
    return _heard.is_set() or signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _hear(_number: int, _frame: FrameType | None) -> None:
    _heard.set()
    raise KeyboardInterrupt
