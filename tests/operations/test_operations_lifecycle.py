"""The states of an operation and its title."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest

from plugins.operations.rules.lifecycle import IllegalTransition, Status, advance, title_for
from plugins.operations.rules.values import OperationType

ALLOWED = {
    (Status.PLANNED, Status.ACTIVE),
    (Status.PLANNED, Status.CANCELLED),
    (Status.ACTIVE, Status.ENDED),
    (Status.ACTIVE, Status.CANCELLED),
}


@pytest.mark.parametrize(("current", "wanted"), list(itertools.product(Status, Status)))
def test_only_the_steps_of_the_table_are_taken(current: Status, wanted: Status) -> None:
    if (current, wanted) in ALLOWED:
        assert advance(current.value, wanted) is wanted
    else:
        with pytest.raises(IllegalTransition, match=f"{current} cannot become {wanted}"):
            advance(current.value, wanted)


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="running"):
        advance("running", Status.ENDED)


SUNDAY = OperationType("sunday", "Sunday Mining", "📅", "officer", "officer")


def test_a_title_carries_the_date_in_the_guilds_zone() -> None:
    late = datetime(2026, 9, 5, 23, 30, tzinfo=UTC)
    assert title_for(SUNDAY, late, UTC) == "Sunday Mining - 2026-09-05"
    assert title_for(SUNDAY, late, timezone(timedelta(hours=2))) == "Sunday Mining - 2026-09-06"


def test_a_type_may_add_the_time_of_day() -> None:
    adhoc = OperationType("adhoc", "Adhoc Mining", "🎯", "member", "member", date_format="%Y-%m-%d %H:%M")
    assert (
        title_for(adhoc, datetime(2025, 9, 7, 14, 30, tzinfo=UTC), UTC) == "Adhoc Mining - 2025-09-07 14:30"
    )
