"""A payroll as values: what the database holds, what the PDF and the CSV are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plugins.payroll.rules.amounts import AmountError, ore_value, parse_price, parse_quantity
from plugins.payroll.rules.split import Payslip


@dataclass(frozen=True, slots=True)
class OreLine:
    """One kind of ore that was sold.

    :param entered: the quantity as typed; None while nobody has been asked, "" when left empty.
    :param centi_scu: hundredths of an SCU; None while `entered` is no usable quantity, or empty.
    :param price: whole aUEC per SCU; None while it is missing.
    :param price_source: where the price comes from, in words; "" for a price that somebody typed.
    :param price_as_of: when the price was true.
    :param overridden_by: who typed the price, if anybody did; the name is what they were called then.
    :param price_entered: a price as typed that cannot be used; None when there is nothing to mend.
    """

    material_id: int
    name: str
    entered: str | None
    centi_scu: int | None
    price: int | None
    price_source: str
    price_as_of: datetime
    overridden_by: int | None = None
    overridden_by_name: str = ""
    price_entered: str | None = None

    @property
    def value(self) -> int | None:
        """Whole aUEC, None while quantity or price is missing."""
        if self.centi_scu is None or self.price is None:
            return None
        return ore_value(self.centi_scu, self.price)

    @property
    def sold(self) -> bool:
        """Whether there is any of it."""
        return bool(self.centi_scu)

    @property
    def price_problem(self) -> AmountError | None:
        """Why the typed price cannot be used, None when nothing is wrong with it."""
        try:
            parse_price(self.price_entered or "")
        except AmountError as error:
            return error
        return None

    @property
    def problem(self) -> AmountError | None:
        """Why what was typed cannot be used, None when it can."""
        try:
            parse_quantity(self.entered or "")
        except AmountError as error:
            return error
        return None


@dataclass(frozen=True, slots=True)
class Payroll:
    """One version of the split of one operation.

    :param state: draft, locked or void.
    :param form: refined or raw: the prices it started from.
    :param org_cut_bp: basis points; likewise `fee_bp`.
    :param gross: and the other sums: whole aUEC, 0 in a draft.
    :param channel_id: where the result is posted.
    :param message_id: the posted message, once there is one.
    """

    id: int
    guild_id: int
    operation_id: int
    version: int
    state: str
    form: str
    org_cut_bp: int
    fee_bp: int
    gross: int
    expenses: int
    org_cut: int
    fees: int
    payouts_total: int
    created_by: int
    channel_id: int
    locked_by: int | None = None
    locked_by_name: str = ""
    locked_at: datetime | None = None
    message_id: int | None = None
    ores: tuple[OreLine, ...] = ()
    payslips: tuple[Payslip, ...] = ()

    @property
    def sold(self) -> tuple[OreLine, ...]:
        """The ores of which there is any."""
        return tuple(line for line in self.ores if line.sold)

    @property
    def unasked(self) -> tuple[OreLine, ...]:
        """The ores whose quantity nobody has been asked for yet."""
        return tuple(line for line in self.ores if line.entered is None)

    @property
    def problems(self) -> tuple[tuple[OreLine, AmountError], ...]:
        """The ores whose quantity cannot be used, with the reason."""
        found = ((line, line.problem) for line in self.ores)
        return tuple((line, problem) for line, problem in found if problem is not None)

    @property
    def price_problems(self) -> tuple[tuple[OreLine, AmountError], ...]:
        """The sold ores whose typed price cannot be used, with the reason."""
        found = ((line, line.price_problem) for line in self.sold)
        return tuple((line, problem) for line, problem in found if problem is not None)

    @property
    def unpriced(self) -> tuple[OreLine, ...]:
        """The sold ores without a price."""
        return tuple(line for line in self.sold if line.price is None)

    @property
    def entered(self) -> bool:
        """Whether every ore has a usable quantity and something was sold at all."""
        return bool(self.sold) and not self.unasked and not self.problems

    @property
    def complete(self) -> bool:
        """Whether nothing is missing: it can be locked."""
        return self.entered and not self.unpriced and not self.price_problems

    @property
    def worth(self) -> int:
        """The sum of the lines that have a value, whole aUEC."""
        return sum(line.value or 0 for line in self.sold)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that is printed: a locked payroll and the operation that it pays."""

    payroll: Payroll
    guild_name: str
    title: str
    started_at: datetime
    ended_at: datetime

    @property
    def file_stem(self) -> str:
        """The files' name without its ending."""
        return f"payroll-{self.payroll.id}"

    @property
    def seconds(self) -> int:
        """The credited time of all members together."""
        return sum(slip.seconds for slip in self.payroll.payslips)

    @property
    def any_estimated(self) -> bool:
        """Whether any time was inferred after an outage."""
        return any(slip.estimated for slip in self.payroll.payslips)
