"""When a guild's menu is sent after its switches were moved: pure rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Seconds without a further switch after which a window closes.
QUIET = 2.0
#: Seconds after which a window closes, whatever goes on in it.
LONGEST = 10.0


@dataclass(frozen=True, slots=True)
class Window:
    """A span in which switches were moved: one call when it opens, at most one more when it closes.

    :param opened: when the first switch was moved, in seconds of a monotonic clock.
    :param moved: when the last one was.
    """

    opened: float
    moved: float

    @property
    def closes(self) -> float:
        """Return when the last call of this window is due."""
        return min(self.moved + QUIET, self.opened + LONGEST)


def after_switch(window: Window | None, now: float) -> tuple[Window, bool]:
    """Return the window that a switch falls into, and whether it opens it: then the menu goes at once.

    :param window: the guild's last one.
    :param now: seconds of the same monotonic clock.
    """
    if window is None or now >= window.closes:
        return Window(now, now), True
    return replace(window, moved=now), False
