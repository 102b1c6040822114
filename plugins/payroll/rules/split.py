"""Who gets how much: the design's order, in whole aUEC, adding up to the last one.

gross -> expenses paid back -> org cut -> shares by time -> transfer fee -> net. Nothing is rounded twice:
the org cut is floored (the odd aUEC stays with the crew), shares are floored and the rest goes out by largest
remainder, and each transfer's fee is rounded up, as the game takes it from the sender's money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plugins.payroll.rules.amounts import BASIS_POINTS


@dataclass(frozen=True, slots=True)
class Member:
    """Who is paid.

    :param seconds: credited time, whole seconds.
    :param estimated: part of the time was inferred after an outage.
    """

    user_id: int
    name: str
    seconds: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Payslip:
    """One member's line, in whole aUEC: `gross` - `fee` = `net`."""

    user_id: int
    name: str
    seconds: int
    estimated: bool
    gross: int
    fee: int
    net: int


@dataclass(frozen=True, slots=True)
class Split:
    """The money of one operation; `expenses` + `org_cut` + `fees` + `payouts_total` = `gross`.

    :param payslips: longest time first, then by user id.
    """

    gross: int
    expenses: int
    org_cut: int
    fees: int
    payouts_total: int
    payslips: tuple[Payslip, ...]


class NobodyToPay(ValueError):
    """There are no members, or none with any time."""


class PoolTooSmall(ValueError):
    """The expenses exceed the gross.

    :param shortfall: by how many aUEC.
    """

    def __init__(self, shortfall: int) -> None:
        super().__init__(f"expenses exceed the gross by {shortfall} aUEC")
        self.shortfall = shortfall


def by_largest_remainder(amount: int, members: Sequence[Member]) -> dict[int, int]:
    """Share an amount in proportion to time so that the shares add up to it exactly.

    :param amount: whole aUEC, not negative.
    :param members: each user once; at least one with time.
    :returns: user id -> whole aUEC. Of what flooring leaves, one aUEC each goes to the largest remainders;
        equal remainders by longer time, then by lower user id.
    :raises NobodyToPay: nobody has any time.
    """
    total = sum(member.seconds for member in members)
    if total <= 0:
        raise NobodyToPay("nobody has any credited time")
    shares: dict[int, int] = {}
    order: list[tuple[int, int, int]] = []
    for member in members:
        share, remainder = divmod(amount * member.seconds, total)
        shares[member.user_id] = share
        order.append((-remainder, -member.seconds, member.user_id))
    order.sort()
    for _, _, user_id in order[: amount - sum(shares.values())]:
        shares[user_id] += 1
    return shares


def transfer_fee(share: int, fee_bp: int) -> int:
    """Return what one transfer of `share` aUEC costs, rounded up.

    :param fee_bp: the rate in basis points.
    """
    return -(-share * fee_bp // BASIS_POINTS)


def split(gross: int, members: Iterable[Member], *, org_cut_bp: int, fee_bp: int, expenses: int = 0) -> Split:
    """Split what an operation earned.

    :param gross: whole aUEC.
    :param members: in any order; the result does not depend on it.
    :param org_cut_bp: the organisation's part of what expenses leave, 0 to 10,000 basis points, floored.
    :param fee_bp: the game's transfer fee, 0 to 9,999 basis points, rounded up per transfer.
    :param expenses: whole aUEC paid back before anything else.
    :raises NobodyToPay: no members, or nobody with any time.
    :raises PoolTooSmall: the expenses exceed the gross.
    :raises ValueError: a rate, amount or time out of range, or a member twice.
    """
    people = sorted(members, key=lambda member: (-member.seconds, member.user_id))
    _check(gross, people, org_cut_bp, fee_bp, expenses)
    if expenses > gross:
        raise PoolTooSmall(expenses - gross)
    pool = gross - expenses
    org_cut = pool * org_cut_bp // BASIS_POINTS
    shares = by_largest_remainder(pool - org_cut, people)
    payslips = []
    for member in people:
        share = shares[member.user_id]
        fee = transfer_fee(share, fee_bp)
        payslips.append(
            Payslip(member.user_id, member.name, member.seconds, member.estimated, share, fee, share - fee)
        )
    result = Split(
        gross=gross,
        expenses=expenses,
        org_cut=org_cut,
        fees=sum(slip.fee for slip in payslips),
        payouts_total=sum(slip.net for slip in payslips),
        payslips=tuple(payslips),
    )
    check_sums(result)
    return result


def check_sums(result: Split) -> None:
    """Make sure that no aUEC is lost or made.

    :raises ArithmeticError: the parts do not add up; nothing may be stored then.
    """
    parts = result.expenses + result.org_cut + result.fees + result.payouts_total
    if parts != result.gross:
        raise ArithmeticError(f"the parts add up to {parts}, not to the gross of {result.gross} aUEC")
    for slip in result.payslips:
        if slip.gross - slip.fee != slip.net or min(slip.gross, slip.fee, slip.net) < 0:
            raise ArithmeticError(f"the payslip of {slip.user_id} does not add up: {slip}")
    if (total := sum(slip.net for slip in result.payslips)) != result.payouts_total:
        raise ArithmeticError(f"the payslips add up to {total}, not to {result.payouts_total} aUEC")


def _check(gross: int, people: Sequence[Member], org_cut_bp: int, fee_bp: int, expenses: int) -> None:
    if gross < 0 or expenses < 0:
        raise ValueError("gross and expenses are not negative")
    if not 0 <= org_cut_bp <= BASIS_POINTS:
        raise ValueError("the org cut is 0 to 10,000 basis points")
    if not 0 <= fee_bp < BASIS_POINTS:
        raise ValueError("the transfer fee is 0 to 9,999 basis points")
    if any(member.seconds < 0 for member in people):
        raise ValueError("time is not negative")
    if len({member.user_id for member in people}) != len(people):
        raise ValueError("each member is paid once")
