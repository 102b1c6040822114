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

    It lies in the user's cache, or where REDLEGION_TEST_ENVS says. ``newest`` is the newest Python that the
    requirements know; the test is skipped where there is none so old. Raises CalledProcessError when
    the requirements cannot be installed.
    """
    interpreter = _interpreter(newest)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "redlegion" / "test-envs"
    cache = Path(os.environ.get("REDLEGION_TEST_ENVS") or cache)
    key = hashlib.sha256("\n".join([interpreter, *requirements]).encode()).hexdigest()[:12]
    where = cache / f"{name}-{key}"
    python = where / "bin" / "python"
    done = where / ".complete"
    if not done.exists():
        shutil.rmtree(where, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", str(where)], check=True)
        install = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ]
        subprocess.run([*install, *requirements], check=True)
        done.touch()
    return python


def _interpreter(newest: tuple[int, int]) -> str:
    if sys.version_info[:2] <= newest:
        return sys.executable
    for minor in range(newest[1], 10, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    pytest.skip(f"needs a Python not newer than {newest[0]}.{newest[1]}")
