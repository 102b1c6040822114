"""What windows become when they are edited, and times as officers write them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.operations import at

from plugins.operations.rules.moments import read_moment
from plugins.operations.rules.windows import Bounds, Edit, EditRefused, Kind, Wrong, edited, joined, stretched

NOW = at(200)
BERLIN = ZoneInfo("Europe/Berlin")


def bounds(*minutes: tuple[float, float | None]) -> list[Bounds]:
    return [(at(opened), None if closed is None else at(closed)) for opened, closed in minutes]


@pytest.mark.parametrize(
    ("windows", "edit", "after"),
    [
        (bounds((0, 90)), Edit(Kind.MOVE, start=at(-20)), bounds((-20, 90))),
        (bounds((0, 90)), Edit(Kind.MOVE, end=at(100)), bounds((0, 100))),
        (bounds((0, None)), Edit(Kind.MOVE, start=at(10)), bounds((10, None))),
        (bounds((0, 40), (60, 90)), Edit(Kind.MOVE, at(5), at(80)), bounds((5, 40), (60, 80))),
        (bounds((0, 40), (60, 90)), Edit(Kind.MOVE, end=at(50), window=1), bounds((0, 50), (60, 90))),
        (bounds((0, 40), (60, 90)), Edit(Kind.MOVE, end=at(70), window=1), bounds((0, 90))),
        (bounds((0, None)), Edit(Kind.PAUSE, at(30), at(40)), bounds((0, 30), (40, None))),
        (bounds((0, 40), (60, 90)), Edit(Kind.PAUSE, at(30), at(100)), bounds((0, 30))),
        (bounds((0, 40), (60, None)), Edit(Kind.COUNT, at(40), at(60)), bounds((0, None))),
        (bounds((0, 40)), Edit(Kind.COUNT, at(50), at(60)), bounds((0, 40), (50, 60))),
    ],
)
def test_edits(windows: list[Bounds], edit: Edit, after: list[Bounds]) -> None:
    assert edited(windows, edit, NOW) == after


@pytest.mark.parametrize(
    ("windows", "edit", "wrong"),
    [
        (bounds((0, 90)), Edit(Kind.MOVE, start=at(201)), Wrong.FUTURE),
        (bounds((0, 90)), Edit(Kind.MOVE, start=at(90)), Wrong.UPSIDE_DOWN),
        (bounds((0, 90)), Edit(Kind.MOVE, end=at(-1)), Wrong.UPSIDE_DOWN),
        (bounds((0, None)), Edit(Kind.MOVE, end=at(10)), Wrong.STILL_OPEN),
        (bounds((0, 90)), Edit(Kind.MOVE, end=at(80), window=2), Wrong.NO_WINDOW),
        (bounds((0, 90)), Edit(Kind.MOVE, start=at(0)), Wrong.UNCHANGED),
        (bounds((0, 90)), Edit(Kind.PAUSE, at(40), at(30)), Wrong.UPSIDE_DOWN),
        (bounds((0, 90)), Edit(Kind.PAUSE, at(-5), at(90)), Wrong.NOTHING_LEFT),
        (bounds((0, 90)), Edit(Kind.PAUSE, at(100), at(110)), Wrong.UNCHANGED),
        (bounds((0, 90)), Edit(Kind.COUNT, at(10), at(20)), Wrong.UNCHANGED),
    ],
)
def test_edits_that_cannot_be(windows: list[Bounds], edit: Edit, wrong: Wrong) -> None:
    with pytest.raises(EditRefused) as refused:
        edited(windows, edit, NOW)
    assert refused.value.wrong is wrong


MINUTE = st.integers(-20, 220)
WINDOWS = st.lists(st.tuples(st.integers(0, 199), st.one_of(st.none(), st.integers(0, 200))), min_size=1).map(
    lambda found: joined(bounds(*found))
)
EDIT = st.builds(
    lambda kind, start, end, window: Edit(kind, at(start), at(end), window),
    st.sampled_from(Kind),
    MINUTE,
    MINUTE,
    st.integers(0, 3),
)


def covered(windows: list[Bounds]) -> set[int]:
    """The whole minutes that lie in a window, up to now."""
    return {
        minute
        for minute in range(-30, 200)
        if any(opened <= at(minute) and (closed is None or at(minute) < closed) for opened, closed in windows)
    }


@given(WINDOWS.filter(bool), EDIT)
def test_no_edit_makes_an_empty_upside_down_or_overlapping_window(windows: list[Bounds], edit: Edit) -> None:
    try:
        after = edited(windows, edit, NOW)
    except EditRefused:
        return
    assert after
    assert [closed for _opened, closed in after[:-1] if closed is None] == []
    for opened, closed in after:
        assert opened < (closed or NOW + timedelta(days=1))
    for (_opened, closed), (opened, _closed) in itertools.pairwise(after):
        assert closed is not None
        assert closed < opened
    # Whether an operation runs is not for an edit to say.
    assert (after[-1][1] is None) == (windows[-1][1] is None)
    assert edit.start is not None
    assert edit.end is not None
    span = covered([(edit.start, edit.end)])
    if edit.kind is Kind.PAUSE:
        assert covered(after) == covered(windows) - span
    if edit.kind is Kind.COUNT:
        assert covered(after) == covered(windows) | span


def test_a_channel_counts_from_the_first_instant_to_the_last() -> None:
    before, after = bounds((0, 90)), bounds((-20, 100))
    whole, late, gone = (at(0), at(90)), (at(30), at(90)), (at(0), at(50))
    assert stretched([whole, late, gone], before, after) == [
        (whole, (at(-20), at(100))),
        (late, (at(30), at(100))),
        (gone, (at(-20), at(50))),
    ]
    assert stretched([whole, (at(0), None)], before, bounds((10, 80))) == []
    assert stretched([(at(0), None)], bounds((0, None)), bounds((-5, None))) == [
        ((at(0), None), (at(-5), None))
    ]


@pytest.mark.parametrize(
    ("text", "near", "means"),
    [
        ("21:05", "20:00", "2026-09-06 19:05:00"),
        ("9:05 pm", "20:00", "2026-09-06 19:05:00"),
        ("12.10 a.m.", "02:00", "2026-09-05 22:10:00"),
        ("23:50", "00:10", "2026-09-05 21:50:00"),
        ("23:30", "22:00", "2026-09-06 21:30:00"),
        # Tomorrow's would be nearer.
        ("09:30", "23:30", "2026-09-06 07:30:00"),
        ("00:00", "22:00", "2026-09-05 22:00:00"),
        ("20 min ago", "20:00", "2026-09-06 20:40:30"),
        ("1h 30min ago", "20:00", "2026-09-06 19:30:30"),
        (" NOW ", "20:00", "2026-09-06 21:00:30"),
        ("2026-09-05 08:00", "20:00", "2026-09-05 06:00:00"),
        ("2026-09-05T08:00:15", "20:00", "2026-09-05 06:00:15"),
        ("2026-09-05T08:00Z", "20:00", "2026-09-05 08:00:00"),
        ("2026-09-05 08:00+05:30", "20:00", "2026-09-05 02:30:00"),
        ("<t:1788721500:t>", "20:00", "2026-09-06 19:05:00"),
    ],
)
def test_times_as_people_write_them(text: str, near: str, means: str) -> None:
    hour, minute = map(int, near.split(":"))
    now = datetime(2026, 9, 6, 21, 0, 30, 999, tzinfo=UTC)
    beside = datetime(2026, 9, 6, hour, minute, tzinfo=BERLIN)
    found = read_moment(text, zone=BERLIN, now=now, near=beside)
    assert found.strftime("%Y-%m-%d %H:%M:%S") == means
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "25:00",
        "12:60",
        "13:05 pm",
        "ago",
        "5 parsecs ago",
        "-5 min ago",
        "2026-09-05",
        "20:5",
        "9" * 400,
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="I cannot read"):
        read_moment(text, zone=BERLIN, now=NOW, near=NOW)


def test_times_where_the_clocks_change() -> None:
    spring = datetime(2026, 3, 29, 12, tzinfo=UTC)
    for text in ("02:30", "2026-03-29 02:30"):
        with pytest.raises(ValueError, match="the clocks go forward"):
            read_moment(text, zone=BERLIN, now=spring, near=spring)
    autumn = datetime(2026, 10, 25, 12, tzinfo=UTC)
    for near, hour in ((datetime(2026, 10, 25, 0, tzinfo=UTC), 0), (autumn, 1)):
        found = read_moment("02:30", zone=BERLIN, now=autumn, near=near)
        assert (found.hour, found.minute) == (hour, 30)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_a_refusal(text: str) -> None:
    try:
        found = read_moment(text, zone=BERLIN, now=NOW, near=NOW)
    except ValueError:
        return
    assert (found.tzinfo, found.microsecond) == (UTC, 0)
