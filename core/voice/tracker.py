"""Who sits where in one guild, and since when: snapshots in, transitions out.

Pure: no asyncio, no discord, no database. Only a change of channel moves time; a stay is closed and its
successor opened at the same instant, so a chain of moves has neither gap nor overlap. Time in the AFK channel
is tracked like any other, in sessions that say so, and nobody but the store hears of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from core.events import SessionRecord, VoiceSnapshot
from core.values import quick_maker
from core.voice.transitions import (
    Corrected,
    Discarded,
    Ended,
    Moved,
    Rewritten,
    Started,
    StateChanged,
    Transition,
)

SHORTEST_STAY = timedelta(seconds=1)
#: Ends of stays that are remembered; those in the past of a later end are let go.
ENDS_KEPT = 1_000
_MICROSECOND = timedelta(microseconds=1)
_record = quick_maker(SessionRecord)
_move = quick_maker(Moved)
_NO_ENDS: Mapping[int, datetime] = MappingProxyType({})

Flags = tuple[bool, bool, bool, bool, bool]


@dataclass(slots=True)
class _Seat:
    """An open session and what its row does not hold."""

    record: SessionRecord
    monotonic: float | None = None
    flags: Flags | None = None


class GuildTracker:
    """The state machine of one guild's voice.

    :param guild_id: the guild.
    :param next_id: makes the id of each new session.
    """

    def __init__(self, guild_id: int, next_id: Callable[[], int]) -> None:
        self.guild_id = guild_id
        self.alive_until: datetime | None = None
        """When the connection was last known alive, while it is down or replaying; set from outside."""
        self._next_id = next_id
        self._seats: dict[int, _Seat] = {}
        self._ended: dict[int, datetime] = {}
        self._others_ended = datetime.min.replace(tzinfo=UTC)
        """No end that is not in `_ended` is later."""

    @property
    def open_sessions(self) -> list[SessionRecord]:
        """The sessions that are open now, in the order in which the members first sat down; no AFK ones."""
        return [seat.record for seat in self._seats.values() if not seat.record.afk]

    @property
    def open_afk_sessions(self) -> list[SessionRecord]:
        """The open sessions of those who are in the AFK channel."""
        return [seat.record for seat in self._seats.values() if seat.record.afk]

    @property
    def occupied(self) -> bool:
        """Whether any session is open."""
        return bool(self._seats)

    def restore(
        self,
        open_sessions: Iterable[SessionRecord],
        ends: Mapping[int, datetime] = _NO_ENDS,
        ended: datetime | None = None,
    ) -> None:
        """Take over open sessions of an earlier process; nothing is said of them until `reconcile`.

        :param ends: until when members have sat according to rows, where that is later than `ended`.
        :param ended: when all others had left, at the latest.
        """
        self._ended.update(ends)
        self._others_ended = ended or self._others_ended
        for record in open_sessions:
            # Whether it was voided is the row's own affair, and may be taken back.
            self._seats[record.user_id] = _Seat(replace(record, status="active"))

    def forget(self) -> None:
        """Drop everything without a transition, for a guild that another process takes over."""
        self._seats.clear()
        self._ended.clear()
        self.alive_until = None

    # -- what the gateway says ---------------------------------------------------------------------

    def observe(self, snapshot: VoiceSnapshot) -> list[Transition]:
        """Take one voice state and return what it changed, at most one transition.

        :param snapshot: a state of this guild. With `replayed` set, the old stay closes at
            `alive_until`, the new one opens at the snapshot's time, and both are marked estimated.
        """
        seat = self._seats.get(snapshot.user_id)
        if snapshot.bot:
            return [] if seat is None else [self._discard(seat)]
        channel_id = snapshot.channel_id
        if seat is None:
            if channel_id is None:
                return []
            # Already there before we knew: the join itself was missed.
            missed = snapshot.before_channel_id == channel_id
            return [self._start(snapshot, channel_id, snapshot.at, estimated=snapshot.replayed or missed)]
        if _sits_there(seat, snapshot):
            return self._change_state(seat, snapshot)
        left = snapshot.at
        if snapshot.replayed and self.alive_until is not None:
            left = min(left, self.alive_until)
        if channel_id is None:
            return [self._end(seat, left, snapshot.monotonic, estimated=snapshot.replayed)]
        return [self._switch(seat, snapshot, channel_id, left, estimated=snapshot.replayed)]

    def channel_deleted(self, channel_id: int, at: datetime, *, estimated: bool = False) -> list[Transition]:
        """Close every session in a channel that is gone.

        :param at: when we learnt of it.
        :param estimated: it arrived in a replay; the sessions close at `alive_until`.
        """
        seats = [seat for seat in self._seats.values() if seat.record.channel_id == channel_id]
        return [self._end(seat, self._time_of(at, estimated), None, estimated=estimated) for seat in seats]

    def member_gone(self, user_id: int, at: datetime, *, estimated: bool = False) -> list[Transition]:
        """Close the session of a member who left the guild; see `channel_deleted` for the arguments."""
        seat = self._seats.get(user_id)
        if seat is None:
            return []
        return [self._end(seat, self._time_of(at, estimated), None, estimated=estimated)]

    def close_all(self, at: datetime, estimated: bool = False) -> list[Transition]:
        """Close every open session at `at`."""
        return [self._end(seat, at, None, estimated=estimated) for seat in list(self._seats.values())]

    # -- what the guild's cache says ---------------------------------------------------------------

    def first_sight(self, present: Mapping[int, VoiceSnapshot], now: datetime) -> list[Transition]:
        """Open exact sessions for those present in a guild whose recording has just been switched on."""
        return self._seat_newcomers(present, now, estimated=False)

    def reconcile(
        self,
        present: Mapping[int, VoiceSnapshot],
        last_alive: datetime,
        now: datetime,
        gap_limit: timedelta,
    ) -> list[Transition]:
        """Compare the open sessions with who is there, after a time without sight.

        :param present: who is in voice now, by user id.
        :param last_alive: until when events are known to have arrived.
        :param now: when `present` was taken.
        :param gap_limit: the longest gap over which a member found in the same channel counts as having
            stayed. One that a clock set back hides is within it, as no more time is credited than the
            clock shows.
        :returns: nothing for those who stayed, but for their deafened time; a close at `last_alive` for those
            gone, followed at `now` by a new stay for those elsewhere or over too long a gap; a new stay for
            those not known before. All marked estimated when there was a gap.
        """
        gap, missed = now - last_alive, now != last_alive
        transitions: list[Transition] = []
        for user_id, seat in list(self._seats.items()):
            snapshot = present.get(user_id)
            channel_id = None if snapshot is None else snapshot.channel_id
            if snapshot is not None and snapshot.bot:
                transitions.append(self._discard(seat))
            elif snapshot is None or channel_id is None:
                transitions.append(self._end(seat, last_alive, None, estimated=missed))
            elif _sits_there(seat, snapshot) and (gap <= gap_limit or seat.record.joined > last_alive):
                transitions += self._resume(seat, snapshot, last_alive, now)
            else:
                moment = replace(snapshot, at=now)
                transitions.append(self._switch(seat, moment, channel_id, last_alive, estimated=missed))
        return transitions + self._seat_newcomers(present, now, estimated=missed)

    # -- the moves of the machine ------------------------------------------------------------------

    def _time_of(self, at: datetime, estimated: bool) -> datetime:
        return min(at, self.alive_until) if estimated and self.alive_until is not None else at

    def _seat_newcomers(
        self, present: Mapping[int, VoiceSnapshot], now: datetime, *, estimated: bool
    ) -> list[Transition]:
        transitions: list[Transition] = []
        for user_id, snapshot in present.items():
            channel_id = snapshot.channel_id
            if user_id not in self._seats and channel_id is not None and not snapshot.bot:
                transitions.append(self._start(snapshot, channel_id, now, estimated=estimated))
        return transitions

    def _start(
        self, snapshot: VoiceSnapshot, channel_id: int, at: datetime, *, estimated: bool
    ) -> Transition:
        return Started(self._open(snapshot, channel_id, at, None, estimated).record)

    def _open(
        self, snapshot: VoiceSnapshot, channel_id: int, at: datetime, previous_id: int | None, estimated: bool
    ) -> _Seat:
        user_id = snapshot.user_id
        ended = self._ended.pop(user_id, self._others_ended)
        if ended > at:
            # A clock set back must not let a stay begin before the member's last one ended.
            at, estimated = ended, True
        # By position, as in `_close`: by name it takes half as long again, and this runs at every move.
        record = _record(
            self._next_id(),
            self.guild_id,
            user_id,
            channel_id,
            at,
            None,
            0,
            "active",
            previous_id,
            estimated,
            False,
            snapshot.afk,
            at if snapshot.deafened else None,
            None,
        )
        seat = self._seats[user_id] = _Seat(record, snapshot.monotonic, _flags(snapshot))
        return seat

    def _switch(
        self, seat: _Seat, snapshot: VoiceSnapshot, channel_id: int, left: datetime, *, estimated: bool
    ) -> Transition:
        former = seat.record
        # A stay that began before an outage is evidence and is kept, however short; one that began in the
        # very replay that ends it has no length of its own.
        keep = estimated and not (former.joined_estimated and former.joined >= left)
        # Time in the AFK channel never becomes presence, nor the other way round.
        same_side = former.afk == snapshot.afk or left <= former.joined
        if not keep and same_side and _is_short(seat, left, snapshot.monotonic):
            return self._rewrite(seat, snapshot, channel_id, estimated=estimated)
        closed = self._close(seat, left, estimated)
        opened = self._open(snapshot, channel_id, snapshot.at, closed.id, estimated)
        return _move(closed, opened.record)

    def _rewrite(
        self, seat: _Seat, snapshot: VoiceSnapshot, channel_id: int, *, estimated: bool
    ) -> Transition:
        former, now = seat.record, max(snapshot.at, seat.record.joined)
        if former.afk != snapshot.afk or estimated:
            # Neither the AFK channel's door nor a gap passes any time on.
            seat.record = replace(former, joined=now, deafened_us=0, deafened_since=None)
            seat.monotonic = snapshot.monotonic
        self._count_deafened(seat, snapshot, now)
        via = former.channel_id if former.via_channel_id is None else former.via_channel_id
        seat.record = replace(
            seat.record,
            channel_id=channel_id,
            afk=snapshot.afk,
            joined_estimated=former.joined_estimated or estimated,
            via_channel_id=None if via == channel_id else via,
        )
        seat.flags = _flags(snapshot)
        return Rewritten(seat.record, former)

    def _end(self, seat: _Seat, left: datetime, monotonic: float | None, *, estimated: bool) -> Transition:
        record = seat.record
        # There is no successor to pass time to, so only a stay of no length goes; not an estimated one, whose
        # row is what tells that the member's time is uncertain.
        empty = left <= record.joined and _is_short(seat, left, monotonic)
        if empty and not (estimated or record.joined_estimated):
            return self._discard(seat, left)
        return Ended(self._close(seat, left, estimated))

    def _discard(self, seat: _Seat, left: datetime | None = None) -> Transition:
        closed = self._close(seat, left or seat.record.joined, False)
        return Discarded(replace(closed, status="cancelled"))

    def _close(self, seat: _Seat, left: datetime, estimated: bool) -> SessionRecord:
        record = seat.record
        user_id, joined = record.user_id, record.joined
        del self._seats[user_id]
        left = max(left, joined)
        deafened = record.deafened_us + _microseconds(record.deafened_since, left)
        if len(self._ended) >= ENDS_KEPT:
            self._ended = {user: end for user, end in self._ended.items() if end > left}
            self._others_ended = max(self._others_ended, left)
        self._ended[user_id] = left
        return _record(
            record.id,
            record.guild_id,
            user_id,
            record.channel_id,
            joined,
            left,
            min(deafened, (left - joined) // _MICROSECOND) if deafened else 0,
            "completed",
            record.previous_id,
            record.joined_estimated,
            estimated,
            record.afk,
            None,
            record.via_channel_id,
        )

    def _change_state(self, seat: _Seat, snapshot: VoiceSnapshot) -> list[Transition]:
        flags = _flags(snapshot)
        if seat.flags == flags:
            return []
        seat.flags = flags
        changed = self._count_deafened(seat, snapshot, snapshot.at)
        return [StateChanged(snapshot, seat.record if changed else None)]

    def _count_deafened(
        self, seat: _Seat, snapshot: VoiceSnapshot, began: datetime, ended: datetime | None = None
    ) -> bool:
        """Begin or end a deafened span and tell whether that has changed the record."""
        record = seat.record
        if snapshot.deafened == (record.deafened_since is not None):
            return False
        if snapshot.deafened:
            seat.record = replace(record, deafened_since=began)
        else:
            span = _microseconds(record.deafened_since, ended or began)
            seat.record = replace(record, deafened_us=record.deafened_us + span, deafened_since=None)
        return True

    def _resume(
        self, seat: _Seat, snapshot: VoiceSnapshot, last_alive: datetime, now: datetime
    ) -> list[Transition]:
        seat.flags = _flags(snapshot)
        # Deafened or not during the gap is unknown where it changed: the span ends at the last sight, or
        # begins at the next. Where it is the same, it went on, as the stay itself did.
        return [Corrected(seat.record)] if self._count_deafened(seat, snapshot, now, last_alive) else []


def _sits_there(seat: _Seat, snapshot: VoiceSnapshot) -> bool:
    record = seat.record
    return record.channel_id == snapshot.channel_id and record.afk == snapshot.afk


def _flags(snapshot: VoiceSnapshot) -> Flags:
    return (snapshot.self_deaf, snapshot.self_mute, snapshot.deaf, snapshot.mute, snapshot.streaming)


def _microseconds(start: datetime | None, end: datetime) -> int:
    return 0 if start is None else max(0, (end - start) // _MICROSECOND)


def _is_short(seat: _Seat, left: datetime, monotonic: float | None) -> bool:
    if left - seat.record.joined >= SHORTEST_STAY:
        return False
    # A wall clock that was set back makes a long stay look short; the monotonic one knows better.
    if monotonic is None or seat.monotonic is None:
        return True
    return monotonic - seat.monotonic < SHORTEST_STAY.total_seconds()
