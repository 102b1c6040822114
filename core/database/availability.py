"""Whether the database server answers: one truth for all threads, and one line in the log for each change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from core.clock import SystemClock

logger = logging.getLogger("redlegion.database")
_monotonic = SystemClock().monotonic


def first_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


class Availability:
    """Knows since when the server has been away; for every thread.

    :param patience: seconds for which calls wait for a server that is away; then they are refused.
    :param changed: called in some thread when the server goes away or comes back.
    """

    def __init__(self, patience: float, changed: Callable[[], None] = lambda: None) -> None:
        self.patience = patience
        self._changed = changed
        self._lock = threading.Lock()
        self._since: float | None = None

    @property
    def away(self) -> bool:
        """Whether nobody has reached the server since it was lost."""
        return self._since is not None

    @property
    def seconds_away(self) -> float:
        """How long it has been away; 0 while it is there."""
        since = self._since
        return 0.0 if since is None else _monotonic() - since

    @property
    def patience_left(self) -> float:
        """For how many seconds calls still wait."""
        return max(0.0, self.patience - self.seconds_away)

    @property
    def refuses(self) -> bool:
        """Whether calls no longer wait for it."""
        since = self._since
        return since is not None and _monotonic() - since >= self.patience

    def lost(self, error: BaseException) -> None:
        """Take note that the server could not be reached."""
        with self._lock:
            if self._since is not None:
                return
            self._since = _monotonic()
        logger.error(
            "the database is away (%s): calls wait %g s for it, then they are refused until it is back",
            first_line(error),
            self.patience,
        )
        self._changed()

    def back(self) -> None:
        """Take note that the server was reached."""
        with self._lock:
            if self._since is None:
                return
            seconds, self._since = _monotonic() - self._since, None
        logger.warning("the database is back after %.1f s", seconds)
        self._changed()
