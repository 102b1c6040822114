"""Answers of the HTTP API that go wrong on purpose: errors, slow ones, torn and dead sockets, 429."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.server.rate_limits import SCOPES, USER

STATUS, SLOW, DROP, HALF_OPEN, RATE_LIMIT = "status", "slow", "drop", "half_open", "rate_limit"
_WORDS = {
    400: ("400: Bad Request", 0),
    401: ("401: Unauthorized", 0),
    403: ("Missing Permissions", 50013),
    404: ("404: Not Found", 0),
    500: ("500: Internal Server Error", 0),
}
_METHODS = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE"})


@dataclass(slots=True, eq=False)
class HttpFault:
    """One fault that waits for its requests; ``left`` tells for how many."""

    kind: str
    left: int
    method: str | None = None
    pattern: str | None = None
    done: bool = False
    midway: bool = False
    status: int = 500
    code: int | None = None
    message: str | None = None
    seconds: float | None = None
    scope: str = USER
    retry_after: float = 0.5
    hits: int = 0
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def fits(self, method: str, template: str | None, path: str) -> bool:
        """Whether a request is one of those that this fault is for."""
        if self.left <= 0 or self.method not in {None, method}:
            return False
        return self.pattern is None or self.pattern == template or fnmatch.fnmatchcase(path, self.pattern)

    async def wait(self) -> None:
        """Hold the answer back: for so many real seconds, or until released."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), self.seconds)

    def release(self) -> None:
        """Let go of every answer that is held back, and hit no further request."""
        self.left = 0
        self._over.set()

    def error(self) -> tuple[int, Any]:
        """Return the status and body of an answer that fails: JSON, or the text of a gateway in between."""
        if self.status in _WORDS or self.message is not None:
            words, code = _WORDS.get(self.status, ("", 0))
            return self.status, {
                "message": self.message or words,
                "code": code if self.code is None else self.code,
            }
        return self.status, f"error code: {self.status}"


class HttpFaults:
    """Faults of the HTTP API, each for the next so many requests that fit.

    ``route`` limits a fault: ``"POST /channels/{channel_id}/messages"`` as Discord's API description writes
    it, the same without the method, a real path, or a path with ``*`` in it; None fits every request of
    the HTTP API. ``/attachments/*`` hits files.
    ``done`` lets the request take effect although its answer is lost or wrong. All of them return the
    fault; ``release()`` of it, or of all, ends it. Each raises ValueError for what makes no sense.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._waiting: list[HttpFault] = []

    def status(
        self,
        status: int,
        times: int = 1,
        route: str | None = None,
        *,
        code: int | None = None,
        message: str | None = None,
        done: bool = False,
    ) -> HttpFault:
        """Answer with an error status; ``code`` and ``message`` replace those of the JSON body."""
        if not 400 <= status <= 599:
            raise ValueError(f"an error's status is 400 to 599, not {status}")
        return self._add(
            HttpFault(STATUS, times, status=status, code=code, message=message, done=done), route
        )

    def slow(
        self, seconds: float | None = None, times: int = 1, route: str | None = None, *, done: bool = False
    ) -> HttpFault:
        """Answer only after so many real seconds; None: not before it is released."""
        if seconds is not None and not 0 <= seconds < math.inf:
            raise ValueError("an answer is late by 0 or more seconds")
        return self._add(HttpFault(SLOW, times, seconds=seconds, done=done), route)

    def drop(
        self, times: int = 1, route: str | None = None, *, midway: bool = False, done: bool = False
    ) -> HttpFault:
        """Tear the connection down instead of answering, or ``midway`` through the answer's body."""
        return self._add(HttpFault(DROP, times, midway=midway, done=done), route)

    def half_open(
        self, times: int = 1, route: str | None = None, *, midway: bool = False, done: bool = False
    ) -> HttpFault:
        """Keep the connection but say nothing (more) until released, then tear it down."""
        return self._add(HttpFault(HALF_OPEN, times, midway=midway, done=done), route)

    def rate_limit(
        self, times: int = 1, route: str | None = None, *, retry_after: float = 0.5, scope: str = USER
    ) -> HttpFault:
        """Answer 429: of the bucket ("user"), "global", "shared", or "cloudflare" (without Via and JSON)."""
        if scope not in SCOPES:
            raise ValueError(f"a rate limit's scope is one of {', '.join(SCOPES)}, not {scope}")
        if not 0 <= retry_after < math.inf:
            raise ValueError("retry_after must be 0 or more seconds")
        return self._add(HttpFault(RATE_LIMIT, times, retry_after=retry_after, scope=scope), route)

    @property
    def waiting(self) -> list[HttpFault]:
        """The faults that still wait for a request."""
        return [each for each in self._waiting if each.left > 0]

    def release(self) -> int:
        """Let go of what is held back and drop all faults; returns how many there were."""
        ended, self._waiting = self._waiting, []
        for each in ended:
            each.release()
        return len(ended)

    def take(self, method: str, template: str | None, path: str, *, named: bool = False) -> HttpFault | None:
        """Return the fault that hits a request, counted, or None; ``named``: only one that has a route."""
        if not self._waiting:
            return None
        fit = (each for each in self._waiting if each.fits(method, template, path))
        found = next((each for each in fit if each.pattern is not None or not named), None)
        if found is not None:
            found.left -= 1
            found.hits += 1
            self._note(f"fault {found.kind} hits {method} {path}")
            # Faults that hold an answer back stay, so that they can be released.
            if found.left == 0 and found.kind not in {SLOW, HALF_OPEN}:
                self._waiting.remove(found)
        return found

    def _add(self, fault: HttpFault, route: str | None) -> HttpFault:
        if fault.left < 1:
            raise ValueError("a fault hits at least 1 request")
        if route is not None:
            first, _, rest = route.partition(" ")
            fault.method = first if first in _METHODS else None
            fault.pattern = (rest if fault.method else route) or None
            if fault.pattern is not None and not fault.pattern.startswith(("/", "*")):
                raise ValueError(
                    f"{route!r} is no route: write it like POST /channels/{{channel_id}}/messages"
                )
        self._waiting.append(fault)
        return fault
