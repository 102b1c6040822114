"""Who has claimed a job, and whether that process can still be at work on it."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

#: Tokens of the runners of this very process; the others with its number belong to an earlier life of it.
_alive: set[str] = set()


def new_token() -> str:
    """Return a token that names this machine, this process and one runner in it."""
    token = f"{_place()}/{os.getpid()}/{secrets.token_hex(4)}"
    _alive.add(token)
    return token


def give_up(token: str) -> None:
    """Note that the runner of a token works no more."""
    _alive.discard(token)


def surely_dead(token: str | None) -> bool:
    """Say whether the claimer cannot be at work any more.

    :param token: as stored; one of another machine or container cannot be judged, its claim has to run out.
    """
    if token is None:
        return True
    if token in _alive:
        return False
    place, _, rest = token.partition("/")
    number = rest.partition("/")[0]
    if place != _place() or not number.isdecimal():
        return False
    return int(number) == os.getpid() or not _runs(int(number))


def _place() -> str:
    # Process numbers mean something only within one namespace: two containers may share a host's name.
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()}{space}".replace("/", "-")


def _runs(number: int) -> bool:
    if (stat := Path(f"/proc/{number}/stat")).exists():
        # A zombie has a number but works no more.
        return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
