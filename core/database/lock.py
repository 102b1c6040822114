"""One process per SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


class FileBusy(Exception):
    """Another process holds the lock."""


class FileLock:
    """Holds BEGIN EXCLUSIVE on a tiny SQLite file beside the database.

    The operating system frees it when the process dies, however it dies, and it works on every system.

    :param path: the lock file; made if missing, left in place.
    :raises FileBusy: another connection holds it.
    :raises sqlite3.Error: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            if "locked" in str(error):
                raise FileBusy(str(path)) from error
            raise
        except sqlite3.Error:
            connection.close()
            raise
        self._connection: sqlite3.Connection | None = connection

    def release(self) -> None:
        """Let others in; harmless when done twice."""
        if self._connection is not None:
            with closing(self._connection) as connection:
                connection.execute("ROLLBACK")
            self._connection = None
