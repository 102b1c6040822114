"""What is read of payrolls; every question names the guild."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plugins.market import Material, materials
from plugins.operations import OperationView, get_operation, participants_of
from plugins.payroll.models import OreRow, PayrollRow, PayslipRow
from plugins.payroll.rules.report import OreLine, Payroll
from plugins.payroll.rules.split import Member, Payslip
from plugins.payroll.store.errors import DraftGone

LIST_LIMIT = 25


@dataclass(frozen=True, slots=True)
class Bench:
    """A draft with all that its panel shows.

    :param members: who will be paid.
    :param offered: the materials that can be picked, dearest first.
    """

    payroll: Payroll
    operation: OperationView
    members: tuple[Member, ...]
    offered: tuple[Material, ...]


def bench(guild_id: int, payroll_id: int) -> Bench:
    """Return a draft with its operation, members and materials.

    :raises DraftGone: there is no such draft here; a locked payroll is none.
    """
    payroll = get_payroll(guild_id, payroll_id)
    if payroll is None or payroll.state != "draft":
        raise DraftGone
    operation = get_operation(guild_id, payroll.operation_id)
    if operation is None:
        raise DraftGone
    return Bench(
        payroll,
        operation,
        tuple(members_of(guild_id, payroll.operation_id)),
        tuple(offered_materials(payroll.form)),
    )


def members_of(guild_id: int, operation_id: int) -> list[Member]:
    """Return who took part in an operation, with their credited seconds."""
    return [
        Member(one.user_id, one.name, one.seconds, one.estimated)
        for one in participants_of(guild_id, operation_id)
    ]


def offered_materials(form: str) -> list[Material]:
    """Return what can be sold: ores in the given form, gems and salvage; dearest first, without price last.

    :param form: refined or raw.
    """
    return [material for material in materials() if material.form in (form, "gem", "salvage")]


def get_payroll(guild_id: int, payroll_id: int) -> Payroll | None:
    """Return one payroll of this guild with ores and payslips, or None."""
    row = PayrollRow.get_or_none(PayrollRow.guild_id == guild_id, PayrollRow.id == payroll_id)
    return None if row is None else view(row)


def payroll_report(guild_id: int, operation_id: int) -> Payroll | None:
    """Return the locked payroll of an operation with all its figures, or None while it has none.

    :returns: gross, expenses, org_cut, fees, payouts_total, ores and payslips; see `Payroll`.
    """
    row = PayrollRow.get_or_none(
        PayrollRow.guild_id == guild_id, PayrollRow.operation_id == operation_id, PayrollRow.state == "locked"
    )
    return None if row is None else view(row)


def locked_payrolls(guild_id: int) -> list[tuple[Payroll, OperationView]]:
    """Return the newest locked payrolls with their operations, at most 25; without ores and payslips."""
    rows = (
        PayrollRow.select()
        .where(PayrollRow.guild_id == guild_id, PayrollRow.state == "locked")
        .order_by(PayrollRow.locked_at.desc(), PayrollRow.id.desc())
        .limit(LIST_LIMIT)
    )
    found = [(_header(row), get_operation(guild_id, row.operation_id)) for row in rows]
    return [(payroll, operation) for payroll, operation in found if operation is not None]


def view(row: Any) -> Payroll:
    """Return a row with its ores (in the order they were picked) and payslips (longest time first)."""
    ores = OreRow.select().where(OreRow.payroll_id == row.id).order_by(OreRow.id)
    slips = (
        PayslipRow.select()
        .where(PayslipRow.payroll_id == row.id)
        .order_by(PayslipRow.seconds.desc(), PayslipRow.user_id)
    )
    return _header(
        row,
        ores=tuple(_ore(ore) for ore in ores),
        payslips=tuple(
            Payslip(slip.user_id, slip.name, slip.seconds, slip.estimated, slip.gross, slip.fee, slip.net)
            for slip in slips
        ),
    )


def _ore(row: Any) -> OreLine:
    return OreLine(
        material_id=row.material_id,
        name=row.name,
        entered=row.entered,
        centi_scu=row.centi_scu,
        price=row.price,
        price_source=row.price_source,
        price_as_of=row.price_as_of,
        overridden_by=row.overridden_by,
        overridden_by_name=row.overridden_by_name,
        price_entered=row.price_entered,
    )


def _header(row: Any, ores: tuple[OreLine, ...] = (), payslips: tuple[Payslip, ...] = ()) -> Payroll:
    return Payroll(
        id=row.id,
        guild_id=row.guild_id,
        operation_id=row.operation_id,
        version=row.version,
        state=row.state,
        form=row.form,
        org_cut_bp=row.org_cut_bp,
        fee_bp=row.fee_bp,
        gross=row.gross,
        expenses=row.expenses,
        org_cut=row.org_cut,
        fees=row.fees,
        payouts_total=row.payouts_total,
        created_by=row.created_by,
        channel_id=row.channel_id,
        locked_by=row.locked_by,
        locked_by_name=row.locked_by_name,
        locked_at=row.locked_at,
        message_id=row.message_id,
        ores=ores,
        payslips=payslips,
    )
