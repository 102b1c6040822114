"""Frozen snapshots of what happened: the only form in which the gateway reaches a plugin.

discord.py's own `after` is the live cache entry and has changed again by the time a listener runs,
so everything here is copied in the tick in which it arrived.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class VoiceSnapshot:
    """One voice state of one member, as the gateway said it.

    :param sequence: rises by one per snapshot of this process.
    :param at: when it arrived, aware UTC.
    :param channel_id: where the member is now, None when nowhere.
    :param before_channel_id: where discord.py's cache had the member before.
    :param afk: the channel is the guild's AFK channel.
    :param replayed: it reached us in the replay after a RESUME, so `at` is later than the truth.
    """

    sequence: int
    guild_id: int
    user_id: int
    channel_id: int | None
    before_channel_id: int | None
    at: datetime
    monotonic: float
    bot: bool = False
    self_deaf: bool = False
    self_mute: bool = False
    deaf: bool = False
    mute: bool = False
    streaming: bool = False
    afk: bool = False
    replayed: bool = False

    @property
    def deafened(self) -> bool:
        """Whether the member hears nothing, by own or by a moderator's doing."""
        return self.self_deaf or self.deaf


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One stay of one member in one voice channel.

    :param left: None while it is open.
    :param deafened_us: microseconds spent deafened so far (closed spans only).
    :param status: active, completed or cancelled.
    :param previous_id: the stay this one was a move from, if any.
    :param joined_estimated: its beginning was not seen but inferred after an outage.
    :param left_estimated: the same of its end.
    :param afk: it was spent in the guild's AFK channel and credits nothing.
    :param deafened_since: while it is open, when the member last began to hear nothing.
    :param via_channel_id: where the stay began, if that was under a second in another channel: the hub that
        makes a channel for whoever enters it.
    """

    id: int
    guild_id: int
    user_id: int
    channel_id: int
    joined: datetime
    left: datetime | None = None
    deafened_us: int = 0
    status: str = "active"
    previous_id: int | None = None
    joined_estimated: bool = False
    left_estimated: bool = False
    afk: bool = False
    deafened_since: datetime | None = None
    via_channel_id: int | None = None

    @property
    def estimated(self) -> bool:
        """Whether one of its bounds was not seen but inferred after an outage."""
        return self.joined_estimated or self.left_estimated


@dataclass(frozen=True, slots=True)
class VoiceSessionStarted:
    """A member sat down in a voice channel."""

    session: SessionRecord


@dataclass(frozen=True, slots=True)
class VoiceSessionEnded:
    """A member left voice; the session is closed."""

    session: SessionRecord


@dataclass(frozen=True, slots=True)
class VoiceSessionMoved:
    """A member changed channel: one stay closed and the next opened at the same instant."""

    closed: SessionRecord
    opened: SessionRecord


@dataclass(frozen=True, slots=True)
class VoiceStateChanged:
    """Deaf, mute or stream changed without a change of channel."""

    snapshot: VoiceSnapshot


@dataclass(frozen=True, slots=True)
class Resync:
    """Look at the world again: events may have been missed.

    :param reason: enabled, restart, resume, overflow, breaker or settings.
    :param unseen_since: until when Discord was seen before, when what happened since then was missed.
    """

    guild_id: int
    reason: str
    unseen_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class MemberRolesChanged:
    """A member's roles are now `role_ids`.

    :param at: when we heard of it.
    :param unseen_since: it reached us in the replay after a RESUME, and happened at some time since then.
    """

    guild_id: int
    user_id: int
    role_ids: frozenset[int]
    at: datetime
    unseen_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class MemberLeft:
    """A member left the guild, was kicked or banned."""

    guild_id: int
    user_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ChannelDeleted:
    """A channel is gone."""

    guild_id: int
    channel_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    """A channel was made or edited.

    :param change: created or updated.
    :param type: as Discord calls it, such as text, voice, stage_voice or category.
    :param category_id: the category in which it is now, None for none.
    :param former_category_id: in which it was before; None for none, and for one that is new.
    """

    guild_id: int
    channel_id: int
    change: str
    name: str
    type: str
    category_id: int | None
    former_category_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RoleDeleted:
    """A role is gone, and nobody holds it any more.

    :param at: when we heard of it.
    :param unseen_since: as in `MemberRolesChanged`.
    """

    guild_id: int
    role_id: int
    at: datetime
    unseen_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScheduledEventChanged:
    """A scheduled event of the guild was made, edited, started, ended or deleted.

    :param change: created, updated or deleted.
    :param status: scheduled, active, completed or cancelled.
    :param starts: when it is to start; aware UTC.
    :param channel_id: its voice channel, None when it is elsewhere.
    """

    guild_id: int
    event_id: int
    change: str
    name: str
    status: str
    starts: datetime
    channel_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RetentionAsked:
    """Voice sessions that ended long ago are about to be folded into sums per day.

    :param start: when the oldest of them began; aware UTC.
    :param end: when the guild's retention ends: sessions that ended then or before are folded.
    """

    guild_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class KeptVoice:
    """Voice sessions that are not to be folded, because something rests on them.

    :param spans: (start, end), aware; every session that overlaps one or touches it stays.
    :param session_ids: sessions that stay, wherever they lie.
    """

    spans: tuple[tuple[datetime, datetime], ...] = ()
    session_ids: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Check both: what is folded for want of a right answer cannot be had again.

        :raises ValueError: a span ends before it begins, or a time is naive.
        :raises TypeError: a span is no pair of datetimes, or an id is no number.
        """
        for span in self.spans:
            _check_span(span)
        for session_id in self.session_ids:
            if type(session_id) is not int:
                raise TypeError(f"a kept session is named by its id, a number, not by {session_id!r}")

    def and_spans(self, spans: Iterable[tuple[datetime, datetime]]) -> KeptVoice:
        """Return this with further spans."""
        return KeptVoice((*self.spans, *spans), self.session_ids)

    def and_sessions(self, session_ids: Iterable[int]) -> KeptVoice:
        """Return this with further sessions."""
        return KeptVoice(self.spans, self.session_ids | frozenset(session_ids))


def _check_span(span: Any) -> None:
    if not (isinstance(span, tuple | list) and len(span) == 2):
        raise TypeError(f"a kept span is (start, end), not {span!r}")
    for each in span:
        if not isinstance(each, datetime):
            raise TypeError(f"a kept span is of two datetimes, not {each!r}: for one without an end give now")
        if each.tzinfo is None:
            raise ValueError(
                f"a kept span needs aware times, such as datetime(..., tzinfo=UTC), not {each!r}"
            )
    start, end = span
    if end < start:
        words = f"{start.isoformat()} to {end.isoformat()}"
        raise ValueError(f"a kept span ends before it begins, are its bounds swapped? {words}")


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """An admin has switched a feature off.

    :param plugins: what went off with it: the feature, what needs it, and libraries that nothing needs now.
    :param records_voice: voice is still recorded here, for what is left.
    """

    guild_id: int
    plugins: frozenset[str]
    records_voice: bool


@dataclass(frozen=True, slots=True)
class MemberDataAsked:
    """Somebody wants to know what is kept about a member."""

    guild_id: int
    user_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class MemberForgotten:
    """A member is to be forgotten.

    :param stand_in: an id of our own that takes the place of `user_id`; a row of it is in the users' table.
    """

    guild_id: int
    user_id: int
    stand_in: int
    at: datetime
