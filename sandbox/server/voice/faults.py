"""What goes wrong with voice on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.errors import Refused
from sandbox.server.voice.refusals import CODES, VoiceRefusal

if TYPE_CHECKING:
    from sandbox.server.world import World


class VoiceFaults:
    """Breaks the bot's voice in the ways Discord's breaks; ``guild_id`` None means in every guild."""

    def __init__(self, world: World) -> None:
        self._world = world

    def refuse(
        self,
        step: str,
        *,
        times: int | None = 1,
        probability: float = 1.0,
        guild_id: int | None = None,
        code: int | None = None,
    ) -> VoiceRefusal:
        """Let a step of connecting fail the next ``times`` times (None: always) with a seeded probability.

        The steps are in :data:`sandbox.server.voice.refusals.STEPS`; ``code`` belongs to close and
        close_after_hello. Returns what waits, with how often it has struck. Raises Refused for what makes no
        sense.
        """
        return self._world.bot_voice.refusals.add(step, times, probability, guild_id, code)

    def clear(self, guild_id: int | None = None) -> None:
        """Let voice be again: drop every refusal that still waits."""
        self._world.bot_voice.refusals.clear(guild_id)

    def close(self, code: int = 4015, guild_id: int | None = None) -> int:
        """Close the bot's voice connections with a code; returns how many.

        4015: the server crashed, the session can be resumed. 4006, 4009 and 4021: the session is gone. 4014
        and 4022: the bot is put out of voice too. Raises Refused for another code.
        """
        if code not in CODES:
            raise Refused(f"code must be one of {', '.join(map(str, CODES))}")
        voice = self._world.bot_voice
        hit = sum(voice.end(each, code) for each in tuple(voice.seats) if guild_id in (None, each))
        self._world.log.note(f"voice closed with {code}: {hit} connection(s)")
        return hit

    def change_region(self, guild_id: int | None = None, after_seconds: float = 0.0) -> int:
        """Move voice to another server, whose endpoint is null for so many sandbox seconds; returns how many.

        Raises ValueError for a negative time.
        """
        if after_seconds < 0:
            raise ValueError("after_seconds must be 0 or more")
        world = self._world
        hit = sum(
            world.bot_voice.change_region(world.guilds[each], after_seconds)
            for each in tuple(world.bot_voice.seats)
            if guild_id in (None, each)
        )
        world.log.note(f"voice region changed: {hit} connection(s)")
        return hit
