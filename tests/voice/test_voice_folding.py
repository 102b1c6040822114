"""Old sessions folded into sums per day: nothing is lost or counted twice; on both backends."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database import Database, VoiceDay, VoiceSession, VoiceVoid
from core.events import KeptVoice, SessionRecord
from core.stays.folding import Folded, Kept, Sums, by_day, days, fold_some, oldest_foldable, sums
from core.stays.statistics import Totals, folded_within, totals_of
from core.stays.voids import void_session
from core.voice.store import apply_transitions
from core.voice.transitions import Ended, Started

GUILD, USER, ALPHA, AFK = 7, 10, 100, 199
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
US = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
NOTHING = Kept(KeptVoice())
_ids = itertools.count(1)


def session(joined: datetime, left: datetime | None, **more: object) -> SessionRecord:
    values: dict[str, object] = {"guild_id": GUILD, "user_id": USER, "channel_id": ALPHA, **more}
    status = values.pop("status", "active" if left is None else "completed")
    return SessionRecord(id=next(_ids), joined=joined, left=left, status=status, **values)  # type: ignore[arg-type]


async def store(db: Database, *records: SessionRecord) -> None:
    kinds = [Started(each) if each.left is None else Ended(each) for each in records]
    await db.write(apply_transitions, kinds, key=GUILD)


async def fold(db: Database, before: datetime, kept: Kept = NOTHING, limit: int = 500) -> int:
    count, step = 0, Folded(0, None)
    while True:
        step = await db.write(fold_some, GUILD, before, kept, step.place, limit, key=GUILD)
        count += step.sessions
        if step.place is None:
            return count


async def test_a_stay_over_midnight_is_cut_there(database: Database) -> None:
    stay = session(
        MIDNIGHT - HOUR, MIDNIGHT + 25 * HOUR + US, deafened_us=2 * HOUR // US, left_estimated=True
    )
    await store(database, stay, session(MIDNIGHT, MIDNIGHT + HOUR, channel_id=AFK, afk=True))
    assert await fold(database, MIDNIGHT + 48 * HOUR) == 2
    found = [(each.channel_id, each.day, each.sums) for each in await database.read(days, GUILD)]
    hour = HOUR // US
    assert found == [
        (ALPHA, MIDNIGHT - 24 * HOUR, Sums(hour, hour, 0, 1, 1)),
        (ALPHA, MIDNIGHT, Sums(24 * hour, hour, 0, 0, 0)),
        (AFK, MIDNIGHT, Sums(0, 0, hour, 1, 0)),
        (ALPHA, MIDNIGHT + 24 * HOUR, Sums(hour + 1, 0, 0, 0, 0)),
    ]
    assert await database.read(lambda: VoiceSession.select().count()) == 0


async def test_what_is_young_open_kept_or_of_others_stays(database: Database) -> None:
    before = MIDNIGHT
    old = session(before - 9 * HOUR, before - 8 * HOUR)
    last = session(before - HOUR, before)
    young = session(before - HOUR, before + US)
    opened = session(before - 99 * HOUR, None, user_id=11)
    touching = session(before - 20 * HOUR, before - 19 * HOUR)
    named = session(before - 30 * HOUR, before - 29 * HOUR)
    other = session(before - 9 * HOUR, before - 8 * HOUR, guild_id=8)
    await store(database, old, last, young, opened, touching, named, other)
    kept = Kept(KeptVoice().and_spans([(before - 19 * HOUR, before - 18 * HOUR)]).and_sessions([named.id]))
    assert await database.read(oldest_foldable, GUILD, before) == named.joined
    assert await fold(database, before, kept, limit=2) == 2
    left = await database.read(lambda: {row.id for row in VoiceSession.select()})
    assert left == {young.id, opened.id, touching.id, named.id, other.id}
    assert await fold(database, before, kept, limit=2) == 0


async def test_a_void_session_goes_without_a_trace_in_the_sums(database: Database) -> None:
    stay = session(MIDNIGHT - HOUR, MIDNIGHT)
    await store(database, stay)
    await database.write(void_session, GUILD, stay.id, 900, "why", MIDNIGHT, key=GUILD)
    assert await fold(database, MIDNIGHT) == 1
    assert await database.read(days, GUILD) == []
    assert await database.read(lambda: VoiceVoid.select().count()) == 0


async def test_what_fails_half_way_changes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(database, session(MIDNIGHT - HOUR, MIDNIGHT))
    before = await database.read(sums, GUILD)
    with monkeypatch.context() as broken:
        broken.setattr("core.stays.folding.VoiceVoid", None)
        with pytest.raises(AttributeError):
            await fold(database, MIDNIGHT)
    assert await database.read(lambda: VoiceDay.select().count()) == 0
    assert await fold(database, MIDNIGHT) == 1
    assert await database.read(sums, GUILD) == before


STAY = st.tuples(
    st.integers(1, 3),
    st.sampled_from((100, 101, AFK)),
    st.integers(-200 * 3_600_000_000, 0),
    st.one_of(st.integers(0, 10), st.integers(0, 100 * 3_600_000_000)),
    st.integers(0, 100 * 3_600_000_000),
    st.sampled_from(("completed", "completed", "cancelled")),
    st.booleans(),
)
SPAN = st.tuples(st.integers(-200, 0), st.integers(0, 30))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STAY, max_size=12), st.lists(SPAN, max_size=2), st.integers(1, 5), st.integers(-8, 8))
async def test_sums_before_are_sums_after(
    database: Database,
    stays: list[tuple[int, int, int, int, int, str, bool]],
    spans: list[tuple[int, int]],
    limit: int,
    day: int,
) -> None:
    records = [
        session(
            MIDNIGHT + start * US,
            MIDNIGHT + (start + length) * US,
            user_id=user,
            channel_id=channel,
            afk=channel == AFK,
            deafened_us=min(deafened, length),
            status=status,
            joined_estimated=estimated,
        )
        for user, channel, start, length, deafened, status, estimated in stays
    ]
    await store(database, *records)
    before = await database.read(sums, GUILD)
    now = MIDNIGHT + 300 * HOUR
    of_all = [await database.read(totals_of, GUILD, user, now) for user in (1, 2, 3)]
    kept = KeptVoice().and_spans((MIDNIGHT + a * HOUR, MIDNIGHT + (a + b) * HOUR) for a, b in spans)
    cut = MIDNIGHT + day * 24 * HOUR
    folded = await fold(database, cut, Kept(kept), limit)
    assert await database.read(sums, GUILD) == before
    for user, told in enumerate(of_all, start=1):
        again = await database.read(totals_of, GUILD, user, now)
        own = {channel: part for (whose, channel), part in before.items() if whose == user}
        assert told.channels == again.channels == own
        assert told.folded == Sums()
    touched = [
        record
        for record in records
        if record.left is not None
        and any(record.joined <= end and record.left >= start for start, end in kept.spans)
    ]
    gone = [
        record
        for record in records
        if record not in touched and record.left is not None and record.left <= cut
    ]
    assert folded == len(gone)
    for record in records:
        assert sum((part.present_us + part.afk_us for _, part in by_day(record)), 0) == (
            0 if record.status == "cancelled" or record.left is None else (record.left - record.joined) // US
        )
    # The fixture's database goes on to the next example.
    await database.write(lambda: (VoiceSession.delete().execute(), VoiceDay.delete().execute()), key=GUILD)


async def test_totals_tell_what_is_kept_as_daily_sums(database: Database) -> None:
    now = MIDNIGHT + 30 * HOUR
    await store(
        database,
        session(MIDNIGHT - 26 * HOUR, MIDNIGHT - 23 * HOUR, deafened_us=7),
        session(now - HOUR, None, deafened_us=5, deafened_since=now - US),
        session(now - 3 * HOUR, now - 2 * HOUR, channel_id=AFK, afk=True, left_estimated=True),
        session(now - 3 * HOUR, now - 2 * HOUR, user_id=11),
    )
    hour = HOUR // US
    everything = {ALPHA: Sums(4 * hour, 13, 0, 2, 0), AFK: Sums(0, 0, hour, 1, 1)}
    assert await database.read(totals_of, GUILD, USER, now) == Totals(everything)
    assert await fold(database, MIDNIGHT) == 1
    told = await database.read(totals_of, GUILD, USER, now)
    assert told == Totals(everything, Sums(3 * hour, 7, 0, 1, 0), MIDNIGHT)
    assert told.all == Sums(4 * hour, 13, hour, 3, 1)
    assert await database.read(totals_of, 8, USER, now) == Totals({})
    for start, end, channel, there in (
        (MIDNIGHT - HOUR, MIDNIGHT, ALPHA, True),
        (MIDNIGHT - 49 * HOUR, MIDNIGHT - 48 * HOUR, ALPHA, False),
        (MIDNIGHT, now, ALPHA, False),
        (MIDNIGHT - HOUR, MIDNIGHT, AFK, False),
    ):
        assert await database.read(folded_within, GUILD, [channel], start, end) is there


async def test_the_last_day_of_all_times_has_no_midnight(database: Database) -> None:
    end = datetime.max.replace(tzinfo=UTC)
    assert [part.present_us for _, part in by_day(session(end - HOUR, end))] == [HOUR // US]


@pytest.mark.parametrize(
    ("spans", "error", "words"),
    [
        ([(MIDNIGHT + HOUR, MIDNIGHT)], ValueError, "ends before it begins, are its bounds swapped"),
        ([(MIDNIGHT, (MIDNIGHT + HOUR).replace(tzinfo=None))], ValueError, "needs aware times"),
        ([(MIDNIGHT, None)], TypeError, "for one without an end give now"),
        ([MIDNIGHT], TypeError, r"is \(start, end\), not"),
        (["ab"], TypeError, r"is \(start, end\), not 'ab'"),
    ],
)
def test_spans_that_are_none_are_refused(spans: list[Any], error: type[Exception], words: str) -> None:
    good = KeptVoice().and_spans([(MIDNIGHT, MIDNIGHT)])
    with pytest.raises(error, match=words):
        good.and_spans(spans)
    with pytest.raises(error, match=words):
        KeptVoice(tuple(spans))


@pytest.mark.parametrize("wrong", ["x", None, "12", 1.5, True])
def test_ids_that_are_none_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"named by its id, a number, not by {wrong!r}"):
        KeptVoice().and_sessions([2, wrong])
