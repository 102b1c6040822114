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

import aiohttp
import discord

from core.clock import Clock
from core.i18n import translate as _
from core.voice.hanging_up import at_work, every_client, hang_up
from core.voice.seat_checks import SeatProblem, VocalChannel, seat_problem

__all__ = ["SeatProblem", "SeatStatus", "Seats"]

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 15.0
LEAVE_SECONDS = 5.0
UNSEATED_SECONDS = 0.5
FIRST_BACKOFF_SECONDS = 1.0
RETURN_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 60.0
RETURNS_PER_CLAIM = 3


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
    served: str | None = None
    problem: SeatProblem | None = None
    returns: int = 0
    unsettled: bool = False
    task: asyncio.Task[None] | None = None
    returning: asyncio.Task[None] | None = None


class Seats:
    """The bot's seat in each guild.

    :param bot: the client that sits down.
    :param clock: what the waits between attempts run on; discord.py's own time-outs are real time.
    :param jitter: returns numbers from 0 to 1.
    """

    def __init__(
        self, bot: discord.Client, clock: Clock, *, jitter: Callable[[], float] = random.random
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._jitter = jitter
        self._places: dict[int, _Place] = {}
        self._connecting: set[int] = set()
        self._closed = False
        self._heard = asyncio.Event()

    async def claim(self, guild_id: int, channel_id: int, owner: str) -> SeatProblem | None:
        """Ask for the bot to sit in a channel, or to move there for an owner who has the seat already.

        Does not wait for the bot to arrive.

        :param owner: names who asks, within the guild.
        :returns: what is in the way, in which case nothing was claimed; None when the claim stands.
        """
        guild = self._bot.get_guild(guild_id)
        problem = seat_problem(None if guild is None else guild.get_channel(channel_id))
        if problem is not None:
            return problem
        place = self._places.setdefault(guild_id, _Place())
        place.claims[owner] = channel_id
        place.returns = 0
        self._settle_soon(guild_id, place)
        return None

    async def release(self, guild_id: int, owner: str) -> None:
        """Give up a claim: the next one is served, or the bot leaves. Unknown owners are ignored."""
        place = self._places.get(guild_id)
        if place is not None and place.claims.pop(owner, None) is not None:
            self._settle_soon(guild_id, place)

    def refresh(self, guild_id: int) -> None:
        """Look again whether the bot sits where it should; after a reconnect or a change of permissions."""
        place = self._places.get(guild_id)
        if place is not None:
            place.returns = 0
            self._settle_soon(guild_id, place)

    def own_state(self, guild_id: int, channel_id: int | None) -> None:
        """Take the bot's own voice state; when it was put out of voice, it returns a few times at most.

        :param channel_id: where the bot is now. Moved to another channel by a moderator, it stays there.
        """
        self._heard.set()
        place = self._places.get(guild_id)
        if place is None or channel_id is not None or not place.claims or self._closed:
            return
        # Whoever is just sitting down looks at the end whether they still sit; who did not get in gets out
        # by themselves.
        if place.task is None and place.problem is None:
            self._return_soon(guild_id, place)

    def _return_soon(self, guild_id: int, place: _Place) -> None:
        if self._closed or place.returning is not None or place.returns >= RETURNS_PER_CLAIM:
            return
        place.returns += 1
        place.returning = asyncio.create_task(self._return(guild_id, place), name=f"seat:{guild_id}:return")

    def status(self, guild_id: int) -> SeatStatus:
        """Return how the seat of a guild stands."""
        place, guild = self._places.get(guild_id), self._bot.get_guild(guild_id)
        if place is None or place.served is None:
            return SeatStatus(None, None, False, None if place is None else place.problem)
        channel_id = place.claims.get(place.served)
        client = None if guild is None else guild.voice_client
        seated = isinstance(client, discord.VoiceClient) and _sits_in(client, channel_id)
        return SeatStatus(channel_id, place.served, seated, place.problem)

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
        tasks = {
            task: guild_id
            for guild_id, place in self._places.items()
            for task in (place.task, place.returning)
            if task is not None
        }
        # discord.py may begin anew by itself when it is cancelled in the middle of connecting.
        connecting = [task for task, guild_id in tasks.items() if guild_id in self._connecting]
        if connecting and say:
            await asyncio.wait(connecting, timeout=LEAVE_SECONDS)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        # Guilds may have gone from the cache, their voice clients have not.
        clients = every_client(self._bot)
        await asyncio.gather(*(hang_up(client, _patience(client) if say else None) for client in clients))
        self._places.clear()

    async def join_with_retry(
        self,
        channel: VocalChannel,
        attempts: int = 3,
        *,
        wanted: Callable[[], bool] = lambda: True,
    ) -> SeatProblem | None:
        """Sit down in a channel, moving there if the bot sits elsewhere in the guild.

        :param attempts: how often at most; the waits between double from about a second, with jitter.
        :param wanted: asked before each attempt; False gives up.
        :returns: None when the bot sits there, else why not.
        """
        for attempt in range(attempts):
            if attempt:
                backoff = FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1)
                await self._clock.sleep(backoff * (0.5 + self._jitter()))
                await self._until_out(channel.guild)
            if self._closed or not wanted():
                break
            self._connecting.add(channel.guild.id)
            try:
                await _sit_down(channel)
            except (TimeoutError, discord.DiscordException, OSError, aiohttp.ClientError) as error:
                _log.warning("joining voice channel %d, attempt %d: %r", channel.id, attempt + 1, error)
            except RuntimeError as error:
                # discord.py says so when PyNaCl or davey is not installed: another attempt changes nothing.
                _log.error("voice is not possible in this installation: %s", error)
                return SeatProblem(_("This bot's installation lacks voice support. Tell its operator."))
            except (LookupError, TypeError, ValueError) as error:
                # discord.py takes for granted what a voice server says, such as a mode that it knows.
                _log.warning("the voice server of channel %d made no sense: %r", channel.id, error)
            else:
                self._watch(channel.guild)
                return None
            finally:
                self._connecting.discard(channel.guild.id)
            if (problem := seat_problem(channel.guild.get_channel(channel.id))) is not None:
                return problem
        return SeatProblem(
            _("Discord did not let me into {channel}. Tracking goes on without me there.").format(
                channel=channel.mention
            )
        )

    def _watch(self, guild: discord.Guild) -> None:
        """Look after the connection of a guild: discord.py can lose one without anybody being told."""
        client, place = guild.voice_client, self._places.get(guild.id)
        if place is None or self._closed or not isinstance(client, discord.VoiceClient):
            return
        tasks = at_work(client)
        if tasks:
            tasks[0].add_done_callback(lambda task: self._watched(guild, client, task))
        elif place.claims and place.task is None:
            self._return_soon(guild.id, place)

    def _watched(self, guild: discord.Guild, client: discord.VoiceClient, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("the voice connection in guild %d ended: %r", guild.id, error)
        if guild.voice_client is client:
            self._watch(guild)

    async def _until_out(self, guild: discord.Guild) -> None:
        """Wait until Discord has said that the bot is out of voice after a failed attempt.

        Said any later, discord.py would take it for the end of the next attempt.
        """
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                while guild.me.voice is not None and not self._closed:
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            _log.warning("the bot still seems to sit in voice in guild %d", guild.id)

    # -- the background ----------------------------------------------------------------------------

    def _settle_soon(self, guild_id: int, place: _Place) -> None:
        if self._closed:
            return
        place.unsettled = True
        if place.task is None:
            place.task = asyncio.create_task(self._settle(guild_id, place), name=f"seat:{guild_id}")

    async def _settle(self, guild_id: int, place: _Place) -> None:
        try:
            while place.unsettled:
                place.unsettled = False
                guild = self._bot.get_guild(guild_id)
                if guild is not None:
                    await self._serve(guild, place)
        except Exception:
            # Nothing awaits this task; what goes wrong here must be seen all the same.
            _log.exception("the seat in guild %d could not be settled", guild_id)
            return
        finally:
            place.task = None
        guild = self._bot.get_guild(guild_id)
        arrived = place.served is not None and place.problem is None
        if arrived and guild is not None and guild.voice_client is None:
            # Put out in the very moment of arriving.
            self._return_soon(guild_id, place)

    async def _serve(self, guild: discord.Guild, place: _Place) -> None:
        place.served, place.problem = None, None
        for owner, channel_id in list(place.claims.items()):
            channel = guild.get_channel(channel_id)
            problem = seat_problem(channel)
            if problem is None and isinstance(channel, VocalChannel):
                place.served = owner
                place.problem = await self.join_with_retry(channel, wanted=lambda: not place.unsettled)
                return
            place.problem = place.problem or problem
        await _leave(guild)

    async def _return(self, guild_id: int, place: _Place) -> None:
        wait = RETURN_SECONDS * 2 ** (place.returns - 1)
        try:
            while True:
                await self._clock.sleep(wait)
                guild = self._bot.get_guild(guild_id)
                client = None if guild is None else guild.voice_client
                if not isinstance(client, discord.VoiceClient) or not at_work(client):
                    self._settle_soon(guild_id, place)
                    return
                if client.is_connected():
                    return
                # discord.py is reconnecting by itself, and may give that up without a word.
                wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        finally:
            place.returning = None


def _sits_in(client: discord.VoiceClient, channel_id: int | None) -> bool:
    # discord.py sets the channel to None when it is not in the cache, whatever its type says.
    channel: VocalChannel | None = client.channel
    return client.is_connected() and channel is not None and channel.id == channel_id


async def _sit_down(channel: VocalChannel) -> None:
    client = channel.guild.voice_client
    if isinstance(client, discord.VoiceClient) and _sits_in(client, channel.id) and at_work(client):
        return
    # Leaving first, where move_to would do: that one does not raise when its time is up, loses its UDP
    # socket unclosed, and on a quiet voice server waits half a minute for a datagram.
    await _leave(channel.guild)
    await channel.connect(timeout=CONNECT_SECONDS, reconnect=True, self_deaf=True)


async def _leave(guild: discord.Guild) -> None:
    client = guild.voice_client
    if isinstance(client, discord.VoiceClient):
        await hang_up(client, _patience(client))


def _patience(client: discord.VoiceClient) -> float:
    # discord.py waits for Discord's confirmation, which never comes while the gateway is down, nor when the
    # bot was not in voice yet.
    me: discord.Member | None = client.guild.me
    return UNSEATED_SECONDS if me is None or me.voice is None else LEAVE_SECONDS
