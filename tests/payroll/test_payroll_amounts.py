"""What people type into the fields for quantities, prices and the org cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.payroll.rules.amounts import (
    AmountError,
    Reason,
    ore_value,
    parse_percent,
    parse_price,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "centi"),
    [
        ("12", 1200),
        ("12.5", 1250),
        ("12,5", 1250),
        ("1 234.25", 123_425),
        ("1\u202f234,25", 123_425),
        ("1'234", 123_400),
        ("  7.05  ", 705),
        ("0012", 1200),
        ("12.", 1200),
        (".5", 50),
        ("32 SCU", 3200),
        ("32scu", 3200),
        ("0", 0),
        ("1000000", 100_000_000),
        ("", None),
        ("   ", None),
    ],
)
def test_quantities(text: str, centi: int | None) -> None:
    assert parse_quantity(text) == centi


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("twelve", Reason.NOT_A_NUMBER),
        ("1e5", Reason.NOT_A_NUMBER),
        ("nan", Reason.NOT_A_NUMBER),
        ("inf", Reason.NOT_A_NUMBER),
        ("0x10", Reason.NOT_A_NUMBER),
        ("1,234.5", Reason.NOT_A_NUMBER),
        ("12 5", Reason.NOT_A_NUMBER),
        (".", Reason.NOT_A_NUMBER),
        ("\u0661\u0662", Reason.NOT_A_NUMBER),
        ("-", Reason.NOT_A_NUMBER),
        ("=1+1", Reason.NOT_A_NUMBER),
        ("-1", Reason.NEGATIVE),
        ("-0.5", Reason.NEGATIVE),
        ("\u2212 3", Reason.NEGATIVE),
        ("1.234", Reason.TOO_MANY_DECIMALS),
        ("1,234", Reason.TOO_MANY_DECIMALS),
        ("0.001", Reason.TOO_MANY_DECIMALS),
        ("1000000.01", Reason.TOO_LARGE),
        ("9" * 4000, Reason.TOO_LARGE),
    ],
)
def test_quantities_that_are_refused(text: str, reason: Reason) -> None:
    with pytest.raises(AmountError) as caught:
        parse_quantity(text)
    assert caught.value.reason is reason
    assert caught.value.text == text


@given(st.integers(0, 100_000_000))
def test_every_quantity_survives_being_written(centi: int) -> None:
    assert parse_quantity(f"{centi // 100}.{centi % 100:02}") == centi
    assert parse_quantity(f"{centi // 100:,}".replace(",", " ") + f",{centi % 100:02}") == centi


@given(st.text(max_size=30))
def test_any_text_is_a_quantity_or_a_clear_refusal(text: str) -> None:
    for parse in (parse_quantity, parse_price, parse_percent):
        try:
            value = parse(text)
        except AmountError as error:
            value = len(error.reason.value)
        assert value is None or value >= 0


@pytest.mark.parametrize(
    ("text", "points"), [("10", 1000), ("12.5 %", 1250), ("0", 0), ("100", 10_000), ("", None)]
)
def test_percentages(text: str, points: int | None) -> None:
    assert parse_percent(text) == points


def test_more_than_all_is_refused() -> None:
    with pytest.raises(AmountError):
        parse_percent("100.01")


@pytest.mark.parametrize(
    ("text", "price"), [("22210", 22_210), ("22 210 aUEC", 22_210), ("7.00", 7), ("", None)]
)
def test_prices(text: str, price: int | None) -> None:
    assert parse_price(text) == price


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("7.5", Reason.NOT_WHOLE),
        ("0", Reason.NOT_POSITIVE),
        ("1000000001", Reason.TOO_LARGE),
        ("-4", Reason.NEGATIVE),
        ("free", Reason.NOT_A_NUMBER),
    ],
)
def test_prices_that_are_refused(text: str, reason: Reason) -> None:
    with pytest.raises(AmountError) as caught:
        parse_price(text)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("centi", "price", "value"),
    [(100, 5858, 5858), (1, 50, 1), (1, 49, 0), (150, 3, 5), (123_425, 22_210, 27_412_693), (0, 9, 0)],
)
def test_a_line_is_rounded_half_up_once(centi: int, price: int, value: int) -> None:
    assert ore_value(centi, price) == value
