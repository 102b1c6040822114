"""The split adds up to the last aUEC, whatever the sums, the people and their order."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.payroll.rules.split import (
    Member,
    NobodyToPay,
    PoolTooSmall,
    Split,
    by_largest_remainder,
    check_sums,
    split,
    transfer_fee,
)


def crew(*seconds: int) -> list[Member]:
    return [Member(index, f"member {index}", value) for index, value in enumerate(seconds, start=1)]


crews = st.lists(st.integers(0, 200_000), min_size=1, max_size=500).filter(any).map(lambda s: crew(*s))
money = st.one_of(st.integers(0, 10_000), st.integers(0, 2**62))


@settings(max_examples=150, deadline=None)
@given(
    gross=money,
    members=crews,
    org_cut_bp=st.integers(0, 10_000),
    fee_bp=st.integers(0, 9_999),
    part=st.integers(0, 100),
    seed=st.integers(0, 2**32),
)
def test_every_auec_is_accounted_for(
    *, gross: int, members: list[Member], org_cut_bp: int, fee_bp: int, part: int, seed: int
) -> None:
    expenses = gross * part // 100
    result = split(gross, members, org_cut_bp=org_cut_bp, fee_bp=fee_bp, expenses=expenses)
    nets = [slip.net for slip in result.payslips]
    assert result.expenses + result.org_cut + sum(nets) + result.fees == gross
    assert sum(nets) == result.payouts_total
    pool = gross - expenses
    assert result.org_cut == pool * org_cut_bp // 10_000
    shared = pool - result.org_cut
    total = sum(member.seconds for member in members)
    for slip in result.payslips:
        assert min(slip.gross, slip.fee, slip.net) >= 0
        assert abs(Fraction(shared * slip.seconds, total) - slip.gross) < 1
        if slip.seconds == 0:
            assert (slip.gross, slip.fee, slip.net) == (0, 0, 0)
    shuffled = members[:]
    random.Random(seed).shuffle(shuffled)
    assert split(gross, shuffled, org_cut_bp=org_cut_bp, fee_bp=fee_bp, expenses=expenses) == result


@settings(max_examples=60, deadline=None)
@given(gross=money, members=crews)
def test_longer_time_never_earns_less(gross: int, members: list[Member]) -> None:
    result = split(gross, members, org_cut_bp=1000, fee_bp=50)
    slips = sorted(result.payslips, key=lambda slip: slip.seconds)
    assert all(a.gross <= b.gross for a, b in pairwise(slips) if a.seconds < b.seconds)


def test_a_hand_made_split() -> None:
    result = split(1_000_000, crew(3600, 3600, 1800, 0), org_cut_bp=1000, fee_bp=50)
    assert result.org_cut == 100_000
    assert [(s.user_id, s.gross, s.fee, s.net) for s in result.payslips] == [
        (1, 360_000, 1_800, 358_200),
        (2, 360_000, 1_800, 358_200),
        (3, 180_000, 900, 179_100),
        (4, 0, 0, 0),
    ]
    assert (result.fees, result.payouts_total) == (4_500, 895_500)


def test_equal_remainders_go_to_the_lower_user_id() -> None:
    assert by_largest_remainder(2, crew(10, 10, 10)) == {1: 1, 2: 1, 3: 0}


def test_equal_remainders_go_to_longer_time_first() -> None:
    # 2 * 1/4 and 2 * 3/4 both leave a remainder of one half.
    members = [Member(1, "short", 1), Member(2, "long", 3)]
    assert by_largest_remainder(2, members) == {1: 0, 2: 2}


def test_the_largest_remainder_comes_before_the_longer_time() -> None:
    # 10 * 7/12 = 5 r 10, 10 * 5/12 = 4 r 2.
    assert by_largest_remainder(10, crew(7, 5)) == {1: 6, 2: 4}


@pytest.mark.parametrize(
    ("share", "fee"), [(0, 0), (1, 1), (200, 1), (201, 2), (999, 5), (1000, 5), (1001, 6)]
)
def test_the_fee_is_rounded_up_per_transfer(share: int, fee: int) -> None:
    assert transfer_fee(share, 50) == fee


@pytest.mark.parametrize("members", [[], crew(0), crew(0, 0, 0)])
def test_nobody_to_pay_is_refused(members: list[Member]) -> None:
    with pytest.raises(NobodyToPay):
        split(1000, members, org_cut_bp=1000, fee_bp=50)


def test_expenses_above_the_gross_are_refused_with_the_shortfall() -> None:
    with pytest.raises(PoolTooSmall) as caught:
        split(1000, crew(1), org_cut_bp=0, fee_bp=0, expenses=1300)
    assert caught.value.shortfall == 300


@pytest.mark.parametrize(
    ("gross", "members", "org", "fee"),
    [
        (-1, crew(1), 0, 0),
        (1, crew(1), 10_001, 0),
        (1, crew(1), -1, 0),
        (1, crew(1), 0, 10_000),
        (1, [Member(1, "twice", 1), Member(1, "twice", 2)], 0, 0),
        (1, [Member(1, "back in time", -1)], 0, 0),
    ],
)
def test_nonsense_is_refused(gross: int, members: list[Member], org: int, fee: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each is a plain ValueError
        split(gross, members, org_cut_bp=org, fee_bp=fee)


def test_the_org_may_take_everything() -> None:
    result = split(999, crew(5, 5), org_cut_bp=10_000, fee_bp=50)
    assert (result.org_cut, result.fees, result.payouts_total) == (999, 0, 0)


def test_sums_that_do_not_add_up_are_caught() -> None:
    with pytest.raises(ArithmeticError, match="add up to 99, not to the gross of 100"):
        check_sums(Split(gross=100, expenses=0, org_cut=99, fees=0, payouts_total=0, payslips=()))
