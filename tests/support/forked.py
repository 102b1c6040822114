"""`redlegion` as a process of its own, forked from one that has loaded what every command needs.

Starting Python and loading the libraries takes ten times as long as what most commands do. Folder,
environment, output and exit status are those of a process that was started; its end is one too.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

#: Real seconds that a command may take.
LIMIT = 60.0
_SERVER = """
import gc, json, os, sys
import aiohttp, discord, peewee, psycopg, PIL.Image, playhouse.migrations, reportlab.platypus
import core.cli.app, core.cli.backup, core.cli.migrate, core.cli.run, core.runtime, sandbox.cli
from redlegion.__main__ import main

gc.freeze()
for line in iter(sys.stdin.readline, ""):
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        for number, name in enumerate((os.devnull, asked["out"], asked["err"])):
            opened = os.open(name, os.O_RDWR)
            os.dup2(opened, number)
            os.close(opened)
        sys.stdin = open(0)
        sys.argv = ["redlegion", *asked["words"]]
        sys.path[0] = asked["folder"]
        sys.exit(main(asked["words"]))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def redlegion(*words: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `redlegion` with these words and return how it ended, and what it said.

    :raises TimeoutExpired: it did not end within `LIMIT`.
    """
    with tempfile.NamedTemporaryFile("r+") as out, tempfile.NamedTemporaryFile("r+") as err:
        asked = {
            "words": words,
            "folder": str(folder),
            "environment": dict(environment),
            "out": out.name,
            "err": err.name,
        }
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], LIMIT)[0]:
            _stop(server)
            _server.cache_clear()
            raise subprocess.TimeoutExpired(["redlegion", *words], LIMIT, out.read(), err.read())
        status = int(server.stdout.readline())
        return subprocess.CompletedProcess(["redlegion", *words], status, out.read(), err.read())


@cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    atexit.register(_stop, server)
    return server


def _stop(server: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
