"""Telling a guild's admins, once, that the bot cannot take its seat.

What was told is in the audit log, so that a restart does not say it again, and whoever missed the message
finds it by `/setup audit`.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import discord

from core.database import AuditEntry
from core.guilds import audit
from core.i18n import translate as _
from core.i18n import use_locale

if TYPE_CHECKING:
    from core.runtime import Runtime
    from core.voice.seat_checks import SeatProblem

_log = logging.getLogger(__name__)

PROBLEM, MENDED = "seat.problem", "seat.mended"
#: A cause that comes and goes, such as a channel that is full now and then, is told once in this time.
AGAIN_AFTER = timedelta(days=1)
#: Entries of the last day that are compared; more than so many differing ones are not told either.
MOST_A_DAY = 10

#: Where a claim stands: the channel and what is in the way, None when nothing is.
State = tuple[int, str | None]


class SeatNotices:
    """What the admins of each guild know of the bot's seat.

    They are told where Discord itself writes to them: in the channel for community updates, else in the one
    for system messages. Where the bot may write to neither, the audit log and the process's log have it.

    :param runtime: whose database, clock and client it uses; the seats work without any of them.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: dict[tuple[int, str], State] = {}

    def tell(self, guild_id: int, owner: str, channel_id: int, problem: SeatProblem | None) -> None:
        """Take how a claim stands; returns at once.

        :param owner: the plugin that claims.
        :param problem: None when the bot sits there.
        """
        state = (channel_id, None if problem is None else problem.cause)
        if self._known.get((guild_id, owner)) == state:
            return
        self._known[guild_id, owner] = state
        self._runtime.tasks.spawn(
            self._note(guild_id, owner, channel_id, problem), f"notice of the seat in guild {guild_id}"
        )

    async def _note(self, guild_id: int, owner: str, channel_id: int, problem: SeatProblem | None) -> None:
        if await self._written(guild_id, owner, channel_id, problem) and problem is not None:
            _log.warning("guild %d: %s has no seat in channel %d: %s", guild_id, owner, channel_id, problem)
            await self._send(guild_id, channel_id, problem)

    async def _written(self, guild_id: int, owner: str, channel_id: int, problem: SeatProblem | None) -> bool:
        now = self._runtime.clock.now()
        try:
            if problem is not None:
                return await self._runtime.db.write(note_problem, guild_id, owner, channel_id, problem, now)
            await self._runtime.db.write(note_mended, guild_id, owner, now)
        except BaseException:
            # Nobody was told, so the next look at the claim says it again.
            self._known.pop((guild_id, owner), None)
            raise
        return False

    async def _send(self, guild_id: int, channel_id: int, problem: SeatProblem) -> None:
        guild = self._runtime.bot.get_guild(guild_id)
        channel = None if guild is None else admins_channel(guild)
        if guild is None or channel is None:
            return
        with use_locale(guild.preferred_locale.value):
            about = f"<#{channel_id}>: " if problem.final else ""
            lines = [
                "**" + _("Voice time is tracked, but I do not sit with you.") + "**",
                about + problem.words,
                "-# " + _("I say this once; /setup audit keeps it."),
            ]
        try:
            await channel.send("\n".join(lines))
        except (discord.DiscordException, OSError, TimeoutError) as error:
            _log.warning("the admins of guild %d could not be told: %r", guild_id, error)


def admins_channel(guild: discord.Guild) -> discord.TextChannel | None:
    """Return where to tell a guild's admins something, None where the bot may write to no such channel."""
    for channel in (guild.public_updates_channel, guild.system_channel):
        if channel is not None:
            permissions = channel.permissions_for(guild.me)
            if permissions.view_channel and permissions.send_messages:
                return channel
    return None


def note_problem(guild_id: int, owner: str, channel_id: int, problem: SeatProblem, at: datetime) -> bool:
    """Note why a claim is not served, unless that is known; store function.

    :param at: aware UTC.
    :returns: whether the admins are to be told.
    """
    last, today = _last(guild_id, owner), _since(guild_id, owner, at - AGAIN_AFTER)
    known = {"channel_id": str(channel_id), "cause": problem.cause}
    if last is not None and last.action == PROBLEM and _same(last, known):
        return False
    if len(today) >= MOST_A_DAY or any(_same(entry, known) for entry in today):
        return False
    audit.record(guild_id, None, PROBLEM, owner, None, {**known, "words": problem.words}, at)
    return True


def note_mended(guild_id: int, owner: str, at: datetime) -> None:
    """Note that a claim is served, if the last that was said of it is a problem; store function."""
    last = _last(guild_id, owner)
    if last is not None and last.action == PROBLEM:
        audit.record(guild_id, None, MENDED, owner, None, None, at)


def _entries(guild_id: int, owner: str) -> Any:
    mine: Any = AuditEntry.guild_id == guild_id
    mine &= (AuditEntry.target == owner) & AuditEntry.action.in_((PROBLEM, MENDED))
    return AuditEntry.select().where(mine).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())


def _last(guild_id: int, owner: str) -> Any:
    return _entries(guild_id, owner).first()


def _since(guild_id: int, owner: str, at: datetime) -> list[Any]:
    return list(_entries(guild_id, owner).where(AuditEntry.action == PROBLEM, AuditEntry.at > at))


def _same(entry: Any, known: dict[str, str]) -> bool:
    after = entry.after or {}
    return all(after.get(name) == value for name, value in known.items())
