"""Virtual environments for other people's bots, whose requirements are not ours."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def foreign_python(name: str, *requirements: str, newest: tuple[int, int] = (3, 13)) -> Path:
    """Return the Python of an environment with these requirements, made on the first call and kept.

    ``newest`` is the newest Python that the requirements know; the test is skipped where there is none so
    old. Raises CalledProcessError when the requirements cannot be installed.
    """
    interpreter = _interpreter(newest)
    where = cache(name, interpreter, *requirements)
    python = where / "bin" / "python"
    done = where / ".complete"
    if not done.exists():
        shutil.rmtree(where, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", str(where)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--no-input", *requirements], check=True)
        done.touch()
    return python


def cache(name: str, *contents: str) -> Path:
    """Return the folder where an environment of these contents is kept: in the user's cache.

    REDLEGION_TEST_ENVS names another place.
    """
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "redlegion" / "test-envs"
    key = hashlib.sha256("\n".join(contents).encode()).hexdigest()[:12]
    return Path(os.environ.get("REDLEGION_TEST_ENVS") or usual) / f"{name}-{key}"


def _interpreter(newest: tuple[int, int]) -> str:
    if sys.version_info[:2] <= newest:
        return sys.executable
    for minor in range(newest[1], 10, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    pytest.skip(f"needs a Python not newer than {newest[0]}.{newest[1]}")
