"""Which sessions count: the rules against an oracle that looks at every second."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.operations.rules.credit import Stay, TrackedSpan, Window, credit
from plugins.operations.rules.linking import (
    NO_ROLE,
    Decision,
    Reason,
    Roles,
    again,
    first_decision,
    held_spans,
    reason_for,
    role_changed,
)
from plugins.operations.rules.statistics import evenings

START = datetime(2026, 9, 6, 18, 0, tzinfo=UTC)
ALPHA, BRAVO, LOUNGE = 11, 12, 99
LENGTH = 40


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("running", "tracked", "held", "reason"),
    [
        (True, True, True, Reason.COUNTS),
        (True, True, None, Reason.UNKNOWN),
        (True, True, False, Reason.ROLE),
        (True, False, True, Reason.UNTRACKED),
        (False, True, False, Reason.CLOSED),
    ],
)
def test_reasons(running: bool, tracked: bool, held: bool | None, reason: Reason) -> None:
    assert reason_for(running=running, tracked=tracked, held=held) is reason


def test_who_is_asked_for_no_role_always_may() -> None:
    assert NO_ROLE.of(1) is True
    asked = Roles(required=True, held={1: True, 2: False})
    assert [asked.of(user) for user in (1, 2, 3)] == [True, False, None]


def test_news_of_a_role_corrects_what_was_decided_meanwhile() -> None:
    first = first_decision(7, 1, at(0), at(0), running=True, tracked=False, held=False)
    assert (first.reason, first.linked) == (Reason.UNTRACKED, False)
    tracked = again(first, at(20), at(20), running=True, tracked=True, held=None)
    assert tracked is not None
    assert tracked.reason is Reason.ROLE
    # The role was granted at 10, and that is known at 21 only.
    granted, corrected = role_changed([first, tracked], at(10), at(21), True)
    assert (granted.since, granted.reason) == (at(10), Reason.UNTRACKED)
    assert (corrected.since, corrected.reason, corrected.decided_at) == (at(20), Reason.COUNTS, at(21))
    assert held_spans([first, granted, corrected], at(0), at(60)) == ((at(10), at(20)), (at(20), at(60)))
    assert role_changed([first, granted, corrected], at(30), at(31), True) == []


def test_the_same_again_is_no_decision() -> None:
    first = first_decision(7, 1, at(0), at(1), running=True, tracked=True, held=None)
    assert (first.since, first.linked) == (at(0), True)
    assert again(first, at(5), at(5), running=True, tracked=True, held=None) is None


seconds = st.integers(0, LENGTH)
changes = st.lists(st.tuples(seconds, st.booleans()), max_size=5)


@given(
    begins=st.booleans(),
    changes=changes,
    spans=st.lists(st.tuples(seconds, seconds), min_size=1, max_size=4),
    windows=st.lists(st.tuples(seconds, seconds), min_size=1, max_size=3),
    tracks=st.lists(st.tuples(st.sampled_from([ALPHA, BRAVO]), seconds, seconds), max_size=4),
)
def test_credit_and_statistics_agree_with_looking_at_every_second(
    begins: bool,
    changes: list[tuple[int, bool]],
    spans: list[tuple[int, int]],
    windows: list[tuple[int, int]],
    tracks: list[tuple[int, int, int]],
) -> None:
    """The role comes and goes, also before the session."""
    changes = sorted(dict(changes).items())
    channels = [ALPHA, BRAVO, LOUNGE]
    stays = []
    for number, (one, other) in enumerate(spans):
        joined, left = min(one, other), max(one, other)
        before = [held for when, held in changes if when <= joined]
        held = before[-1] if before else begins
        past = [first_decision(number, 1, at(joined), at(joined), running=True, tracked=True, held=held)]
        news = [(when, held) for when, held in changes if joined < when < left]
        for when, now_held in news:
            kept = {each.since: each for each in past}
            kept.update({each.since: each for each in role_changed(past, at(when), at(when), now_held)})
            past = [kept[since] for since in sorted(kept)]
        stays.append(
            Stay(1, channels[number % 3], at(joined), at(left), held=held_spans(past, at(joined), at(left)))
        )

    def holds(second: int) -> bool:
        before = [held for when, held in changes if when <= second]
        return before[-1] if before else begins

    open_windows = [Window(at(min(each)), at(max(each))) for each in windows]
    tracked = [TrackedSpan(channel, at(min(a, b)), at(max(a, b))) for channel, a, b in tracks]

    def counts(second: int, *, role: bool) -> bool:
        now = at(second)
        return any(
            stay.joined <= now < stay.left
            and any(window.opened <= now < window.closed for window in open_windows)
            and any(t.channel_id == stay.channel_id and t.added <= now < t.removed for t in tracked)
            and (not role or holds(second))
            for stay in stays
        )

    expected = sum(counts(second, role=True) for second in range(LENGTH))
    found = credit(stays, open_windows, tracked)
    assert (found[1].seconds if 1 in found else 0) == expected
    everything = credit([replace(stay, held=None) for stay in stays], open_windows, tracked)
    without = sum(counts(second, role=False) for second in range(LENGTH))
    assert (everything[1].seconds if 1 in everything else 0) == without

    told = evenings(stays, open_windows, tracked)
    assert (1 in told) == (without > 0)
    if told:
        mine = told[1]
        assert mine.seconds == expected
        ran = sum(any(w.opened <= at(n) < w.closed for w in open_windows) for n in range(LENGTH))
        assert mine.present == pytest.approx(expected / ran)
        for counted, wanted in ((True, expected), (None, without)):
            steps = [step for step in mine.steps if counted is None or step.counted is counted]
            covered = {n for step in steps for n in range(LENGTH) if step.start <= at(n) < step.end}
            assert len(covered) == wanted


def test_news_in_the_wrong_order_lead_to_the_same_spans() -> None:
    """An operator tracks a channel at 20 while the news of two role changes are still under way."""
    past = [first_decision(7, 1, at(0), at(0), running=True, tracked=False, held=False)]
    meanwhile = again(past[0], at(20), at(20), running=True, tracked=True, held=None)
    assert meanwhile is not None
    past.append(meanwhile)
    for when, held in ((5, True), (15, False), (25, True)):
        kept: dict[datetime, Decision] = {each.since: each for each in past}
        kept.update({each.since: each for each in role_changed(past, at(when), at(26), held)})
        past = [kept[since] for since in sorted(kept)]
    assert held_spans(past, at(0), at(40)) == ((at(5), at(15)), (at(25), at(40)))
    assert [each.reason for each in past if each.since >= at(20)] == [Reason.ROLE, Reason.COUNTS]


def test_statistics_of_a_chain() -> None:
    stays = [
        Stay(1, ALPHA, at(0), at(720), deafened_us=360_000_000),
        Stay(1, LOUNGE, at(720), at(800)),
        Stay(1, BRAVO, at(800), at(1700), left_estimated=True),
        Stay(1, ALPHA, at(1800), at(9000), sits=True),
    ]
    tracked = [TrackedSpan(ALPHA, at(0), at(3600)), TrackedSpan(BRAVO, at(0), at(3600))]
    told = evenings(stays, [Window(at(0), at(3600))], tracked)[1]
    assert [(step.channel_id, step.seconds) for step in told.steps] == [
        (ALPHA, 720),
        (BRAVO, 900),
        (ALPHA, 1800),
    ]
    assert (told.seconds, told.channels) == (3420, {ALPHA: 2520, BRAVO: 900})
    assert (told.first_seen, told.last_seen, told.sits_in) == (at(0), at(3600), ALPHA)
    assert told.present == pytest.approx(0.95)
    assert told.deafened == pytest.approx(360 / 3420)
    assert [step.end_estimated for step in told.steps] == [False, True, False]
