"""The voice kinds of POST /faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.server.control.bodies import Body
from sandbox.server.errors import Refused
from sandbox.server.world import World

MOST = 100_000
LONGEST = 366 * 86400.0
Act = Callable[[World, Body, int | None], dict[str, Any]]


def _refuse(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    step, code = body.text("step"), body.optional_id("code")
    always = "times" in body and body.optional_id("times") is None
    times = None if always else body.count("times", MOST) if "times" in body else 1
    probability = body.share("probability", default=1.0)
    world.faults.voice.refuse(step, times=times, probability=probability, guild_id=guild_id, code=code)
    return {"step": step, "times": times, "probability": probability}


def _clear(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    world.faults.voice.clear(guild_id)
    return {}


def _close(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    code = body.optional_id("code")
    if code is None:
        raise Refused("code is missing: give a close code, such as 4015")
    return {"connections": world.faults.voice.close(code, guild_id)}


def _region(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    after = body.seconds("after_seconds", most=LONGEST, default=0.0)
    return {"connections": world.faults.voice.change_region(guild_id, after)}


VOICE_KINDS: dict[str, tuple[tuple[str, ...], Act]] = {
    "voice_refusal": (("step", "times", "probability", "code"), _refuse),
    "voice_clear": ((), _clear),
    "voice_close": (("code",), _close),
    "voice_region": (("after_seconds",), _region),
}
