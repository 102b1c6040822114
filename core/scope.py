"""Whose code is running now: a contextvar that logs, errors and the watchdog read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The plugin, guild and hook (or command) on whose behalf the current task runs."""

    plugin: str
    guild_id: int
    hook: str


current: ContextVar[Scope | None] = ContextVar("redlegion_scope", default=None)


@contextmanager
def running(scope: Scope) -> Iterator[None]:
    """Set the scope for the code inside the block."""
    token = current.set(scope)
    try:
        yield
    finally:
        current.reset(token)
