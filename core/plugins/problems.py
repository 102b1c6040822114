"""What is wrong with a plugin, in a form that names hook and reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a plugin.

    :param hook: the hook it came to light in, None when it was none.
    :param reason: why, one sentence without a full stop.
    """

    hook: str | None
    reason: str

    def __str__(self) -> str:
        return f"{self.hook}: {self.reason}" if self.hook else self.reason


class Problems(list[Problem]):
    """All that was found wrong with one plugin, in the order in which it was looked at."""

    def add(self, hook: str | None, reason: str) -> None:
        """Note one more."""
        self.append(Problem(hook, reason))
