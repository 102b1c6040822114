"""Changes of roles that nobody saw: the rules, against every instant at which they may have happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from plugins.operations.rules.credit import Stay, TrackedSpan, Window, credit
from plugins.operations.rules.linking import (
    Decision,
    again,
    first_decision,
    held_spans,
    role_changed,
    unseen_changes,
)

START = datetime(2026, 9, 6, 18, 0, tzinfo=UTC)
ALPHA, LOUNGE = 11, 99
END = 60


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def merged(past: list[Decision], fresh: list[Decision]) -> list[Decision]:
    """What the store keeps: one decision of a session per instant."""
    kept = {each.since: each for each in past} | {each.since: each for each in fresh}
    return [kept[since] for since in sorted(kept)]


def earned(past: list[Decision], joined: int, channel: int = ALPHA) -> tuple[int, bool]:
    stay = Stay(
        1,
        channel,
        at(joined),
        at(END + 1),
        held=held_spans(past, at(joined), at(END + 1)),
        unsure=unseen_changes(past),
    )
    found = credit([stay], [Window(at(0), at(END))], [TrackedSpan(ALPHA, at(0), at(END))])
    return (found[1].seconds, found[1].estimated) if found else (0, False)


instants = st.lists(st.integers(0, END), min_size=4, max_size=4).map(sorted)


@given(instants=instants, held=st.booleans(), replayed=st.booleans())
def test_credit_is_off_by_the_gap_at_most_and_marked(instants: list[int], held: bool, replayed: bool) -> None:
    joined, lost, happened, back = instants
    first = first_decision(7, 1, at(joined), at(joined), running=True, tracked=True, held=held)
    if replayed:
        news = role_changed([first], at(back), at(back), not held, at(lost))
    else:
        found = again(
            first, at(back), at(back), running=True, tracked=True, held=not held, unseen_since=at(lost)
        )
        assert found is not None
        news = [found]
    past = merged([first], news)
    seconds, estimated = earned(past, joined)
    true = happened - joined if held else END - happened
    assert abs(seconds - true) <= back - lost
    assert seconds <= true, "nothing is credited of which it is not sure that it was earned"
    assert estimated or seconds == 0
    # A change found again is none.
    assert again(past[-1], at(END), at(END), running=True, tracked=True, held=not held) is None


def test_a_change_where_no_time_counts_makes_none_uncertain() -> None:
    first = first_decision(7, 1, at(0), at(0), running=True, tracked=False, held=True)
    found = again(first, at(20), at(20), running=True, tracked=False, held=False, unseen_since=at(10))
    assert found is not None
    assert unseen_changes([first, found]) == ((at(10), at(20)),)
    assert earned([first, found], 0, LOUNGE) == (0, False)


def test_news_that_come_after_all_take_the_mark_away() -> None:
    """What was found when the bot looked again was on its way: the news says when it was."""
    first = first_decision(7, 1, at(0), at(0), running=True, tracked=True, held=True)
    found = again(first, at(20), at(20), running=True, tracked=True, held=False, unseen_since=at(20))
    assert found is not None
    past = merged([first, found], role_changed([first, found], at(18), at(21), False))
    assert unseen_changes(past) == ()
    assert earned(past, 0) == (18, False)


def test_a_later_decision_of_another_kind_keeps_what_is_unsure_where_it_is() -> None:
    first = first_decision(7, 1, at(0), at(0), running=True, tracked=True, held=True)
    lost = again(first, at(20), at(20), running=True, tracked=True, held=False, unseen_since=at(10))
    assert lost is not None
    untracked = again(lost, at(30), at(30), running=True, tracked=False, held=None)
    assert untracked is not None
    assert (untracked.since, untracked.unseen_since) == (at(30), None)
    # In the same instant it takes the other's place, and its mark with it.
    instead = again(lost, at(5), at(31), running=True, tracked=False, held=None)
    assert instead is not None
    assert (instead.since, instead.unseen_since) == (at(10), at(10))
