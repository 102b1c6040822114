"""Chains: the stays of one member that follow from each other, from sitting down to leaving voice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN

from core.database import VoiceSession, VoiceVoid
from core.events import SessionRecord
from core.voice.rows import COLUMNS
from core.voice.store import read_records

#: Stays that are read in one statement where a chain is followed.
STAYS_AT_ONCE = 50
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
    query = _shown(guild_id).where(
        VoiceSession.user_id == user_id,
        VoiceSession.joined < end,
        VoiceSession.left.is_null() | (VoiceSession.left > start),
    )
    return chains(read_records(query))


def chain_with(guild_id: int, session_id: int) -> Chain | None:
    """Return the whole chain that a session is part of, None when this guild has no such session.

    However much the member has sat, no more is read than the chain and a piece beyond either end.
    Store function.
    """
    for one in _piece(_shown(guild_id).where(VoiceSession.id == session_id)).values():
        records = [*_before(one), one, *_after(one)]
        return next(chain for chain in chains(records) if one in [link.session for link in chain.links])
    return None


def _before(record: SessionRecord) -> list[SessionRecord]:
    """Return the stays that led to one, oldest first."""
    found: list[SessionRecord] = []
    known: dict[int, SessionRecord] = {}
    shown, id_of = _of_member(record), VoiceSession.id
    while record.previous_id is not None:
        if record.previous_id not in known:
            known = _piece(shown.where(id_of <= record.previous_id).order_by(id_of.desc()))
        if record.previous_id not in known:
            break
        record = known[record.previous_id]
        found.append(record)
    return found[::-1]


def _after(record: SessionRecord) -> list[SessionRecord]:
    """Return the stays that one led to, oldest first."""
    found: list[SessionRecord] = []
    shown, id_of = _of_member(record), VoiceSession.id
    while piece := _piece(shown.where(id_of > record.id).order_by(id_of)):
        for later in piece.values():
            if later.previous_id != record.id:
                return found
            record = later
            found.append(record)
    return found


def _piece(query: Any) -> dict[int, SessionRecord]:
    rows = query.select(*COLUMNS).limit(STAYS_AT_ONCE).tuples()
    return {row[0]: SessionRecord(*row) for row in rows}


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


def _of_member(record: SessionRecord) -> Any:
    return _shown(record.guild_id).where(VoiceSession.user_id == record.user_id)


def _shown(guild_id: int) -> Any:
    # A cancelled row without a reason is a stay too short to keep, which only a plugin's link has saved.
    return (
        VoiceSession.select()
        .join(VoiceVoid, JOIN.LEFT_OUTER, on=(VoiceVoid.session_id == VoiceSession.id))
        .where(
            VoiceSession.guild_id == guild_id,
            (VoiceSession.status != "cancelled") | VoiceVoid.id.is_null(False),
        )
    )
