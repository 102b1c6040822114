"""Where the traceback of an unexpected error goes, so that the terminal shows one line only."""

from __future__ import annotations

import os
import platform
import secrets
import sys
import tempfile
import traceback
from importlib import metadata
from pathlib import Path


def record_crash(error: BaseException, *, folder: Path = Path("data")) -> tuple[str, str]:
    """Write the traceback of `error` to a file of its own.

    :param folder: where it is written; a temporary folder takes its place when that is not possible.
    :returns: a short reference, and the path of the file, or "standard error" when no file could be written.
    """
    reference = secrets.token_hex(4)
    text = _details(error)
    for place in (folder / "errors", Path(tempfile.gettempdir())):
        path = place / f"redlegion-{reference}.txt"
        try:
            place.mkdir(parents=True, exist_ok=True)
            # A traceback may quote settings: it is for the operator's eyes only.
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
        except OSError:
            continue
        return reference, str(path)
    print(text, file=sys.stderr)
    return reference, "standard error"


def _details(error: BaseException) -> str:
    try:
        version = metadata.version("redlegion")
    except metadata.PackageNotFoundError:
        version = "unknown"
    head = f"redlegion {version}, Python {platform.python_version()}, {platform.platform()}\n\n"
    return head + "".join(traceback.format_exception(error))
