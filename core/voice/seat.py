"""The bot's own place in voice: one per guild is all that Discord allows.

It shows members that tracking is on, and nothing depends on it. Whoever claims the seat first has it; the
others wait their turn. All joining and leaving happens in background tasks, one per guild at most.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import discord

from core.clock import Clock
from core.i18n import set_locale, use_locale
from core.i18n import translate as _
from core.voice.hanging_up import at_work, every_client, hang_up
from core.voice.seat_checks import SeatProblem, VocalChannel, seat_problem
from core.voice.seat_joining import LEAVE_SECONDS, Joiner, channel_of, leave, patience, sits_in

__all__ = ["SeatProblem", "SeatStatus", "Seats"]

_log = logging.getLogger(__name__)

RETURN_SECONDS = 5.0
#: How often to look, at doubling intervals, whether discord.py has reconnected by itself.
LOOKS = 4
RETURNS = 3
#: Seconds in the seat after which being taken out of it counts as the first time again.
STEADY_SECONDS = 600.0

#: Hears how a claim stands: guild id, owner, channel id, and the problem or None when the bot sits there.
Tell = Callable[[int, str, int, SeatProblem | None], None]


@dataclass(frozen=True, slots=True)
class SeatStatus:
    """Where the bot is to sit in a guild, and whether it does.

    :param channel_id: the channel of the claim that is served, None without a claim.
    :param owner: who holds that claim.
    :param seated: the bot sits there.
    :param problem: why it does not, if that is known.
    """

    channel_id: int | None
    owner: str | None
    seated: bool
    problem: SeatProblem | None


@dataclass(slots=True)
class _Place:
    claims: dict[str, int] = field(default_factory=dict)
    blocked: dict[str, SeatProblem] = field(default_factory=dict)
    served: str | None = None
    problem: SeatProblem | None = None
    returns: int = 0
    seated_at: float | None = None
    unsettled: bool = False
    task: asyncio.Task[None] | None = None
    returning: asyncio.Task[None] | None = None

    @property
    def wanted(self) -> int | None:
        """The channel of the claim that is served."""
        return None if self.served is None else self.claims.get(self.served)


class Seats:
    """The bot's seat in each guild.

    :param bot: the client that sits down.
    :param clock: what the waits between attempts run on; discord.py's own time-outs are real time.
    :param jitter: returns numbers from 0 to 1.
    :param tell: hears of every claim that is served, and of every one that cannot be.
    """

    def __init__(
        self,
        bot: discord.Client,
        clock: Clock,
        *,
        jitter: Callable[[], float] = random.random,
        tell: Tell = lambda guild_id, owner, channel_id, problem: None,
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._tell = tell
        self._joiner = Joiner(clock, jitter)
        self._places: dict[int, _Place] = {}
        self._closed = False
        #: Guilds in which a claim waits for something in the guild to change.
        self.waiting: set[int] = set()

    async def claim(self, guild_id: int, channel_id: int, owner: str) -> SeatProblem | None:
        """Ask for the bot to sit in a channel, or to move there for an owner who has the seat already.

        Does not wait for the bot to arrive.

        :param owner: names who asks, within the guild.
        :returns: what is in the way, None when nothing is. The claim stands all the same and is served once
            that has changed, unless there is no such voice channel: then nothing was claimed.
        """
        guild = self._bot.get_guild(guild_id)
        problem = seat_problem(None if guild is None else guild.get_channel(channel_id))
        if problem is not None and problem.final:
            self._tell(guild_id, owner, channel_id, problem)
            return problem
        place = self._places.setdefault(guild_id, _Place())
        place.claims[owner] = channel_id
        place.returns = 0
        self._settle_soon(guild_id, place)
        return problem

    async def release(self, guild_id: int, owner: str) -> None:
        """Give up a claim: the next one is served, or the bot leaves. Unknown owners are ignored."""
        place = self._places.get(guild_id)
        if place is not None and place.claims.pop(owner, None) is not None:
            self._settle_soon(guild_id, place)

    def refresh(self, guild_id: int) -> None:
        """Try anew to sit where the bot should; after a reconnect."""
        place = self._places.get(guild_id)
        if place is not None:
            place.returns = 0
            self._settle_soon(guild_id, place)

    def reconsider(self, guild_id: int) -> None:
        """Look whether a claim that waits can be served; after a change of permissions, limits or people."""
        place, guild = self._places.get(guild_id), self._bot.get_guild(guild_id)
        if place is None or guild is None:
            return
        for owner, before in place.blocked.items():
            now = seat_problem(guild.get_channel(place.claims.get(owner, 0)))
            if now is None or now.cause != before.cause:
                self._settle_soon(guild_id, place)
                return

    def own_state(self, guild_id: int, channel_id: int | None) -> None:
        """Take the bot's own voice state; put out of its channel, it returns a few times at most.

        :param channel_id: where the bot is now, None when it is not in voice.
        """
        self._joiner.heard()
        place = self._places.get(guild_id)
        # Whoever is just sitting down looks at the end whether they still sit; who did not get in gets out
        # by themselves.
        if place is None or place.task is not None or place.wanted is None or self._closed:
            return
        if channel_id != place.wanted:
            if place.problem is None:
                self._return_soon(guild_id, place)
        elif place.problem is not None:
            # Dragged back by somebody.
            place.problem, place.returns = None, 0
            self._return_soon(guild_id, place)

    def status(self, guild_id: int) -> SeatStatus:
        """Return how the seat of a guild stands."""
        place, guild = self._places.get(guild_id), self._bot.get_guild(guild_id)
        if place is None or place.served is None:
            return SeatStatus(None, None, False, None if place is None else place.problem)
        seated = guild is not None and sits_in(guild.voice_client, place.wanted)
        return SeatStatus(place.wanted, place.served, seated, place.problem)

    async def settled(self, guild_id: int) -> None:
        """Return once nothing is under way for the seat of a guild."""
        place = self._places.get(guild_id)
        while place is not None and (tasks := [task for task in (place.task, place.returning) if task]):
            await asyncio.wait(tasks)

    async def close(self, *, say: bool = True) -> None:
        """Stop all tasks and leave every channel; takes a few seconds at most.

        :param say: tell Discord; without, the connections just end, as those of a lost process do.
        """
        self._closed = True
        self._joiner.close()
        tasks = {
            task: guild_id
            for guild_id, place in self._places.items()
            for task in (place.task, place.returning)
            if task is not None
        }
        # discord.py may begin anew by itself when it is cancelled in the middle of connecting.
        connecting = [task for task, guild_id in tasks.items() if guild_id in self._joiner.connecting]
        if connecting and say:
            await asyncio.wait(connecting, timeout=LEAVE_SECONDS)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        # Guilds may have gone from the cache, their voice clients have not.
        clients = every_client(self._bot)
        await asyncio.gather(*(hang_up(client, patience(client) if say else None) for client in clients))
        self._places.clear()
        self.waiting.clear()

    # -- the background ----------------------------------------------------------------------------

    def _settle_soon(self, guild_id: int, place: _Place) -> None:
        if self._closed:
            return
        place.unsettled, place.problem = True, None
        if place.task is None:
            place.task = asyncio.create_task(self._settle(guild_id, place), name=f"seat:{guild_id}")

    async def _settle(self, guild_id: int, place: _Place) -> None:
        guild = None
        try:
            while place.unsettled:
                place.unsettled = False
                guild = self._bot.get_guild(guild_id)
                if guild is not None:
                    # What is told from here is for the guild, whoever it was that asked.
                    set_locale(guild.preferred_locale.value)
                    await self._serve(guild, place)
        except Exception:
            # Nothing awaits this task; what goes wrong here must be seen all the same.
            _log.exception("the seat in guild %d could not be settled", guild_id)
            return
        finally:
            place.task = None
        arrived = place.served is not None and place.problem is None
        if arrived and guild is not None and channel_of(guild.voice_client) != place.wanted:
            # Put out, or moved, in the very moment of arriving.
            self._return_soon(guild_id, place)

    async def _serve(self, guild: discord.Guild, place: _Place) -> None:
        place.problem = None
        chosen = self._choose(guild, place)
        (self.waiting.add if place.blocked else self.waiting.discard)(guild.id)
        if chosen is None:
            place.served, place.problem = None, next(iter(place.blocked.values()), None)
            await leave(guild)
            return
        place.served, channel = chosen
        problem = await self._joiner.join_with_retry(channel, wanted=lambda: not place.unsettled)
        place.problem = problem
        if problem is None:
            place.seated_at = self._clock.monotonic()
            self._watch(guild, place)
        if not place.unsettled and not self._closed:
            self._tell(guild.id, chosen[0], channel.id, problem)

    def _choose(self, guild: discord.Guild, place: _Place) -> tuple[str, VocalChannel] | None:
        """Return the first claim that can be served, noting what is in the way of those before it."""
        place.blocked.clear()
        for owner, channel_id in place.claims.items():
            channel = guild.get_channel(channel_id)
            problem = seat_problem(channel)
            if problem is None and isinstance(channel, VocalChannel):
                return owner, channel
            if problem is not None:
                place.blocked[owner] = problem
                self._tell(guild.id, owner, channel_id, problem)
        return None

    def _return_soon(self, guild_id: int, place: _Place) -> None:
        if self._closed or place.returning is not None:
            return
        if place.seated_at is not None and self._clock.monotonic() - place.seated_at >= STEADY_SECONDS:
            place.returns = 0
        if place.returns >= RETURNS:
            self._stay_out(guild_id, place)
            return
        place.returns += 1
        place.returning = asyncio.create_task(self._return(guild_id, place), name=f"seat:{guild_id}:return")

    def _stay_out(self, guild_id: int, place: _Place) -> None:
        guild = self._bot.get_guild(guild_id)
        if guild is None or place.served is None or place.wanted is None:
            return
        # The locale of the gateway's own task stays as it is.
        with use_locale(guild.preferred_locale.value):
            words = _(
                "I was taken out of {channel} again and again, so I do not come back by myself. Tracking "
                "goes on without me. To have me back, start anew what I sat there for."
            )
        place.problem = SeatProblem(words.format(channel=f"<#{place.wanted}>"), "taken out")
        self._tell(guild_id, place.served, place.wanted, place.problem)

    async def _return(self, guild_id: int, place: _Place) -> None:
        wait = RETURN_SECONDS * 2 ** (place.returns - 1)
        try:
            for _look in range(LOOKS):
                await self._clock.sleep(wait)
                guild = self._bot.get_guild(guild_id)
                client = None if guild is None else guild.voice_client
                if not isinstance(client, discord.VoiceClient) or not at_work(client):
                    self._settle_soon(guild_id, place)
                    return
                if client.is_connected():
                    if channel_of(client) != place.wanted:
                        self._settle_soon(guild_id, place)
                    elif place.served is not None and place.wanted is not None:
                        self._tell(guild_id, place.served, place.wanted, None)
                    return
                # discord.py is reconnecting by itself, and may give that up without a word.
                wait *= 2
            self._settle_soon(guild_id, place)
        finally:
            place.returning = None

    def _watch(self, guild: discord.Guild, place: _Place) -> None:
        """Look after the connection of a guild: discord.py can lose one without anybody being told."""
        client = guild.voice_client
        if self._closed or not isinstance(client, discord.VoiceClient):
            return
        tasks = at_work(client)
        if tasks:
            tasks[0].add_done_callback(lambda task: self._watched(guild, place, client, task))
        elif place.claims and place.task is None:
            self._return_soon(guild.id, place)

    def _watched(
        self, guild: discord.Guild, place: _Place, client: discord.VoiceClient, task: asyncio.Task[None]
    ) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("the voice connection in guild %d ended: %r", guild.id, error)
        if guild.voice_client is client:
            self._watch(guild, place)
        elif guild.voice_client is None and place.wanted and place.task is None and place.problem is None:
            # Put out while the seat was just being taken, so that the voice state was not heeded.
            self._return_soon(guild.id, place)
