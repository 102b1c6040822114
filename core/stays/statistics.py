"""What a member's time in voice comes to, kept stay by stay or as daily sums. Store functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.database import VoiceDay, VoiceSession
from core.events import SessionRecord
from core.stays.folding import Sums, days
from core.voice.store import read_records

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)
_NOTHING = Sums()


@dataclass(frozen=True, slots=True)
class Totals:
    """All of a member's recorded time in a guild, voided stays left out.

    :param channels: what it comes to in each channel, folded or not.
    :param folded: the part of it that is kept as daily sums only.
    :param folded_until: the end of the last day of which there is a daily sum, None without any.
    """

    channels: Mapping[int, Sums]
    folded: Sums = _NOTHING
    folded_until: datetime | None = None

    @property
    def all(self) -> Sums:
        """What all channels come to."""
        return sum(self.channels.values(), _NOTHING)


def totals_of(guild_id: int, user_id: int, at: datetime) -> Totals:
    """Return what all of a member's stays in a guild come to, those that were folded included.

    :param at: now; a stay that goes on counts up to it.
    """
    found: dict[int, Sums] = defaultdict(Sums)
    folded, until = _NOTHING, None
    for each in days(guild_id, user_id):
        found[each.channel_id] += each.sums
        folded += each.sums
        until = each.day + _DAY
    own = VoiceSession.select().where(
        VoiceSession.guild_id == guild_id,
        VoiceSession.user_id == user_id,
        VoiceSession.status != "cancelled",
    )
    for session in read_records(own):
        found[session.channel_id] += whole(session, at)
    return Totals(dict(found), folded, until)


def whole(session: SessionRecord, at: datetime) -> Sums:
    """Return what a session comes to, in one piece: the sum of its days.

    :param at: now; one that goes on counts up to it.
    """
    present = max(((session.left or at) - session.joined) // _MICROSECOND, 0)
    deafened = session.deafened_us
    if session.left is None and session.deafened_since is not None:
        deafened += max((at - session.deafened_since) // _MICROSECOND, 0)
    return Sums(
        present_us=0 if session.afk else present,
        deafened_us=min(deafened, present),
        afk_us=present if session.afk else 0,
        stays=1,
        estimated=int(session.estimated),
    )


def folded_within(guild_id: int, channel_ids: Collection[int], start: datetime, end: datetime) -> bool:
    """Return whether any stay in these channels on the UTC days of a span is kept as a daily sum only."""
    first = datetime.combine(start.astimezone(UTC).date(), datetime.min.time(), UTC)
    return bool(
        VoiceDay.select()
        .where(
            VoiceDay.guild_id == guild_id,
            VoiceDay.channel_id.in_(sorted(channel_ids)),
            VoiceDay.day >= first,
            VoiceDay.day < end,
        )
        .exists()
    )
