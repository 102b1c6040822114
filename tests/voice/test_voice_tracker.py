"""The tracker, rule by rule."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from core.events import SessionRecord, VoiceSnapshot
from core.voice.tracker import GuildTracker
from core.voice.transitions import Corrected, Discarded, Ended, Moved, Rewritten, Started, StateChanged

GUILD, QUARTZ, OPAL = 1, 10, 11
HUB, ALPHA, BETA, AFK = 100, 101, 102, 199
START = datetime(2026, 5, 3, 18, tzinfo=UTC)
MINUTES_5 = timedelta(minutes=5)


def tracker() -> GuildTracker:
    return GuildTracker(GUILD, itertools.count(1).__next__)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def state(seconds: float, channel: int | None, user: int = QUARTZ, **more: Any) -> VoiceSnapshot:
    more.setdefault("monotonic", seconds)
    more.setdefault("before_channel_id", None)
    return VoiceSnapshot(
        sequence=0,
        guild_id=GUILD,
        user_id=user,
        channel_id=channel,
        at=at(seconds),
        afk=channel == AFK,
        **more,
    )


def test_join_move_and_leave_make_a_gapless_chain() -> None:
    voice = tracker()
    [started] = voice.observe(state(0, ALPHA))
    [moved] = voice.observe(state(60, BETA))
    [ended] = voice.observe(state(90, None))
    assert isinstance(started, Started)
    assert isinstance(moved, Moved)
    assert isinstance(ended, Ended)
    assert moved.closed == SessionRecord(1, GUILD, QUARTZ, ALPHA, at(0), at(60), status="completed")
    assert moved.opened.previous_id == moved.closed.id
    assert moved.opened.joined == moved.closed.left
    assert (ended.session.id, ended.session.left, ended.session.estimated) == (2, at(90), False)
    assert voice.open_sessions == []


def test_duplicates_and_unchanged_states_give_nothing() -> None:
    voice = tracker()
    assert voice.observe(state(0, None)) == []
    voice.observe(state(0, ALPHA, self_mute=True))
    assert voice.observe(state(5, ALPHA, self_mute=True)) == []
    voice.observe(state(10, None))
    assert voice.observe(state(11, None)) == []


def test_mute_deaf_and_stream_move_no_time() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    for second, flag in enumerate(("self_mute", "mute", "self_deaf", "deaf", "streaming"), start=1):
        [changed] = voice.observe(state(second, ALPHA, **{flag: True}))
        assert isinstance(changed, StateChanged)
        assert getattr(changed.snapshot, flag)
    [session] = voice.open_sessions
    assert (session.joined, session.left) == (at(0), None)


def test_bots_are_ignored_and_a_bot_taken_for_a_member_is_removed() -> None:
    voice = tracker()
    assert voice.observe(state(0, ALPHA, bot=True)) == []
    voice.observe(state(0, ALPHA, user=OPAL))
    [gone] = voice.observe(state(50, BETA, user=OPAL, bot=True))
    assert isinstance(gone, Discarded)
    assert gone.session.status == "cancelled"
    assert voice.open_sessions == []


def test_time_in_the_afk_channel_is_a_session_that_says_so() -> None:
    voice = tracker()
    [started] = voice.observe(state(0, AFK))
    assert isinstance(started, Started)
    assert started.session.afk
    assert voice.open_sessions == []
    assert voice.open_afk_sessions == [started.session]
    [there] = voice.observe(state(10, ALPHA, before_channel_id=AFK))
    assert isinstance(there, Moved)
    assert (there.closed.afk, there.opened.afk, there.opened.joined) == (True, False, at(10))
    assert not there.opened.estimated
    [back] = voice.observe(state(70, AFK))
    assert isinstance(back, Moved)
    assert (back.closed.afk, back.opened.afk, back.opened.previous_id) == (False, True, back.closed.id)
    [ended] = voice.observe(state(100, None))
    assert isinstance(ended, Ended)
    assert (ended.session.joined, ended.session.left, ended.session.afk) == (at(70), at(100), True)


def test_a_moment_of_afk_and_presence_do_not_pass_their_time_to_each_other() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA, self_deaf=True))
    voice.observe(state(60, AFK, self_deaf=True))
    [back] = voice.observe(state(60.4, BETA, self_deaf=True))
    assert isinstance(back, Moved)
    assert (back.closed.joined, back.closed.left, back.closed.afk) == (at(60), at(60.4), True)
    assert (back.opened.joined, back.opened.afk, back.opened.deafened_since) == (at(60.4), False, at(60.4))
    [away] = voice.observe(state(60.9, AFK, self_deaf=True))
    assert isinstance(away, Moved)
    assert (away.closed.left, away.closed.deafened_us, away.opened.afk) == (at(60.9), 500_000, True)
    [ended] = voice.observe(state(90.9, None, self_deaf=True))
    assert isinstance(ended, Ended)
    assert (ended.session.joined, ended.session.deafened_us) == (at(60.9), 30_000_000)


def test_a_stay_of_no_length_passes_the_door_of_the_afk_channel_without_a_row() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA, self_deaf=True))
    voice.observe(state(60, AFK, self_deaf=True))
    [rewritten] = voice.observe(state(60, BETA, self_deaf=True))
    assert isinstance(rewritten, Rewritten)
    assert rewritten.former.afk
    assert (rewritten.session.joined, rewritten.session.afk) == (at(60), False)
    assert rewritten.session.deafened_since == at(60)


def test_a_channel_that_becomes_the_afk_channel_counts_as_it_at_the_next_state() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    changed = VoiceSnapshot(0, GUILD, QUARTZ, ALPHA, ALPHA, at(30), 30.0, afk=True, self_mute=True)
    [moved] = voice.observe(changed)
    assert isinstance(moved, Moved)
    assert (moved.closed.left, moved.opened.afk, voice.open_sessions) == (at(30), True, [])


def test_someone_already_there_without_a_session_is_estimated() -> None:
    [started] = tracker().observe(state(0, ALPHA, before_channel_id=ALPHA, self_mute=True))
    assert isinstance(started, Started)
    assert started.session.estimated


def test_a_hub_gives_its_time_and_its_neighbours_to_the_successor() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    [moved] = voice.observe(state(60, HUB))
    [rewritten] = voice.observe(state(60.2, BETA))
    [ended] = voice.observe(state(100, None))
    assert isinstance(moved, Moved)
    assert isinstance(rewritten, Rewritten)
    assert isinstance(ended, Ended)
    assert rewritten.former == moved.opened
    assert (ended.session.channel_id, ended.session.joined) == (BETA, at(60))
    assert ended.session.previous_id == moved.closed.id
    assert ended.session.id == moved.opened.id
    assert (moved.opened.via_channel_id, ended.session.via_channel_id) == (None, HUB)


def test_a_stay_under_a_second_that_ends_counts_and_one_of_no_length_goes() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    [ended] = voice.observe(state(0.95, None))
    assert isinstance(ended, Ended)
    assert (ended.session.joined, ended.session.left) == (at(0), at(0.95))
    voice.observe(state(10, ALPHA))
    [gone] = voice.observe(state(10, None))
    assert isinstance(gone, Discarded)


def test_deafened_time_is_counted_apart_and_an_open_span_at_the_close() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA, self_deaf=True))
    [changed] = voice.observe(state(10, ALPHA))
    assert isinstance(changed, StateChanged)
    assert changed.session is not None
    assert changed.session.deafened_us == 10_000_000
    [again] = voice.observe(state(20, ALPHA, deaf=True))
    assert isinstance(again, StateChanged)
    assert again.session is not None
    assert (again.session.deafened_us, again.session.deafened_since) == (10_000_000, at(20))
    voice.observe(state(25, ALPHA, deaf=True, self_deaf=True))
    [moved] = voice.observe(state(30, BETA, self_deaf=True))
    assert isinstance(moved, Moved)
    assert moved.closed.deafened_us == 20_000_000
    [ended] = voice.observe(state(35, None))
    assert isinstance(ended, Ended)
    assert ended.session.deafened_us == 5_000_000


def test_a_clock_set_back_never_makes_a_session_negative() -> None:
    voice = tracker()
    voice.observe(state(100, ALPHA, monotonic=100.0, self_deaf=True))
    [moved] = voice.observe(state(40, BETA, monotonic=160.0))
    [ended] = voice.observe(state(50, None, monotonic=170.0))
    assert isinstance(moved, Moved)
    assert isinstance(ended, Ended)
    assert moved.closed.left == moved.closed.joined == moved.opened.joined == at(100)
    assert moved.closed.deafened_us == 0
    assert ended.session.left == at(100)


def test_a_replayed_move_closes_at_the_last_sight_and_opens_when_it_arrived() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    voice.alive_until = at(60)
    [moved] = voice.observe(state(75, BETA, replayed=True))
    assert isinstance(moved, Moved)
    assert (moved.closed.left, moved.closed.estimated) == (at(60), True)
    assert (moved.opened.joined, moved.opened.estimated) == (at(75), True)
    assert moved.opened.previous_id == moved.closed.id


def test_several_replayed_moves_leave_no_empty_rows() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    voice.alive_until = at(60)
    voice.observe(state(75, HUB, replayed=True))
    [rewritten] = voice.observe(state(75.01, BETA, replayed=True))
    assert isinstance(rewritten, Rewritten)
    assert rewritten.session.estimated
    [ended] = voice.observe(state(75.02, None, replayed=True))
    # Kept although it is short: it is what says that the member's time is uncertain.
    assert isinstance(ended, Ended)
    assert ended.session.estimated


def test_a_short_stay_before_a_drop_is_kept_as_evidence() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    voice.alive_until = at(0.5)
    [moved] = voice.observe(state(20, BETA, replayed=True))
    assert isinstance(moved, Moved)
    assert (moved.closed.channel_id, moved.closed.left) == (ALPHA, at(0.5))


def test_channel_deletion_member_removal_and_close_all() -> None:
    voice = tracker()
    for user in (QUARTZ, OPAL, 12):
        voice.observe(state(0, ALPHA, user=user))
    voice.observe(state(10, BETA, user=12))
    assert len(voice.channel_deleted(ALPHA, at(20))) == 2
    assert voice.channel_deleted(ALPHA, at(20)) == []
    [gone] = voice.member_gone(12, at(30))
    assert isinstance(gone, Ended)
    assert voice.member_gone(12, at(30)) == []
    voice.observe(state(40, BETA))
    [closed] = voice.close_all(at(50), estimated=True)
    assert isinstance(closed, Ended)
    assert closed.session.estimated


def test_forget_says_nothing() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    voice.forget()
    assert voice.open_sessions == []


def _restored(**records: int) -> GuildTracker:
    voice = GuildTracker(GUILD, itertools.count(1000).__next__)
    voice.restore(
        SessionRecord(number, GUILD, user, ALPHA, at(0)) for number, user in enumerate(records.values(), 1)
    )
    return voice


def test_reconcile_goes_on_with_those_who_stayed() -> None:
    voice = _restored(quartz=QUARTZ)
    assert voice.reconcile({QUARTZ: state(130, ALPHA)}, at(100), at(130), MINUTES_5) == []
    [ended] = voice.observe(state(200, None))
    assert isinstance(ended, Ended)
    assert (ended.session.joined, ended.session.left, ended.session.estimated) == (at(0), at(200), False)


def test_reconcile_closes_and_opens_those_who_changed() -> None:
    voice = _restored(quartz=QUARTZ, opal=OPAL)
    present = {QUARTZ: state(130, BETA), 12: state(130, ALPHA, user=12), 13: state(130, AFK, user=13)}
    moved, ended, started, away = voice.reconcile(present, at(100), at(130), MINUTES_5)
    assert isinstance(away, Started)
    assert (away.session.user_id, away.session.afk, away.session.joined_estimated) == (13, True, True)
    assert isinstance(moved, Moved)
    assert (moved.closed.left, moved.closed.left_estimated, moved.closed.joined_estimated) == (
        at(100),
        True,
        False,
    )
    assert (moved.opened.joined, moved.opened.joined_estimated, moved.opened.previous_id) == (
        at(130),
        True,
        1,
    )
    assert not moved.opened.left_estimated
    assert isinstance(ended, Ended)
    assert (ended.session.user_id, ended.session.left, ended.session.estimated) == (OPAL, at(100), True)
    assert isinstance(started, Started)
    assert (started.session.user_id, started.session.estimated) == (12, True)


def test_reconcile_after_too_long_a_gap_trusts_nobody() -> None:
    voice = _restored(quartz=QUARTZ)
    [moved] = voice.reconcile({QUARTZ: state(1000, ALPHA)}, at(100), at(1000), MINUTES_5)
    assert isinstance(moved, Moved)
    assert moved.closed.left == at(100)
    assert moved.opened.joined == at(1000)
    assert moved.opened.estimated


def test_reconcile_never_closes_before_the_join_and_keeps_the_row() -> None:
    voice = _restored(quartz=QUARTZ)
    [ended] = voice.reconcile({}, at(-10), at(20), MINUTES_5)
    assert isinstance(ended, Ended)
    assert ended.session.joined == ended.session.left == at(0)
    assert ended.session.estimated


def test_reconcile_without_a_gap_is_exact() -> None:
    voice = _restored(quartz=QUARTZ)
    ended, started = voice.reconcile({OPAL: state(50, ALPHA, user=OPAL)}, at(50), at(50), MINUTES_5)
    assert isinstance(ended, Ended)
    assert not ended.session.estimated
    assert isinstance(started, Started)
    assert not started.session.estimated


def test_what_a_replay_opened_is_not_doubted_again() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA))
    voice.alive_until = at(60)
    voice.observe(state(600, BETA, replayed=True))
    assert voice.reconcile({QUARTZ: state(601, BETA)}, at(60), at(601), MINUTES_5) == []


def test_deafened_time_over_a_gap_counts_only_what_was_seen() -> None:
    voice = tracker()
    voice.observe(state(0, ALPHA, self_deaf=True))
    [corrected] = voice.reconcile({QUARTZ: state(130, ALPHA)}, at(100), at(130), MINUTES_5)
    assert isinstance(corrected, Corrected)
    assert (corrected.session.deafened_us, corrected.session.deafened_since) == (100_000_000, None)
    [ended] = voice.observe(state(200, None))
    assert isinstance(ended, Ended)
    assert ended.session.deafened_us == 100_000_000


def test_an_open_deafened_span_outlives_the_process() -> None:
    deaf = SessionRecord(1, GUILD, QUARTZ, ALPHA, at(0), deafened_us=5_000_000, deafened_since=at(40))
    gone, stayed = (GuildTracker(GUILD, itertools.count(9).__next__) for _ in range(2))
    for voice in (gone, stayed):
        voice.restore([deaf])
    [ended] = gone.reconcile({}, at(100), at(130), MINUTES_5)
    assert isinstance(ended, Ended)
    assert (ended.session.deafened_us, ended.session.deafened_since) == (65_000_000, None)
    assert stayed.reconcile({QUARTZ: state(130, ALPHA, deaf=True)}, at(100), at(130), MINUTES_5) == []
    [left] = stayed.observe(state(140, None, deaf=True))
    assert isinstance(left, Ended)
    assert left.session.deafened_us == 105_000_000


def test_someone_who_was_deafened_in_a_gap_is_so_from_the_next_sight() -> None:
    voice = _restored(quartz=QUARTZ)
    [corrected] = voice.reconcile({QUARTZ: state(130, ALPHA, deaf=True)}, at(100), at(130), MINUTES_5)
    assert isinstance(corrected, Corrected)
    assert (corrected.session.deafened_us, corrected.session.deafened_since) == (0, at(130))


def test_first_sight_is_exact() -> None:
    voice = tracker()
    present = {QUARTZ: state(0, ALPHA), OPAL: state(0, ALPHA, user=OPAL, bot=True)}
    [started] = voice.first_sight(present, at(0))
    assert isinstance(started, Started)
    assert not started.session.estimated
    assert voice.first_sight(present, at(1)) == []


def test_a_rewritten_estimated_session_stays_estimated() -> None:
    voice = tracker()
    voice.observe(state(0, HUB, before_channel_id=HUB))
    [rewritten] = voice.observe(state(0.5, ALPHA))
    assert isinstance(rewritten, Rewritten)
    assert rewritten.session.estimated


def test_a_second_is_long_enough_for_a_restored_session_too() -> None:
    voice = _restored(quartz=QUARTZ, opal=OPAL)
    assert [type(voice.observe(state(1, BETA, user=user))[0]) for user in (QUARTZ, OPAL)] == [Moved, Moved]
    voice = _restored(quartz=QUARTZ)
    assert isinstance(voice.observe(state(0.9, BETA))[0], Rewritten)
