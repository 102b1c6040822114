"""How much of what has been a world keeps: it may run for long, and its memory stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.server.messages import Attachment, Message

Key = tuple[int, int, str]
_OVERHEAD = 1_000
"""Bytes that a file takes beside its own."""


@dataclass(slots=True)
class Keep:
    """The bounds of one world; may be changed at any time, and holds from the next thing on.

    Of each the oldest go first: ``stays`` of the truth that have ended (their seconds stay exact),
    ``messages`` of all channels together with their files, ``file_bytes`` of files, and ``interactions``,
    which can be answered no more then.
    """

    stays: int = 100_000
    messages: int = 20_000
    file_bytes: int = 256 * 1024 * 1024
    interactions: int = 10_000


class Files:
    """The files that the CDN serves, up to so many bytes."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._files: dict[Key, Attachment] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._files)

    def __setitem__(self, key: Key, stored: Attachment) -> None:
        self._files[key] = stored
        self._bytes += stored.size + _OVERHEAD
        while self._bytes > self._keep.file_bytes and len(self._files) > 1:
            self.let_go(next(iter(self._files)))

    def get(self, key: Key) -> Attachment | None:
        """Return a file, None when there is none."""
        return self._files.get(key)

    def let_go(self, key: Key) -> None:
        """Drop the bytes of a file; an unknown one is ignored."""
        stored = self._files.pop(key, None)
        if stored is not None:
            self._bytes -= stored.size + _OVERHEAD
            stored.data = None


def oldest(messages: dict[int, Message], most: int) -> Iterable[Message]:
    """Return the messages to let go, none while there are not too many: a tenth at a time."""
    over = len(messages) - most
    return list(islice(messages.values(), over + most // 10)) if over > 0 else ()
