"""What the bot sent and what it got."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.server.snowflake import Now

Entry = dict[str, Any]


class Log:
    """A bounded ring of entries, each with ``at``, ``direction`` ("in": from the bot) and ``kind``.

    A "rest" entry has ``method``, ``path``, ``route`` (the path as Discord's API description writes it),
    ``status``,
    ``request`` and ``response``; a "gateway" or "voice" entry has ``op`` and ``data``, dispatches also
    ``event``,
    ``session`` and ``sequence``; a "note" has ``words``. Bodies are the live objects: copy before changing
    them.
    """

    def __init__(self, clock: Now, size: int = 10_000) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=size)
        self._listeners: list[Callable[[Entry], None]] = []
        self.enabled = True
        self.total = 0
        """How many entries there have been; the ring keeps the last of them."""

    @property
    def entries(self) -> list[Entry]:
        """Return the entries kept, oldest first."""
        return list(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def on_entry(self, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Call ``callback`` with every entry from now on; the returned function ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def add(self, kind: str, direction: str, **fields: Any) -> None:
        """Keep an entry and hand it to the listeners."""
        if not self.enabled:
            return
        entry: Entry = {"at": self._clock.now().isoformat(), "direction": direction, "kind": kind, **fields}
        self._entries.append(entry)
        self.total += 1
        for listener in tuple(self._listeners):
            listener(entry)

    def note(self, words: str) -> None:
        """Keep a remark of the sandbox's own."""
        self.add("note", "out", words=words)
