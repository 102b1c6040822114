"""What can go wrong: for people who act, and for the bot that asks."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A person tried what Discord's own client would not let them do.

    ``status`` is the HTTP status for the control address: 400 wrong input, 403 not allowed, 404 not there,
    409 not now.
    """

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


class RestError(Exception):
    """An error answer of the HTTP API, in Discord's shape."""

    def __init__(self, status: int, code: int, message: str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


_UNKNOWN = {
    "account": 10001,
    "application": 10002,
    "channel": 10003,
    "guild": 10004,
    "invite": 10006,
    "member": 10007,
    "message": 10008,
    "overwrite": 10009,
    "role": 10011,
    "user": 10013,
    "webhook": 10015,
    "ban": 10026,
    "scheduled event": 10070,
    "interaction": 10062,
    "application command": 10063,
    "voice state": 10065,
}


def unknown(thing: str) -> RestError:
    """Return the 404 for a thing that is not there ("channel" gives 10003 Unknown Channel)."""
    words = {
        "application command": "application command",
        "overwrite": "Overwrite",
        "scheduled event": "Guild Scheduled Event",
    }.get(thing, thing.title())
    return RestError(404, _UNKNOWN[thing], f"Unknown {words}")


def invalid_form(path: tuple[str, ...], code: str, message: str) -> RestError:
    """Return the 400 of a body with one wrong field, the field named by its path."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(path):
        errors = {name: errors}
    return RestError(400, 50035, "Invalid Form Body", errors)
