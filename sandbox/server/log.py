"""What the bot sent and what it got."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.server.snowflake import Now

if TYPE_CHECKING:
    from sandbox.server.recording import Filter

Entry = dict[str, Any]


MOST_ACTS = 50_000
_OF_ACTS = frozenset({"act", "clock"})


class Log:
    """A bounded ring of entries, each with ``at``, ``direction`` ("in": from the bot) and ``kind``.

    A "rest" entry has ``method``, ``path``, ``route`` (the path as Discord's API description writes it),
    ``status``, ``request`` and ``response``, and ``fault`` where one broke it;
    a "gateway" or "voice" entry has ``op`` and ``data``, dispatches also
    ``event``, ``session`` and ``sequence``; a "note" has ``words``; an "act" is what was done to the world
    from outside, a "clock" entry that time was turned on. Acts stay when the ring forgets the rest. Bodies
    are the live objects: copy before changing them.
    """

    def __init__(self, clock: Now, size: int = 10_000) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=size)
        self._acts: deque[tuple[int, Entry]] = deque(maxlen=MOST_ACTS)
        self._listeners: list[Callable[[Entry], None]] = []
        self.acts_lost = False
        """Whether there were more acts than are kept."""
        self.write: Callable[[Path, Filter | None], Path]
        """Writes the recording of the world that this log belongs to, which sets this."""
        self.enabled = True
        self._now: datetime | None = None
        self._at = ""
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

    def numbered(self) -> Iterator[tuple[int, Entry]]:
        """Return what is kept with its numbers, oldest first: all acts, and the newest of the rest."""
        first = self.total - len(self._entries)
        yield from [(number, entry) for number, entry in self._acts if number < first]
        yield from list(enumerate(self._entries, first))

    def add(self, kind: str, direction: str, **fields: Any) -> Entry | None:
        """Keep an entry, hand it to the listeners, and return it; None while the log is switched off."""
        if not self.enabled:
            return None
        now = self._clock.now()
        if now is not self._now:
            self._now, self._at = now, now.isoformat()
        entry: Entry = {"at": self._at, "direction": direction, "kind": kind, **fields}
        self._entries.append(entry)
        if kind in _OF_ACTS:
            self.acts_lost = self.acts_lost or len(self._acts) == MOST_ACTS
            self._acts.append((self.total, entry))
        self.total += 1
        for listener in tuple(self._listeners):
            listener(entry)
        return entry

    def export(self, path: Path | str, chosen: Filter | None = None) -> Path:
        """Write all that is kept, or what a filter chooses, as a recording; return where it is."""
        return self.write(Path(path), chosen)

    def note(self, words: str) -> None:
        """Keep a remark of the sandbox's own."""
        self.add("note", "out", words=words)
