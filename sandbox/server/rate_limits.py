"""How often the bot may ask: a bucket for each route and major parameter, one over all, and Cloudflare's.

Counted in real time, whatever the sandbox's clock says: clients sleep real seconds on what these answers
tell them, so a bucket that refilled in sandbox time would never refill for them.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")
USER, GLOBAL, SHARED, CLOUDFLARE = "user", "global", "shared", "cloudflare"
SCOPES = (USER, GLOBAL, SHARED, CLOUDFLARE)
_CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
_COUNTED_AS_INVALID = frozenset({401, 403, 429})
_MANY = 4096


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``requests`` in each window of ``seconds`` real seconds."""

    requests: int
    seconds: float

    def __post_init__(self) -> None:
        if self.requests < 1 or not 0 < self.seconds < math.inf:
            raise ValueError("a rate limit has at least 1 request and more than 0 seconds")


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limits say to one request: headers for its answer, and how long to wait if it is refused."""

    headers: dict[str, str]
    retry_after: float | None = None
    scope: str = USER


class RateLimits:
    """The limits of one world; generous until told otherwise.

    ``default`` holds for every bucket that has no limit of its own, ``everything`` (None: none) for all
    authorised requests together, ``invalid`` for answers 401, 403 and 429, beyond which Cloudflare steps in.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self.default = Limit(5_000, 1.0)
        self.everything: Limit | None = None
        self.invalid = Limit(10_000, 600.0)
        self._clock = clock
        self._wall = wall
        self._own: dict[tuple[str, str], Limit] = {}
        self._windows: dict[tuple[str, ...], _Window] = {}
        self._crowded = _MANY
        self._bans_end = 0.0
        self._invalid = _Window(0.0)

    def limit(self, method: str, route: str, requests: int, seconds: float) -> None:
        """Limit one route, named as Discord's API description writes it: "/channels/{channel_id}/messages".

        Each channel, guild and webhook has a count of its own. Raises ValueError for a limit that is none.
        """
        self._own[(method.upper(), route)] = Limit(requests, seconds)
        self.forget()

    def as_discord(self) -> None:
        """Take the limits that Discord's bots meet: 50 a second over all, 5 messages in 5 s, and so on."""
        self.everything = Limit(50, 1.0)
        self.default = Limit(10, 10.0)
        one = "/channels/{channel_id}/messages"
        for method, route, requests, seconds in (
            ("POST", one, 5, 5.0),
            ("GET", one, 5, 5.0),
            ("PATCH", one + "/{message_id}", 5, 5.0),
            ("DELETE", one + "/{message_id}", 5, 1.0),
            ("PUT", one + "/{message_id}/reactions/{emoji_name}/@me", 1, 0.25),
            ("PATCH", "/channels/{channel_id}", 5, 15.0),
            ("PATCH", "/guilds/{guild_id}/members/{user_id}", 10, 10.0),
            ("POST", "/webhooks/{webhook_id}/{webhook_token}", 5, 2.0),
            ("PUT", "/applications/{application_id}/commands", 2, 60.0),
            ("PUT", "/applications/{application_id}/guilds/{guild_id}/commands", 2, 20.0),
        ):
            self._own[(method, route)] = Limit(requests, seconds)
        self.forget()

    def generous(self) -> None:
        """Go back to limits that no ordinary test meets."""
        self.default, self.everything, self.invalid = Limit(5_000, 1.0), None, Limit(10_000, 600.0)
        self._own.clear()
        self.forget()

    def forget(self) -> None:
        """Let everything counted so far be forgotten."""
        self._windows.clear()
        self._invalid = _Window(0.0)
        self._bans_end = 0.0

    def described(self) -> dict[str, object]:
        """Return the limits as JSON."""
        return {
            "default": _as_json(self.default),
            "everything": _as_json(self.everything) if self.everything else None,
            "invalid": _as_json(self.invalid),
            "routes": {f"{method} {route}": _as_json(one) for (method, route), one in self._own.items()},
        }

    def ask(self, method: str, route: str, parameters: Mapping[str, str], *, authorised: bool) -> Verdict:
        """Count one request and judge it. Interaction callbacks have no bucket, as on Discord."""
        now = self._clock()
        if now < self._bans_end:
            return Verdict({}, self._bans_end - now, CLOUDFLARE)
        if authorised and self.everything is not None:
            window = self._window(("*",), self.everything, now)
            if window.used >= self.everything.requests:
                return Verdict({}, window.ends - now, GLOBAL)
            window.used += 1
        if route == _CALLBACK:
            return Verdict({})
        limit = self._own.get((method, route), self.default)
        bucket = bucket_name(method, route)
        major = [parameters[name] for name in MAJOR if name in parameters]
        window = self._window((bucket, *major), limit, now)
        refused = window.used >= limit.requests
        window.used += not refused
        return Verdict(
            self._headers(bucket, limit.requests, limit.requests - window.used, window.ends - now),
            window.ends - now if refused else None,
        )

    def answered(self, status: int, *, shared: bool = False) -> None:
        """Count an answer that was an error of the bot's; too many of them, and Cloudflare bans it."""
        if status not in _COUNTED_AS_INVALID or shared:
            return
        now = self._clock()
        if self._invalid.ends <= now:
            self._invalid = _Window(now + self.invalid.seconds)
        self._invalid.used += 1
        if self._invalid.used >= self.invalid.requests:
            self._bans_end = self._invalid.ends

    def forced(self, method: str, route: str, scope: str, retry_after: float) -> Verdict:
        """Return the refusal of a limit that was not really met."""
        if scope in {GLOBAL, CLOUDFLARE}:
            return Verdict({}, retry_after, scope)
        bucket = bucket_name(method, route)
        # With a limit of 1 clients that refill a bucket drop by drop, as hikari, wait just as long.
        limit, left = (1, 0) if scope == USER else (5, 4)
        return Verdict(self._headers(bucket, limit, left, retry_after), retry_after, scope)

    def _window(self, key: tuple[str, ...], limit: Limit, now: float) -> _Window:
        found = self._windows.get(key)
        if found is None or found.ends <= now:
            if len(self._windows) >= self._crowded:
                self._windows = {each: one for each, one in self._windows.items() if one.ends > now}
                self._crowded = max(_MANY, 2 * len(self._windows))
            found = self._windows[key] = _Window(now + limit.seconds)
        return found

    def _headers(self, bucket: str, limit: int, remaining: int, reset_after: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": f"{self._wall() + reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{reset_after:.3f}",
            "X-RateLimit-Bucket": bucket,
        }


_names: dict[tuple[str, str], str] = {}


def bucket_name(method: str, route: str) -> str:
    """Return the name of a route's bucket, which tells nothing, like Discord's."""
    key = (method, route)
    if key not in _names:
        _names[key] = hashlib.blake2b(f"{method} {route}".encode(), digest_size=16).hexdigest()
    return _names[key]


def refusal(verdict: Verdict) -> tuple[dict[str, object], dict[str, str]]:
    """Return the body and headers of a 429 that Discord itself answers (not Cloudflare)."""
    after = round(verdict.retry_after or 0.0, 3)
    words = (
        "The resource is being rate limited." if verdict.scope == SHARED else "You are being rate limited."
    )
    body: dict[str, object] = {
        "message": words,
        "retry_after": after,
        "global": verdict.scope == GLOBAL,
        "code": 0,
    }
    headers = {
        **verdict.headers,
        "Retry-After": str(max(1, math.ceil(after))),
        "X-RateLimit-Scope": verdict.scope,
    }
    if verdict.scope == GLOBAL:
        headers["X-RateLimit-Global"] = "true"
    return body, headers


def _as_json(limit: Limit) -> dict[str, object]:
    return {"requests": limit.requests, "seconds": limit.seconds}
