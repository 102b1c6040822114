"""Sitting down in a voice channel and getting up again, with a few attempts and waits between them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import aiohttp
import discord

from core.clock import Clock
from core.i18n import translate as _
from core.voice.connection import SeatVoiceClient
from core.voice.hanging_up import at_work, hang_up
from core.voice.seat_checks import SeatProblem, VocalChannel, seat_problem

_log = logging.getLogger(__name__)

ATTEMPTS = 3
CONNECT_SECONDS = 15.0
LEAVE_SECONDS = 5.0
UNSEATED_SECONDS = 0.5
FIRST_BACKOFF_SECONDS = 1.0


class Joiner:
    """Joins voice channels for the bot; one task per guild at a time.

    :param clock: what the waits between attempts run on; discord.py's own time-outs are real time.
    :param jitter: returns numbers from 0 to 1.
    """

    def __init__(self, clock: Clock, jitter: Callable[[], float]) -> None:
        self._clock = clock
        self._jitter = jitter
        self._heard = asyncio.Event()
        self._closed = False
        self.connecting: set[int] = set()

    def heard(self) -> None:
        """Take it that Discord has said something of the bot's own voice state."""
        self._heard.set()

    def close(self) -> None:
        """Begin no further attempt."""
        self._closed = True
        self._heard.set()

    async def join_with_retry(
        self,
        channel: VocalChannel,
        attempts: int = ATTEMPTS,
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
            self.connecting.add(channel.guild.id)
            try:
                await _sit_down(channel)
            except (TimeoutError, discord.DiscordException, OSError, aiohttp.ClientError) as error:
                _log.warning("joining voice channel %d, attempt %d: %r", channel.id, attempt + 1, error)
            except RuntimeError as error:
                # discord.py says so when PyNaCl or davey is not installed: another attempt changes nothing.
                _log.error("voice is not possible in this installation: %s", error)
                words = _("This bot's installation lacks voice support. Tell its operator.")
                return SeatProblem(words, "installation")
            except (LookupError, TypeError, ValueError) as error:
                # discord.py takes for granted what a voice server says, such as a mode that it knows.
                _log.warning("the voice server of channel %d made no sense: %r", channel.id, error)
            else:
                return None
            finally:
                self.connecting.discard(channel.guild.id)
            if (problem := seat_problem(channel.guild.get_channel(channel.id))) is not None:
                return problem
        words = _("Discord did not let me into {channel}. Tracking goes on without me there.")
        return SeatProblem(words.format(channel=channel.mention), "refused")

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


def channel_of(client: object) -> int | None:
    """Return the channel that a voice client belongs to, None without one."""
    if not isinstance(client, discord.VoiceClient):
        return None
    # discord.py sets the channel to None when it is not in the cache, whatever its type says.
    channel: VocalChannel | None = client.channel
    return None if channel is None else channel.id


def sits_in(client: object, channel_id: int | None) -> bool:
    """Say whether a voice client is connected to a channel."""
    return (
        isinstance(client, discord.VoiceClient)
        and client.is_connected()
        and channel_id is not None
        and channel_of(client) == channel_id
    )


async def leave(guild: discord.Guild) -> None:
    """Get up from wherever the bot sits in a guild; ends in a few seconds whatever Discord says."""
    client = guild.voice_client
    if isinstance(client, discord.VoiceClient):
        await hang_up(client, patience(client))


def patience(client: discord.VoiceClient) -> float:
    """Return how many seconds to wait for Discord to confirm that the bot has left.

    The confirmation never comes while the gateway is down, nor when the bot was not in voice yet.
    """
    me: discord.Member | None = client.guild.me
    return UNSEATED_SECONDS if me is None or me.voice is None else LEAVE_SECONDS


async def _sit_down(channel: VocalChannel) -> None:
    client = channel.guild.voice_client
    if isinstance(client, discord.VoiceClient) and sits_in(client, channel.id) and at_work(client):
        return
    # Leaving first, where move_to would do: that one does not raise when its time is up, loses its UDP
    # socket unclosed, and on a quiet voice server waits half a minute for a datagram.
    await leave(channel.guild)
    await channel.connect(timeout=CONNECT_SECONDS, reconnect=True, self_deaf=True, cls=SeatVoiceClient)
