"""Whose code is running now: a contextvar that logs, errors and the watchdog read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from core.i18n import use_locale


@dataclass(frozen=True, slots=True)
class Scope:
    """The plugin, guild and hook (or command) on whose behalf the current task runs.

    :param locale: what its texts are translated to; None leaves what holds already.
    :param delivery: the number under which the event may come again; None for one that comes once.
    """

    plugin: str
    guild_id: int
    hook: str
    locale: str | None = None
    delivery: int | None = None


current: ContextVar[Scope | None] = ContextVar("redlegion_scope", default=None)


@contextmanager
def running(scope: Scope) -> Iterator[None]:
    """Set the scope, and its locale, for the code inside the block."""
    token = current.set(scope)
    try:
        if scope.locale is None:
            yield
        else:
            with use_locale(scope.locale):
                yield
    finally:
        current.reset(token)


@contextmanager
def nobodys() -> Iterator[None]:
    """Let the tasks that are started inside the block belong to the process instead of to a plugin."""
    token = current.set(None)
    try:
        yield
    finally:
        current.reset(token)
