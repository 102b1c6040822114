"""Chains: the stays of one member that follow from each other, from sitting down to leaving voice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN

from core.database import VoiceSession, VoiceVoid
from core.events import SessionRecord
from core.voice.store import read_records

_NOTHING = timedelta()


@dataclass(frozen=True, slots=True)
class Link:
    """One stay of a chain.

    :param session: the stay; `status` says whether it was voided, `afk` whether it counts at all.
    :param gap: unseen time since the stay before, after an outage or at the AFK channel's door.
    """

    session: SessionRecord
    gap: timedelta = _NOTHING

    @property
    def channel_id(self) -> int:
        """The channel."""
        return self.session.channel_id

    def length(self, now: datetime) -> timedelta:
        """Return how long the stay lasted, or has lasted until `now`."""
        return max((self.session.left or now) - self.session.joined, _NOTHING)


@dataclass(frozen=True, slots=True)
class Chain:
    """Stays that follow from each other, in order; never empty."""

    links: tuple[Link, ...]

    @property
    def user_id(self) -> int:
        """Whose it is."""
        return self.links[0].session.user_id

    @property
    def first_channel(self) -> int:
        """Where the member sat down."""
        first = self.links[0].session
        return first.channel_id if first.via_channel_id is None else first.via_channel_id

    @property
    def final_channel(self) -> int:
        """Where the member was last seen, or still is."""
        return self.links[-1].channel_id

    @property
    def current_channel(self) -> int | None:
        """Where the member is now, None once they have left."""
        return self.final_channel if self.links[-1].session.left is None else None

    @property
    def gaps(self) -> timedelta:
        """All unseen time between the stays."""
        return sum((link.gap for link in self.links), _NOTHING)

    def lengths(self, now: datetime) -> list[tuple[int, timedelta]]:
        """Return (channel, length) of each stay, in order."""
        return [(link.channel_id, link.length(now)) for link in self.links]


def chain_of(guild_id: int, user_id: int, start: datetime, end: datetime) -> list[Chain]:
    """Return a member's chains in a span, oldest first, of stays that overlap it; store function.

    Voided and AFK stays are part of a chain.

    :param start: aware; stays that ended then or earlier are left out.
    :param end: aware; stays that began then or later are left out.
    """
    query = _shown(guild_id, user_id).where(
        VoiceSession.joined < end, VoiceSession.left.is_null() | (VoiceSession.left > start)
    )
    return chains(read_records(query))


def chain_with(guild_id: int, session_id: int) -> Chain | None:
    """Return the whole chain that a session is part of, None when this guild has no such session.

    Store function.
    """
    found: Any = (
        VoiceSession.select(VoiceSession.user_id)
        .where(VoiceSession.id == session_id, VoiceSession.guild_id == guild_id)
        .scalar()
    )
    if found is None:
        return None
    every = chains(read_records(_shown(guild_id, found)))
    return next((chain for chain in every if session_id in {link.session.id for link in chain.links}), None)


def chains(records: Iterable[SessionRecord]) -> list[Chain]:
    """Link stays of any members, given oldest first, by the session that each of them followed."""
    links: dict[int, list[Link]] = {}
    ends: dict[int, int] = {}
    for record in records:
        before = None if record.previous_id is None else ends.pop(record.previous_id, None)
        if before is None:
            links[record.id] = [Link(record)]
            ends[record.id] = record.id
            continue
        left = links[before][-1].session.left
        gap = _NOTHING if left is None else max(record.joined - left, _NOTHING)
        links[before].append(Link(record, gap))
        ends[record.id] = before
    return [Chain(tuple(each)) for each in links.values()]


def _shown(guild_id: int, user_id: int) -> Any:
    # A cancelled row without a reason is a stay too short to keep, which only a plugin's link has saved.
    return (
        VoiceSession.select()
        .join(VoiceVoid, JOIN.LEFT_OUTER, on=(VoiceVoid.session_id == VoiceSession.id))
        .where(
            VoiceSession.guild_id == guild_id,
            VoiceSession.user_id == user_id,
            (VoiceSession.status != "cancelled") | VoiceVoid.id.is_null(False),
        )
    )
