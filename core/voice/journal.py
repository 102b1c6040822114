"""What does not fit into memory while the database is away: a file on disk, read back in order.

The file has no name, so that nothing is left of it when the process ends, however it ends: what a process had
not written to the database is found out by the next one, from the heartbeat.
"""

from __future__ import annotations

import logging
import pickle
import struct
import tempfile
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from core.events import Resync
from core.voice.transitions import Transition

_log = logging.getLogger(__name__)

#: Items in one record: reading one stops the event loop for some 10 ms.
PER_RECORD = 250
_LENGTH = struct.Struct(">I")

Item = Transition | Resync


class Journal:
    """First in, first out, for all guilds together.

    A file that cannot be written is told once; what comes then is kept in memory behind it, as nothing may be
    lost. `problem` says so in words until the journal is empty again.

    :param folder: where the file is made; a temporary folder takes its place when that is not possible.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._read_at = self._end = 0
        self._in_file = 0
        self._behind: deque[tuple[int, Sequence[Item]]] = deque()
        self._counts: Counter[int] = Counter()
        self._total = 0
        self.problem: str | None = None

    def __len__(self) -> int:
        """Return how many items are in it."""
        return self._total

    def of(self, guild_id: int) -> int:
        """Return how many items of one guild are in it."""
        return self._counts[guild_id]

    def append(self, guild_id: int, items: Sequence[Item]) -> None:
        """Put items behind all others."""
        for start in range(0, len(items), PER_RECORD):
            part = items[start : start + PER_RECORD]
            if self._behind or not self._write(guild_id, part):
                self._behind.append((guild_id, part))
            self._counts[guild_id] += len(part)
            self._total += len(part)

    def pop(self) -> tuple[int, Sequence[Item]] | None:
        """Take the first record: the guild and its items; None when there is none."""
        found = self._read() if self._in_file else None
        if found is None and self._behind:
            found = self._behind.popleft()
        if found is None:
            self._clear()
            return None
        guild_id, items = found
        self._total -= len(items)
        self._counts[guild_id] -= len(items)
        if not self._counts[guild_id]:
            del self._counts[guild_id]
        if not self._total:
            self._clear()
        return found

    def close(self) -> None:
        """Let go of the file and all that is in it."""
        self._behind.clear()
        self._clear()

    def _clear(self) -> None:
        self._counts.clear()
        self._read_at = self._end = self._in_file = self._total = 0
        self.problem = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, guild_id: int, items: Sequence[Item]) -> bool:
        """Write a record whole or not at all, and say which."""
        try:
            if self._file is None:
                self._file = _temporary_file(self._folder)
            record = pickle.dumps((guild_id, list(items)), pickle.HIGHEST_PROTOCOL)
            self._file.seek(self._end)
            left = memoryview(_LENGTH.pack(len(record)) + record)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
            _log.error(
                "voice events cannot be written to a file in %s (%s): they wait in memory, which grows until "
                "the database is back",
                self._folder,
                self.problem,
            )
            return False
        self._end += _LENGTH.size + len(record)
        self._in_file += 1
        return True

    def _read(self) -> tuple[int, Sequence[Item]] | None:
        assert self._file is not None
        try:
            self._file.seek(self._read_at)
            (length,) = _LENGTH.unpack(_exactly(self._file, _LENGTH.size))
            # Written by this very process, into a file that nobody else can open.
            record: tuple[int, Sequence[Item]] = pickle.loads(_exactly(self._file, length))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            kept = Counter[int]()
            for guild_id, items in self._behind:
                kept[guild_id] += len(items)
            _log.error(
                "%d voice events were in a file that cannot be read any more (%s); what they said is lost, "
                "except where a later event of the same stay says it again",
                self._total - kept.total(),
                error,
            )
            self._in_file, self._counts, self._total = 0, kept, kept.total()
            return None
        self._read_at += _LENGTH.size + length
        self._in_file -= 1
        return record


def _temporary_file(folder: Path) -> IO[bytes]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder, prefix="voice-", buffering=0)
    except OSError:
        return tempfile.TemporaryFile(prefix="redlegion-voice-", buffering=0)


def _exactly(file: IO[bytes], size: int) -> bytes:
    """:raises EOFError: the file ends before."""
    parts: list[bytes] = []
    while size:
        part = file.read(size)
        if not part:
            raise EOFError("it ends too early")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
