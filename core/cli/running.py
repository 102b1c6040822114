"""Asks a bot that runs on this machine how it is, at its health address."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any, Literal

from core.address import Address

#: Seconds that a bot gets to answer; it answers by itself within five.
WITHIN = 8.0
_EVERYWHERE = {"", "0.0.0.0", "::"}

Said = tuple[Literal["ok", "note", "FAIL"], str]


def ask(address: Address | None) -> Iterator[Said]:
    """Yield what a running bot says of itself, as (level, words).

    :param address: where it serves health; None when it does not.
    """
    if address is None or not address.port:
        yield "note", "HEALTH_ADDRESS is off or names no port, so a running bot cannot be asked"
        return
    try:
        health, readiness = _get(address, "/healthz"), _get(address, "/readyz")
    except ConnectionRefusedError:
        yield "FAIL", f"nothing answers at {address}; start the bot, or set HEALTH_ADDRESS as it has it"
        return
    except (OSError, http.client.HTTPException, ValueError) as error:
        yield "FAIL", f"what answers at {address} is not a bot of this version ({error})"
        return
    for words in [health.get("problem"), *readiness["problems"]]:
        if words:
            yield "FAIL", words
    for words in readiness["notes"]:
        yield "note", words
    for stall in health["stalls"]:
        who = f"plugin {stall['plugin']}" if stall["plugin"] else "no plugin"
        yield "note", f"the event loop stood still for {stall['seconds']} s at {stall['at']}, held by {who}"
    if readiness["ready"]:
        yield "ok", f"the bot at {address} is ready"


def _get(address: Address, path: str) -> dict[str, Any]:
    """:raises ValueError: the answer is not ours."""
    host = "127.0.0.1" if address.host in _EVERYWHERE else address.host
    connection = http.client.HTTPConnection(host, address.port, timeout=WITHIN)
    try:
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    wanted = {"/healthz": {"alive", "stalls"}, "/readyz": {"ready", "problems", "notes"}}[path]
    if not isinstance(answer, dict) or not wanted <= answer.keys():
        raise ValueError(f"its {path} says something else")
    return answer
