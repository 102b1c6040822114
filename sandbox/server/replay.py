"""Plays a recording again: the same world, the same acts at the same times, against whatever bot connects."""

from __future__ import annotations

import asyncio
import functools
import inspect
import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.server.act_values import Decoder, custom_ids_for
from sandbox.server.clock import WorldClock
from sandbox.server.comparison import Difference, compare
from sandbox.server.errors import Refused, RestError
from sandbox.server.recording import Recording, RecordingError
from sandbox.server.world import World

Json = dict[str, Any]
_LOOK_EVERY = 0.05
_LOGGING_IN = frozenset({2, 6})
_FROM_BOT = frozenset({2, 3, 4, 6, 8})
"""Gateway frames of the bot's that come again in a replay; heartbeats come when they like."""


@dataclass(slots=True)
class Report:
    """What came of a replay: how many acts were played, and how the bot's requests differ."""

    acts: int = 0
    requests: int = 0
    differences: list[Difference] = field(default_factory=list)
    compared: bool = True

    def as_dict(self) -> Json:
        """Return it as JSON."""
        return {
            "acts": self.acts,
            "requests": self.requests,
            "compared": self.compared,
            "differences": [
                {"kind": each.kind, "at": each.at, "words": each.words} for each in self.differences
            ],
        }


class Replay:
    """A recording and the world it is played in.

    An act waits for the requests that the bot made before it in the recording, until nothing has come from
    the bot for ``patience`` real seconds; ``connect_within``: real seconds for the bot to connect.
    What became of the bot itself, such as a restart, is no act and does not come again.
    Raises RecordingError when the recording does not hold all that was done.
    """

    def __init__(self, recording: Recording, *, patience: float = 2.0, connect_within: float = 60.0) -> None:
        if not recording.header.get("complete"):
            raise RecordingError(
                "this recording holds only a part of what was done (it was filtered, or acts were lost), "
                "so it cannot be played again"
            )
        self.recording = recording
        self._patience = patience
        self._connect_within = connect_within
        head = recording.header
        self.world = World(
            WorldClock(datetime.fromisoformat(head["start"])),
            seed=head["seed"],
            interaction_wait=head["interaction_wait"],
            bot_name=head["bot"],
        )
        self.world.privileged_intents = set(head["privileged_intents"])
        self.world.dave_protocol_version = head["dave_protocol_version"]
        for settings, given in ((self.world.gateway, head["gateway"]), (self.world.keep, head["keep"])):
            for name, value in given.items():
                if hasattr(settings, name):
                    setattr(settings, name, value)
        self._report = Report()
        self._steps = [entry for entry in recording.entries if entry["kind"] in {"act", "clock"}]
        heard = [entry["number"] for entry in recording.entries if _from_bot(entry)]
        self._founding = heard[0] if heard else math.inf
        self._heard = heard
        self._logins = [entry["number"] for entry in recording.entries if _login(entry)]
        self._got = self._logged_in = self._behind = 0
        self._news = asyncio.Event()
        self._running: dict[asyncio.Task[None], float] = {}
        self.world.log.on_entry(self._hear)

    async def set_scene(self) -> World:
        """Do what was done before the bot came, and return the world, to be served."""
        for step in self._before(self._founding):
            await self._play(step)
        return self.world

    async def run(self) -> Report:
        """Play the rest, and return what came of it once the bot has had time for its last requests."""
        rest = [step for step in self._steps if step["number"] >= self._founding]
        while rest:
            step = rest.pop(0)
            await self._finished(step["number"])
            await self._caught_up(step)
            if step["kind"] == "clock":
                inner = [each for each in rest if each["number"] < step.get("until", math.inf)]
                rest = rest[len(inner) :]
                await self._turn(step, inner)
            else:
                self._start(step)
        await self._finished(math.inf)
        await self._wait(lambda: self._got + self._behind >= len(self._heard), self._patience)
        await asyncio.sleep(0)
        return self._compared()

    def _before(self, number: float) -> list[Json]:
        return [step for step in self._steps if step["number"] < number]

    async def _turn(self, step: Json, inner: list[Json]) -> None:
        clock = self.world.clock
        await self._wait(lambda: clock.attached >= step.get("attached", 0), self._patience)
        for act in inner:
            if act["kind"] == "act":
                clock.call_at(datetime.fromisoformat(act["at"]), functools.partial(self._play, act))
        seconds = (datetime.fromisoformat(step["to"]) - clock.now()).total_seconds()
        await clock.advance(max(0.0, seconds))

    def _start(self, step: Json) -> None:
        task = asyncio.create_task(self._play(step), name=f"act {step['number']}")
        self._running[task] = step.get("ended", math.inf)

    async def _finished(self, number: float) -> None:
        """Wait for the acts that had come to their end before a number of the recording."""
        ended = [task for task, end in self._running.items() if end <= number]
        for task in ended:
            del self._running[task]
            await task

    async def _play(self, step: Json) -> None:
        if step["kind"] == "clock":
            await self._turn(step, [])
            return
        self._report.acts += 1
        refused = None
        try:
            outcome = self._act(step)
            if inspect.isawaitable(outcome):
                await outcome
        except (Refused, RestError, ValueError) as refusal:
            refused = str(refusal)
        if refused != step.get("refused") and (refused is None or step.get("refused") is None):
            words = f"{step['verb']} was {_how(step.get('refused'))}, now {_how(refused)}"
            self._report.differences.append(Difference("act", step["at"], words))

    def _act(self, step: Json) -> Any:
        world = self.world
        decoder = Decoder(world, step.get("named") or {})
        actor: Any
        if step["actor"] == "person":
            guild_id, user_id = (int(decoder.number(step[name])) for name in ("guild_id", "user_id"))
            actor = world.person(guild_id, user_id)
        elif step["actor"] == "guild":
            actor = world.guild(int(decoder.number(step["guild_id"])))
        else:
            actor = world
            for name in step["actor"].split("."):
                actor = actor if name == "world" else getattr(actor, name)
        arguments = decoder.decode(step["arguments"], changing=step["verb"].startswith("update"))
        arguments = custom_ids_for(world, step["verb"], arguments, step.get("places") or {})
        method = getattr(actor, step["verb"], None)
        if method is None or step["verb"].startswith("_"):
            raise RecordingError(f"this sandbox knows no act {step['verb']} of {step['actor']}")
        return method(**arguments)

    async def _caught_up(self, step: Json) -> None:
        """Wait until the bot has done what it had done before a step; for one that does less, not again."""
        wanted = bisect_left(self._logins, step["number"])
        if self._logged_in < min(1, wanted):
            await self._wait(lambda: self._logged_in > 0, self._connect_within)
            if not self._logged_in:
                raise RecordingError(f"no bot connected within {self._connect_within:g} s")
        wanted = bisect_left(self._heard, step["number"])
        await self._wait(lambda: self._got + self._behind >= wanted, self._patience)
        self._behind = max(self._behind, wanted - self._got)

    async def _wait(self, reached: Callable[[], bool], seconds: float) -> None:
        """Return once something is so, or nothing has come from the bot for so many real seconds."""
        quiet = 0.0
        while not reached():
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), _LOOK_EVERY)
                quiet = 0.0
            except TimeoutError:
                quiet += _LOOK_EVERY
            if quiet > seconds:
                self.world.log.note("the bot has not done what it had done by then; going on")
                return

    def _hear(self, entry: Json) -> None:
        if _from_bot(entry):
            self._got += 1
            self._logged_in += _login(entry)
            self._news.set()

    def _compared(self) -> Report:
        played = Recording.of(self.world)
        self._report.requests = len(played.requests)
        # Where the ring had forgotten the first requests there is nothing to compare them with.
        if self.recording.header["first"] or played.header["first"]:
            self._report.compared = False
        else:
            self._report.differences += compare(self.recording, played)
        return self._report


def _from_bot(entry: Json) -> bool:
    return bool(
        entry["kind"] == "rest"
        or (entry["kind"] == "gateway" and entry["direction"] == "in" and entry.get("op") in _FROM_BOT)
    )


def _login(entry: Json) -> bool:
    return bool(entry["kind"] == "gateway" and entry["direction"] == "in" and entry.get("op") in _LOGGING_IN)


def _how(refused: str | None) -> str:
    return "done" if refused is None else f"refused ({refused})"
