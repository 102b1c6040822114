"""Rates in settings: read and written in percent, kept as basis points."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from core.guilds.rates import rate_words, read_rate
from core.guilds.settings_fields import Kind, Rate, field_of, range_words
from core.guilds.settings_text import as_typed, read_typed, shown_value
from core.guilds.settings_words import problems_of


class Shares(BaseModel):
    """Kinds of rates.

    :param cut: what is kept.
    """

    cut: Annotated[int, Rate] = Field(default=1000, ge=0, le=10_000)
    bonus: Annotated[int, Rate()] | None = Field(default=None, gt=0)
    steps: list[Annotated[int, Rate]] = Field(default_factory=lambda: [50, 1250])
    count: int = 1000


@given(st.integers(-100_000_000, 100_000_000))
def test_rates_are_read_as_they_are_written(value: int) -> None:
    assert read_rate(rate_words(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10 %", 1000),
        ("10%", 1000),
        ("10", 1000),
        (" 7.5 % ", 750),
        ("7,5", 750),
        ("0.05 %", 5),
        ("-1", -100),
    ],
)
def test_ways_to_write_one(text: str, value: int) -> None:
    assert read_rate(text) == value


@pytest.mark.parametrize(
    "text", ["", "%", "a tenth", "7.555", "1,000", "10 % %", "1e2", "٣", "`x`\n@everyone", "9" * 99]
)
def test_what_is_no_rate_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 7\.5 %, not `"):
        read_rate(text)


def test_fields_of_rates() -> None:
    kinds = {name: field_of(Shares, name) for name in Shares.model_fields}
    cut, bonus, steps, count = (kinds[name] for name in ("cut", "bonus", "steps", "count"))
    assert cut and bonus and steps and count  # noqa: PT018 - all are there
    assert [each.kind for each in (cut, bonus, steps, count)] == [Kind.RATE] * 3 + [Kind.WHOLE]
    assert range_words(cut) == "0 % to 100 %"
    assert range_words(bonus) == "at least 0.01 %"
    assert (bonus.optional, steps.many) == (True, True)
    assert as_typed(steps, [50, 1250]) == "0.5 %\n12.5 %"
    assert read_typed(steps, "0.5 %\n12,5") == [50, 1250]
    assert read_typed(bonus, " ") is None
    assert shown_value(cut, 1000) == "10 %"
    assert shown_value(steps, [50, 1250]) == "0.5 %, 12.5 %"
    assert shown_value(count, 1000) == "1,000"


@pytest.mark.parametrize(
    ("given_values", "words"),
    [
        ({"cut": 100_000}, "Cut: must be at most 100 %, not `1000 %`."),
        ({"cut": -1}, "Cut: must be at least 0 %, not `-0.01 %`."),
        ({"bonus": 0}, "Bonus: must be more than 0 %, not `0 %`."),
    ],
)
def test_limits_are_told_in_percent(given_values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Shares.model_validate(given_values)
    assert [str(each) for each in problems_of(refused.value, Shares)] == [words]
