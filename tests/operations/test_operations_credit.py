"""Credit: the union of stays in tracked channels, clipped to the windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.operations.rules.credit import Credit, Stay, TrackedSpan, Window, credit

START = datetime(2026, 9, 6, 18, 0, tzinfo=UTC)
ALPHA, BRAVO, LOUNGE = 11, 12, 99
QUARTZ = 1


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def stay(channel: int, joined: float, left: float, *, user: int = QUARTZ, estimated: str = "") -> Stay:
    """A stay; `estimated` names its estimated bounds."""
    return Stay(user, channel, at(joined), at(left), "joined" in estimated, "left" in estimated)


HOUR = [Window(at(0), at(3600))]
BOTH = [TrackedSpan(ALPHA, at(0), at(3600)), TrackedSpan(BRAVO, at(0), at(3600))]


@pytest.mark.parametrize(
    ("stays", "seconds"),
    [
        pytest.param([stay(ALPHA, 600, 1200)], 600, id="inside"),
        pytest.param([stay(ALPHA, -600, 600)], 600, id="sat there before the start"),
        pytest.param([stay(ALPHA, 3000, 9000)], 600, id="sits there after the end"),
        pytest.param([stay(ALPHA, -600, 9000)], 3600, id="around the window"),
        pytest.param([stay(ALPHA, 0, 600), stay(BRAVO, 600, 1200)], 1200, id="moved"),
        pytest.param([stay(ALPHA, 0, 600), stay(BRAVO, 300, 900)], 900, id="same instant in two channels"),
        pytest.param([stay(ALPHA, 0, 600), stay(LOUNGE, 600, 1200)], 600, id="untracked channel"),
        pytest.param([stay(ALPHA, n, n + 20) for n in range(0, 3600, 60)], 1200, id="many short stays"),
        pytest.param([stay(ALPHA, n, n + 0.4) for n in range(100)], 40, id="rounded once, not per stay"),
        pytest.param([stay(ALPHA, 0, 10.5)], 11, id="half a second goes up"),
        pytest.param([stay(ALPHA, 0, 10.499999)], 10, id="less than half goes down"),
    ],
)
def test_seconds_that_count(stays: list[Stay], seconds: int) -> None:
    assert credit(stays, HOUR, BOTH)[QUARTZ].seconds == seconds


@pytest.mark.parametrize(
    "stays",
    [
        pytest.param([stay(LOUNGE, 0, 3600)], id="only elsewhere"),
        pytest.param([stay(ALPHA, -600, 0)], id="left when it started"),
        pytest.param([stay(ALPHA, 3600, 4000)], id="came when it ended"),
        pytest.param([stay(ALPHA, 60, 60)], id="no length"),
        pytest.param([stay(ALPHA, 60, 30)], id="turned around"),
    ],
)
def test_no_credit_leaves_a_member_out(stays: list[Stay]) -> None:
    assert credit(stays, HOUR, BOTH) == {}


def test_several_windows_count_without_the_pause_between_them() -> None:
    windows = [Window(at(0), at(600)), Window(at(1200), at(1800)), Window(at(1700), at(1900))]
    assert credit([stay(ALPHA, 0, 3600)], windows, BOTH)[QUARTZ].seconds == 600 + 700


def test_a_channel_counts_only_while_it_is_tracked() -> None:
    tracked = [TrackedSpan(ALPHA, at(100), at(200)), TrackedSpan(ALPHA, at(300), at(350))]
    assert credit([stay(ALPHA, 0, 3600)], HOUR, tracked)[QUARTZ].seconds == 150


def test_seconds_per_channel() -> None:
    stays = [stay(ALPHA, 0, 600), stay(BRAVO, 600, 900), stay(ALPHA, 900, 1000)]
    assert credit(stays, HOUR, BOTH)[QUARTZ] == Credit(QUARTZ, 1000, False, {ALPHA: 700, BRAVO: 300})


@pytest.mark.parametrize(
    ("beside", "estimated"),
    [
        pytest.param(stay(ALPHA, 600, 700, estimated="joined"), True, id="a counted stay is estimated"),
        pytest.param(
            stay(LOUNGE, 600, 700, estimated="left"), True, id="an estimated stay elsewhere meanwhile"
        ),
        pytest.param(stay(ALPHA, 3600, 3700, estimated="joined"), True, id="one that touches the end"),
        pytest.param(stay(ALPHA, 3500, 3700, estimated="left"), False, id="one that ends after the end"),
        pytest.param(stay(LOUNGE, -90, -30, estimated="joined left"), False, id="one long before the start"),
        pytest.param(
            stay(LOUNGE, -90, 4000, estimated="joined left"), False, id="one that began and ends outside"
        ),
        pytest.param(stay(LOUNGE, -90, 300, estimated="left"), True, id="one that ends within"),
        pytest.param(stay(ALPHA, -90, 300, estimated="joined"), False, id="one whose beginning lies outside"),
        pytest.param(stay(ALPHA, 600, 700, user=2, estimated="joined left"), False, id="somebody else's"),
    ],
)
def test_estimated_when_a_stay_near_it_is(beside: Stay, estimated: bool) -> None:
    assert credit([stay(ALPHA, 0, 600), beside], HOUR, BOTH)[QUARTZ].estimated is estimated


# Properties, against counting milliseconds one by one.

TICK = timedelta(milliseconds=250)
TICKS = 60
instants = st.integers(0, TICKS)
channels = st.integers(1, 3)


def tick(n: int) -> datetime:
    return START + n * TICK


pairs = st.tuples(instants, instants).map(sorted)
stays_st = st.lists(
    st.builds(
        lambda user, channel, span, estimated: Stay(
            user, channel, tick(span[0]), tick(span[1]), estimated, estimated
        ),
        st.integers(1, 3),
        channels,
        pairs,
        st.booleans(),
    ),
    max_size=12,
)
windows_st = st.lists(pairs.map(lambda span: Window(tick(span[0]), tick(span[1]))), max_size=4)
tracked_st = st.lists(
    st.builds(lambda channel, span: TrackedSpan(channel, tick(span[0]), tick(span[1])), channels, pairs),
    max_size=6,
)


@given(stays_st, windows_st, tracked_st)
def test_equals_counting_every_instant(
    stays: list[Stay], windows: list[Window], tracked: list[TrackedSpan]
) -> None:
    counted = dict.fromkeys({each.user_id for each in stays}, 0)
    for user in counted:
        for n in range(TICKS):
            now = tick(n)
            open_now = any(w.opened <= now < w.closed for w in windows)
            counted[user] += open_now and any(
                s.user_id == user
                and s.joined <= now < s.left
                and any(t.channel_id == s.channel_id and t.added <= now < t.removed for t in tracked)
                for s in stays
            )
    expected = {user: (n * 250 + 500) // 1000 for user, n in counted.items() if n}
    found = credit(stays, windows, tracked)
    assert {user: each.seconds for user, each in found.items()} == expected


@given(stays_st, windows_st, tracked_st, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(stays, windows, tracked, random) -> None:  # type: ignore[no-untyped-def]
    expected = credit(stays, windows, tracked)
    shuffled = [*stays, *stays]
    random.shuffle(shuffled)
    assert credit(shuffled, windows[::-1], [*tracked[::-1], *tracked]) == expected


@given(stays_st, windows_st, tracked_st, instants)
def test_cutting_a_stay_in_two_changes_nothing(
    stays: list[Stay], windows: list[Window], tracked: list[TrackedSpan], cut: int
) -> None:
    halves = []
    for each in stays:
        middle = min(max(tick(cut), each.joined), each.left)
        halves.append(Stay(each.user_id, each.channel_id, each.joined, middle))
        halves.append(Stay(each.user_id, each.channel_id, middle, each.left))
    exact = [Stay(each.user_id, each.channel_id, each.joined, each.left) for each in stays]
    assert credit(halves, windows, tracked) == credit(exact, windows, tracked)


@given(stays_st, windows_st, tracked_st)
def test_nobody_has_more_than_the_windows_or_an_own_stay(
    stays: list[Stay], windows: list[Window], tracked: list[TrackedSpan]
) -> None:
    for user, each in credit(stays, windows, tracked).items():
        own = sum(((s.left - s.joined for s in stays if s.user_id == user)), timedelta())
        ran = sum(((w.closed - w.opened for w in windows)), timedelta())
        assert 0 <= each.seconds <= min(own, ran).total_seconds() + 0.5
