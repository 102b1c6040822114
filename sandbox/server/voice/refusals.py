"""The steps of a voice connection at which it can be refused on purpose."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.server.errors import Refused

STEPS = {
    "no_answer": "op 4 is dropped without a word",
    "no_server_update": "the voice state comes, VOICE_SERVER_UPDATE does not",
    "no_endpoint": "VOICE_SERVER_UPDATE has no endpoint yet, and no other one follows",
    "handshake": "the websocket handshake is answered 503",
    "close_after_hello": "the line breaks right after hello, or closes with `code`",
    "session_invalid": "identify is answered with 4006",
    "no_ready": "identify is not answered",
    "unknown_modes": "ready offers only encryption modes that no client knows",
    "no_discovery": "the UDP discovery is not answered",
    "mode_refused": "the client's encryption mode is answered with 4016",
    "no_description": "the choice of a mode is not answered",
    "close": "the connection closes with `code` (4006 by default) once it stands",
    "no_resume": "a resume is answered with 4006",
}
_WITH_CODE = {"close_after_hello", "close"}
CODES = (4006, 4009, 4014, 4015, 4021, 4022)
"""Codes with which a voice server ends a connection that has done nothing wrong."""


@dataclass(slots=True)
class VoiceRefusal:
    """A refusal that waits for its step; ``times`` None: for ever. ``struck`` counts how often it was due."""

    step: str
    times: int | None
    probability: float
    guild_id: int | None
    code: int | None
    struck: int = 0

    @property
    def over(self) -> bool:
        """Whether it has struck as often as it should."""
        return self.times is not None and self.struck >= self.times


class VoiceRefusals:
    """The refusals in wait. ``seed`` decides those with a probability, for each guild by itself."""

    def __init__(self, seed: int, note: Callable[[str], None]) -> None:
        self._seed = seed
        self._note = note
        self._waiting: list[VoiceRefusal] = []
        self._dice: dict[int, random.Random] = {}

    def add(
        self,
        step: str,
        times: int | None = 1,
        probability: float = 1.0,
        guild_id: int | None = None,
        code: int | None = None,
    ) -> VoiceRefusal:
        """Let a step fail the next ``times`` times it is reached. Raises Refused for what makes no sense."""
        if step not in STEPS:
            raise Refused(f"voice has no step {step!r}; choose one of: {', '.join(STEPS)}")
        if times is not None and times < 1:
            raise Refused("times must be 1 or more, or null for ever")
        if not 0 < probability <= 1:
            raise Refused("probability must be above 0 and at most 1")
        if code is not None and step not in _WITH_CODE:
            raise Refused(f"{step} takes no code")
        if code is not None and code not in CODES:
            raise Refused(f"code must be one of {', '.join(map(str, CODES))}")
        one = VoiceRefusal(step, times, probability, guild_id, code)
        self._waiting.append(one)
        return one

    def clear(self, guild_id: int | None = None) -> None:
        """Drop what still waits, of one guild or all."""
        self._waiting = [each for each in self._waiting if guild_id not in (None, each.guild_id)]

    def take(self, step: str, guild_id: int) -> VoiceRefusal | None:
        """Return the refusal that is due at a step in a guild, counted, or None to go on."""
        for one in self._waiting:
            if one.step != step or one.guild_id not in (None, guild_id):
                continue
            if one.probability < 1 and self._die(guild_id).random() >= one.probability:
                continue
            one.struck += 1
            if one.over:
                self._waiting.remove(one)
            self._note(f"voice of guild {guild_id}: {STEPS[step]}")
            return one
        return None

    def _die(self, guild_id: int) -> random.Random:
        if guild_id not in self._dice:
            self._dice[guild_id] = random.Random(f"voice {self._seed} {guild_id}")
        return self._dice[guild_id]
