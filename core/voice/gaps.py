"""What the log says of a time in which a shard saw nothing of voice, and what becomes of it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

_log = logging.getLogger(__name__)


class Gaps:
    """Tells the operator of each gap once, however many guilds a shard has.

    :param limit: the longest gap over which a member found in the same channel counts as having stayed.
    """

    def __init__(self, limit: timedelta) -> None:
        self._limit = limit
        self._told: set[tuple[int, datetime]] = set()

    def at_start(self, shard_id: int, last_beat: datetime | None, now: datetime) -> None:
        """Tell how long no bot ran before this one.

        :param last_beat: the last heartbeat of the bot before; None if there was none.
        """
        if last_beat is None or last_beat == now or not self._new(shard_id, last_beat):
            return
        gap = now - last_beat
        if gap < timedelta():
            _log.error(
                "the clock of this machine is at least %s behind that of the bot before (shard %d): voice "
                "time is wrong until it has caught up; set the clock right, then start the bot again",
                _words(-gap),
                shard_id,
            )
            return
        if gap > self._limit:
            self._warn(f"shard {shard_id} was away", gap)
            return
        _log.info(
            "shard %d was away for %s, no longer than %s (VOICE_GAP_LIMIT_SECONDS): who sits in voice where "
            "they sat has stayed, who came, left or moved meanwhile is marked as estimated",
            shard_id,
            _words(gap),
            _words(self._limit),
        )

    def while_running(self, shard_id: int, guild_id: int, last_alive: datetime, now: datetime) -> None:
        """Tell of a guild that was out of sight for too long, and not of those that were so with it.

        :param last_alive: until when it was seen.
        """
        if now - last_alive > self._limit and self._new(shard_id, last_alive):
            self._warn(f"guild {guild_id} of shard {shard_id} was out of sight", now - last_alive)

    def _new(self, shard_id: int, since: datetime) -> bool:
        if (shard_id, since) in self._told:
            return False
        # Of a gap that was told of nothing is left when the next one comes.
        self._told = {each for each in self._told if each[0] != shard_id} | {(shard_id, since)}
        return True

    def _warn(self, what: str, gap: timedelta) -> None:
        _log.warning(
            "%s for %s, longer than %s (VOICE_GAP_LIMIT_SECONDS): nobody is credited for voice in that time",
            what,
            _words(gap),
            _words(self._limit),
        )


def _words(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    minutes = round(seconds / 60)
    if seconds < 120:
        return f"{seconds} s"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
