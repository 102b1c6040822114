"""The file of a backup: a zip with one JSON-lines file per table, and a manifest of what must be in them."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pydantic

from core.database.backup.values import decode, encode
from core.errors import StartupError

#: Changes when an older version could not read the file any more.
FORMAT = 1
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 16 * 2**20


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class AppliedMigration(_Part):
    """A migration that was applied; `sha256` is that of its file, empty if unknown."""

    name: str
    sha256: str


class TableEntry(_Part):
    """One table.

    :param plugin: whose it is, `core` for what no plugin claims.
    :param rows: how many.
    :param sha256: of the table's file, unpacked.
    :param next_id: what the next id would have been at least, where the database counts them apart.
    """

    name: str
    plugin: str
    columns: tuple[str, ...]
    rows: int
    sha256: str
    next_id: int | None = None

    @property
    def file(self) -> str:
        """The name of its file in the archive."""
        return f"tables/{self.name}.jsonl"


class Manifest(_Part):
    """What a backup holds.

    :param version: of the program that made it.
    :param database: sqlite or postgresql.
    :param migrations: by schema, in the order of their numbers.
    """

    format: int
    version: str
    made_at: str
    database: str
    migrations: dict[str, tuple[AppliedMigration, ...]]
    tables: tuple[TableEntry, ...]


class ArchiveWriter:
    """Writes the tables one after the other; made by `write_archive`."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._zip = file

    def table(
        self,
        name: str,
        plugin: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
        next_id: int | None = None,
    ) -> TableEntry:
        """Write all rows of a table, as they come, and return its entry for the manifest."""
        digest, count = hashlib.sha256(), 0
        entry = TableEntry(
            name=name, plugin=plugin, columns=tuple(columns), rows=0, sha256="", next_id=next_id
        )
        with self._zip.open(entry.file, "w", force_zip64=True) as file:
            for row in rows:
                line = encode(row)
                digest.update(line)
                file.write(line)
                count += 1
        return entry.model_copy(update={"rows": count, "sha256": digest.hexdigest()})

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which makes the archive complete."""
        self._zip.writestr(_MANIFEST, manifest.model_dump_json(indent=1))


@contextmanager
def write_archive(path: Path, *, force: bool) -> Iterator[ArchiveWriter]:
    """Write an archive beside `path` and move it there once the block ends well; otherwise nothing is left.

    Only its owner may read it.

    :param force: a file of that name may be replaced.
    :raises StartupError: the file exists, or cannot be written.
    """
    if path.is_dir():
        raise StartupError(f"{path} is a folder: name a file in it for the backup.")
    if path.exists() and not force:
        raise StartupError(f"{path} exists already: name another file, or replace it with --force.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise StartupError(f"{path.parent} is no folder: name another file for the backup.") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with open(descriptor, "w+b") as raw:
            packed = zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED)
            try:
                yield ArchiveWriter(packed)
                packed.close()
            finally:
                # After a failed write closing fails again, and says nothing new.
                with suppress(OSError, ValueError):
                    packed.close()
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> StartupError:
    return StartupError(
        f"The backup {path} cannot be written ({error.strerror or error}): check the folder's permissions and"
        " the free space on its disk, or name another file."
    )


class Archive:
    """A backup that is open for reading; use it in a with block.

    :raises StartupError: it cannot be read, is no backup, or is of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, EOFError) as error:
            raise StartupError(
                f"{path} is not a backup, or not all of it: use a file that redlegion backup wrote."
            ) from error
        except OSError as error:
            raise StartupError(f"The backup {path} cannot be read ({error.strerror}).") from error
        try:
            self.manifest = self._read_manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def check(self) -> None:
        """Read everything and compare it with the manifest.

        :raises StartupError: a file is damaged, changed, missing or too many.
        """
        expected = {_MANIFEST, *(table.file for table in self.manifest.tables)}
        if sorted(self._zip.namelist()) != sorted(expected):
            odd = sorted(expected.symmetric_difference(self._zip.namelist())) or ["a file twice"]
            raise self._damaged(odd[0])
        for table in self.manifest.tables:
            for _ in self.rows(table):
                pass

    def rows(self, table: TableEntry) -> Generator[list[Any]]:
        """Yield the rows of a table, and compare them with the manifest on the way.

        Close it when you stop early: it holds the file open.

        :raises StartupError: they differ; at the end, if that shows only there.
        """
        digest, count, width = hashlib.sha256(), 0, len(table.columns)
        try:
            with self._zip.open(table.file) as file:
                for line in file:
                    digest.update(line)
                    count += 1
                    yield decode(line, width)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, OSError) as error:
            raise self._damaged(table.file) from error
        if count != table.rows or digest.hexdigest() != table.sha256:
            raise self._damaged(table.file)

    def _read_manifest(self) -> Manifest:
        try:
            if self._zip.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
                raise self._damaged(_MANIFEST)
            found = json.loads(self._zip.read(_MANIFEST))
            number = found["format"] if isinstance(found, dict) else None
            if isinstance(number, int) and number > FORMAT:
                raise StartupError(
                    f"The backup {self.path} was made by a newer version ({found.get('version')}): install"
                    " that version, then restore."
                )
            return Manifest.model_validate(found)
        except KeyError as error:
            raise StartupError(
                f"{self.path} is a zip file, but not a backup: use a file that redlegion backup wrote."
            ) from error
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError) as error:
            raise self._damaged(_MANIFEST) from error

    def _damaged(self, part: str) -> StartupError:
        return StartupError(
            f"The backup {self.path} is damaged ({part} is not what it was): use another copy of it."
        )
