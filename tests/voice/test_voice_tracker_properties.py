"""The tracker against a simple oracle, over many made-up evenings."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.events import SessionRecord, VoiceSnapshot
from core.voice.tracker import SHORTEST_STAY, GuildTracker
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

GUILD, AFK = 1, 199
CHANNELS = (101, 102, 103)
START = datetime(2026, 5, 3, 18, tzinfo=UTC)
LIMIT = timedelta(minutes=5)

Step = tuple[int, int | None, int, bool]

# Who, where to, milliseconds since the step before, deafened.
STEP: st.SearchStrategy[Step] = st.tuples(
    st.integers(1, 3),
    st.sampled_from((None, AFK, *CHANNELS)),
    st.one_of(st.integers(0, 2_500), st.sampled_from((999, 1_000, 60_000, 600_000))),
    st.booleans(),
)


def snapshot(
    user: int, channel: int | None, at: datetime, deaf: bool = False, replayed: bool = False
) -> VoiceSnapshot:
    return VoiceSnapshot(
        sequence=0,
        guild_id=GUILD,
        user_id=user,
        channel_id=channel,
        before_channel_id=None,
        at=at,
        monotonic=(at - START).total_seconds(),
        self_deaf=deaf,
        afk=channel == AFK,
        replayed=replayed,
    )


class Rows:
    """What the database would hold."""

    def __init__(self) -> None:
        self.by_id: dict[int, SessionRecord] = {}

    def apply(self, transitions: list[Transition]) -> None:
        for transition in transitions:
            match transition:
                case Started(session) | Ended(session) | Rewritten(session, _):
                    self.by_id[session.id] = session
                case Moved(closed, opened):
                    self.by_id[closed.id] = closed
                    self.by_id[opened.id] = opened
                case Discarded(session):
                    del self.by_id[session.id]
                case StateChanged() | Corrected() as changed:
                    if changed.session is not None:
                        self.by_id[changed.session.id] = changed.session
            self.check()

    def check(self) -> None:
        sitting = [row.user_id for row in self.by_id.values() if row.left is None]
        assert len(sitting) == len(set(sitting)), "a member in two open sessions"
        for row in self.by_id.values():
            assert row.afk == (row.channel_id == AFK)
            assert row.deafened_since is None or row.left is None
            if row.left is not None:
                assert row.left >= row.joined
                assert 0 <= row.deafened_us <= (row.left - row.joined) // timedelta(microseconds=1)


@dataclass
class Stay:
    """A stay as it really was."""

    channel: int
    since: datetime
    until: datetime | None = None


def kept(evening: list[list[Stay]]) -> list[tuple[int, datetime, datetime | None, bool]]:
    """The oracle: per unbroken presence, short stays pass their time on, but not through the AFK channel's
    door; before it and at the end only a stay of no length goes. The last value says whether the row follows
    another of the same presence.
    """
    result: list[tuple[int, datetime, datetime | None, bool]] = []
    for presence in evening:
        passed: Stay | None = None
        linked = False
        for stay, following in itertools.zip_longest(presence, presence[1:]):
            same_side = passed is not None and (passed.channel == AFK) == (stay.channel == AFK)
            since = passed.since if passed is not None and same_side else stay.since
            goes_on = following is not None and (following.channel == AFK) == (stay.channel == AFK)
            shortest = SHORTEST_STAY if goes_on else timedelta(microseconds=1)
            if stay.until is not None and stay.until - since < shortest:
                passed = Stay(stay.channel, since)
                continue
            result.append((stay.channel, since, stay.until, linked))
            passed, linked = None, True
    return result


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_the_rows_are_what_the_oracle_keeps(steps: list[Step]) -> None:
    tracker, rows, now = GuildTracker(GUILD, itertools.count(1).__next__), Rows(), START
    truth: dict[int, list[list[Stay]]] = {user: [] for user in (1, 2, 3)}
    sitting: dict[int, Stay] = {}
    for user, channel, wait, deaf in steps:
        now += timedelta(milliseconds=wait)
        transitions = tracker.observe(snapshot(user, channel, now, deaf))
        assert len(transitions) <= 1
        rows.apply(transitions)
        stay = sitting.get(user)
        if (stay.channel if stay else None) != channel:
            if stay is not None:
                stay.until = now
                del sitting[user]
            if channel is not None:
                sitting[user] = Stay(channel, now)
                if stay is None:
                    truth[user].append([])
                truth[user][-1].append(sitting[user])
    for user, evening in truth.items():
        mine = sorted((row for row in rows.by_id.values() if row.user_id == user), key=lambda row: row.id)
        assert [(row.channel_id, row.joined, row.left, row.previous_id is not None) for row in mine] == kept(
            evening
        )
        for earlier, later in itertools.pairwise(mine):
            assert later.previous_id in {None, earlier.id}
        assert not any(row.estimated for row in mine)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(STEP, max_size=15),
    st.lists(STEP, max_size=10),
    st.integers(1, 900),
    st.booleans(),
    st.booleans(),
)
def test_an_outage_credits_nobody_twice_and_marks_who_changed(
    before: list[Step], during: list[Step], gap: int, restarted: bool, replay: bool
) -> None:
    ids = itertools.count(1).__next__
    tracker, rows, now = GuildTracker(GUILD, ids), Rows(), START
    for user, channel, wait, deaf in before:
        now += timedelta(milliseconds=wait)
        rows.apply(tracker.observe(snapshot(user, channel, now, deaf)))
    last_alive = now + timedelta(seconds=2)
    back = last_alive + timedelta(seconds=gap)
    unmoved = {record.user_id: record for record in tracker.open_sessions}
    places = {record.user_id: record.channel_id for record in tracker.open_sessions}
    present: dict[int, int | None] = {user: places.get(user) for user in (1, 2, 3)}
    tracker.alive_until = last_alive
    for user, channel, _, _ in during:
        if channel != present[user]:
            unmoved.pop(user, None)
        present[user] = channel
        if replay and not restarted:
            rows.apply(tracker.observe(snapshot(user, channel, back, replayed=True)))
    if restarted:
        tracker = GuildTracker(GUILD, ids)
        tracker.restore(row for row in rows.by_id.values() if row.left is None)
    sight = {user: snapshot(user, channel, back) for user, channel in present.items() if channel is not None}
    rows.apply(tracker.reconcile(sight, last_alive, back, LIMIT))
    open_now = tracker.open_sessions + tracker.open_afk_sessions
    assert {row.user_id: row.channel_id for row in open_now} == {
        user: channel for user, channel in present.items() if channel is not None
    }
    assert all(row.afk for row in tracker.open_afk_sessions)
    for user, record in unmoved.items():
        [mine] = [row for row in tracker.open_sessions if row.user_id == user]
        if timedelta(seconds=gap) <= LIMIT:
            assert (mine.id, mine.joined, mine.estimated) == (record.id, record.joined, False)
        else:
            assert (mine.joined, mine.joined_estimated) == (back, True)
    for user in (1, 2, 3):
        mine_all = sorted((r for r in rows.by_id.values() if r.user_id == user), key=lambda row: row.id)
        for earlier, later in itertools.pairwise(mine_all):
            assert earlier.left is not None
            assert earlier.left <= later.joined, "the same second twice"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(STEP, st.integers(-4_000, 4_000)), max_size=30))
def test_a_clock_that_jumps_never_makes_negative_time(steps: list[tuple[Step, int]]) -> None:
    tracker, rows, now = GuildTracker(GUILD, itertools.count(1).__next__), Rows(), START
    for (user, channel, _, deaf), jump in steps:
        now += timedelta(milliseconds=jump)
        rows.apply(tracker.observe(snapshot(user, channel, now, deaf)))
