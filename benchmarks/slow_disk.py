"""A disk on which each fsync takes longer, by a library that is put in front of the C library's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

_SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

static int slowly(const char *name, int file) {
    usleep(DELAY);
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    return real(file);
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
"""


def slow_disk(folder: Path, milliseconds: float) -> dict[str, str] | None:
    """Return the environment in which a process has such a disk; None where it cannot be had.

    :param folder: for the library.
    :param milliseconds: what each fsync takes longer.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform != "linux":
        return None
    source, library = folder / "slow_disk.c", folder / "slow_disk.so"
    source.write_text(_SOURCE, encoding="utf-8")
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", f"-DDELAY={int(milliseconds * 1000)}", "-o", library, source, "-ldl"],
        capture_output=True,
        check=False,
    )
    return {"LD_PRELOAD": str(library)} if made.returncode == 0 else None
