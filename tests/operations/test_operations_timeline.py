"""The picture of who was where when: its looks, its time marks, and what is drawn."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import reportlab
from PIL import Image

from core import fonts
from plugins.operations.rules.statistics import MemberEvening, Step
from plugins.operations.rules.values import OperationView
from plugins.operations.store.evenings import Evening
from plugins.operations.voice import lettering
from plugins.operations.voice.lettering import Lettering
from plugins.operations.voice.pages import timeline_of
from plugins.operations.voice.picture import draw_timeline
from plugins.operations.voice.timeline import (
    COLOURS,
    MOST_LOOKS,
    MOST_ROWS,
    OTHER,
    Look,
    Row,
    Timeline,
    looks_for,
    time_marks,
)

START = datetime(2026, 9, 6, 18, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
OPERATION = OperationView(1, "sunday", "Sunday Mining", "x", "ended", START, START, False, 0)
WORDS = {
    "running": "running",
    "estimated": "estimated",
    "uncounted": "not counted",
    "others": "other channels",
    "nobody": "Nobody sat there.",
}


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def member(user_id: int, *steps: Step) -> MemberEvening:
    return MemberEvening(user_id, 60, False, {}, steps, at(0), at(1), 1.0, 0.0, None)


def timeline(rows: tuple[Row, ...], minutes: float = 120, channels: int = 3) -> Timeline:
    names = {number: f"Channel {number}" for number in range(channels)}
    people = [member(number, *row.steps) for number, row in enumerate(rows)]
    return Timeline(
        "Sunday Mining - 2026-09-06",
        "2026-09-06 20:00 to 22:00",
        ((at(0), at(minutes)),),
        names,
        looks_for(people, names),
        rows,
        ZoneInfo("Europe/Berlin"),
        WORDS,
    )


def image(of: Timeline) -> Image.Image:
    drawn = Image.open(io.BytesIO(draw_timeline(of)))
    assert drawn.format == "PNG"
    return drawn


def colours(drawn: Image.Image) -> set[str]:
    found = drawn.convert("RGB").getcolors(drawn.width * drawn.height)
    assert found is not None
    return {f"#{red:02X}{green:02X}{blue:02X}" for _count, (red, green, blue) in found}


def test_colours_come_plain_then_lined_and_the_least_used_share_one() -> None:
    channels = {number: str(number) for number in range(MOST_LOOKS + 2)}
    everywhere = member(1, *(Step(number, at(0), at(99 - number)) for number in channels))
    looks = looks_for([everywhere], channels)
    assert looks[0] == Look(COLOURS[0])
    assert looks[len(COLOURS)] == Look(COLOURS[0], lined=True)
    assert [looks[number] for number in (MOST_LOOKS, MOST_LOOKS + 1)] == [OTHER, OTHER]
    assert len(set(looks.values())) == MOST_LOOKS + 1
    assert looks_for([member(1, Step(3, at(0), at(1)))], channels) == {3: Look(COLOURS[0])}


@pytest.mark.parametrize(
    ("minutes", "labels"),
    [
        (12, ["20:00", "20:02", "20:04", "20:06", "20:08", "20:10", "20:12"]),
        (180, ["20:00", "20:30", "21:00", "21:30", "22:00", "22:30", "23:00"]),
        (600, ["20:00", "22:00", "07 Sep", "02:00", "04:00", "06:00"]),
    ],
)
def test_time_marks_are_round_in_the_guilds_zone(minutes: int, labels: list[str]) -> None:
    marks = time_marks(at(0), at(minutes), ZoneInfo("Europe/Berlin"), 8)
    assert [label for _at, label in marks] == labels


@pytest.mark.parametrize(
    ("begins", "labels"),
    [
        (datetime(2026, 10, 25, 0, tzinfo=UTC), ["02:00 CEST", "02:00 CET", "03:00", "04:00"]),
        (datetime(2026, 3, 29, 0, tzinfo=UTC), ["01:00 CET", "03:00 CEST", "04:00", "05:00"]),
    ],
)
def test_time_marks_over_a_change_of_the_clocks(begins: datetime, labels: list[str]) -> None:
    marks = time_marks(begins, begins + timedelta(hours=3), ZoneInfo("Europe/Berlin"), 4)
    assert [label for _at, label in marks] == labels
    assert [each for each, _label in marks] == [begins + timedelta(hours=each) for each in range(4)]


def test_two_hours_over_a_change_of_the_clocks_are_two_hours() -> None:
    zone, begins = ZoneInfo("Europe/Berlin"), datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
    ends = begins + timedelta(hours=2, minutes=7)
    marks = time_marks(begins, ends, zone, 8)
    assert [label for _at, label in marks] == ["02:30 CEST", "02:00 CET", "02:30", "03:00"]
    assert {after - before for (before, _a), (after, _b) in itertools.pairwise(marks)} == {HALF_HOUR}
    evening = Evening(OPERATION, ((begins, ends),), {}, (), {})
    assert timeline_of(evening, (), 1, {}, zone).subtitle == (
        "2026-10-25 02:10 CEST to 03:17 CET (Europe/Berlin)"
    )
    usual = Evening(OPERATION, ((at(0), at(127)),), {}, (), {})
    assert timeline_of(usual, (), 1, {}, zone).subtitle == "2026-09-06 20:00 to 22:07 (Europe/Berlin)"


@pytest.mark.parametrize(
    ("begins", "hours", "labels"),
    [
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 12, ["25 Oct", "02:00", "04:00", "06:00", "08:00", "10:00"]),
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 12, ["29 Mar", "04:00", "06:00", "08:00", "10:00", "12:00"]),
        (
            datetime(2026, 10, 24, 22, tzinfo=UTC),
            72,
            ["25 Oct", "12:00", "26 Oct", "12:00", "27 Oct", "12:00"],
        ),
    ],
)
def test_hours_apart_stay_round_over_a_change_of_the_clocks(
    begins: datetime, hours: int, labels: list[str]
) -> None:
    marks = time_marks(begins, begins + timedelta(hours=hours), ZoneInfo("Europe/Berlin"), 7)
    assert [label for _at, label in marks] == labels


@pytest.mark.parametrize("minutes", [0, 0.01, 60, 60 * 24 * 400])
def test_any_length_has_a_few_marks_and_a_picture(minutes: float) -> None:
    drawn = timeline((Row("1. Quartz", "1 min", (Step(0, at(0), at(minutes)),)),), minutes)
    start, end = drawn.span
    assert len(time_marks(start, end, drawn.zone, 8)) <= 9
    assert image(drawn).width == 1280


def test_what_is_drawn_is_what_happened() -> None:
    plain = Row("1. Quartz", "1 h 0 min", (Step(0, at(0), at(60)), Step(1, at(60), at(90))))
    seen = colours(image(timeline((plain,))))
    assert {COLOURS[0], COLOURS[1]} <= seen
    assert COLOURS[2] not in seen
    uncounted = Row("2. Beryl", "0 s", (Step(0, at(0), at(60), counted=False),))
    assert "#E1E4E8" in colours(image(timeline((uncounted,))))
    assert "#E1E4E8" not in seen
    unsure = Row("1. Quartz", "1 h 0 min", (Step(0, at(0), at(60), end_estimated=True), plain.steps[1]))
    assert image(timeline((unsure,))).tobytes() != image(timeline((plain,))).tobytes()


def test_nobody_and_a_full_page() -> None:
    empty = image(timeline(()))
    row = Row("60. A name of thirty-two characters!", "11 h 59 min", (Step(0, at(0), at(60)),))
    full = image(timeline((row,) * MOST_ROWS))
    assert empty.width == full.width == 1280
    assert full.height < 2_000


def test_names_in_any_script_are_cut_to_their_room() -> None:
    letters = Lettering(20)
    for name in ("Quartz", "Zoë 🚀", "Жемчуг", "山田太郎", "\u202eright to left", "a\nb", "W" * 400, ""):
        cut = letters.fitting(name, 200)
        assert letters.width(cut) <= 200
    assert letters.fitting("Quartz", 200) == "Quartz"
    assert letters.fitting("W" * 400, 200).endswith("…")


def test_what_vera_lacks_comes_from_what_the_machine_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide, broken = Path(reportlab.__file__).parent / "fonts/VeraBd.ttf", tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    monkeypatch.setattr(fonts, "_WIDE_FILES", (str(tmp_path / "none.ttf"),))
    monkeypatch.setattr(fonts, "_EAST_ASIAN_FILES", (str(broken), str(wide)))
    monkeypatch.setattr(fonts, "_EMOJI_FILES", ())
    lettering._others.cache_clear()
    try:
        assert lettering._others() == (str(wide),)
        assert [drawn for _font, drawn in Lettering(20)._runs("Zoë 山 한")] == ["Zoë ? ?"]
    finally:
        lettering._others.cache_clear()
