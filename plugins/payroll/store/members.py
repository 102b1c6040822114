"""What payrolls keep about one member, and how a stand-in takes their place."""

from __future__ import annotations

from typing import Any

from plugins.payroll.models import OreRow, PayrollRow, PayslipRow
from redlegion.database import User


def member_data(guild_id: int, user_id: int) -> dict[str, Any] | None:
    """Return all that is kept about a member, as JSON values; None for nothing."""
    slips: Any = (
        PayslipRow.select(
            PayslipRow.payroll_id,
            PayrollRow.operation_id,
            PayrollRow.locked_at,
            PayslipRow.name,
            PayslipRow.seconds,
            PayslipRow.estimated,
            PayslipRow.gross,
            PayslipRow.fee,
            PayslipRow.net,
        )
        .join(PayrollRow)
        .where(PayrollRow.guild_id == guild_id, PayslipRow.user_id == user_id)
        .order_by(PayslipRow.payroll_id)
    )
    typed: Any = (
        OreRow.select(OreRow.payroll_id, OreRow.name, OreRow.price, OreRow.overridden_by_name)
        .join(PayrollRow)
        .where(PayrollRow.guild_id == guild_id, OreRow.overridden_by == user_id)
        .order_by(OreRow.id)
    )
    made, locked = (
        PayrollRow.select(PayrollRow.id).where(PayrollRow.guild_id == guild_id, who).order_by(PayrollRow.id)
        for who in (PayrollRow.created_by == user_id, PayrollRow.locked_by == user_id)
    )
    found = {
        "payslips": [
            {**slip, "locked_at": slip["locked_at"].isoformat() if slip["locked_at"] else None}
            for slip in slips.dicts()
        ],
        "prices_typed": list(typed.dicts()),
        "payrolls_made": [row.id for row in made],
        "payrolls_locked": [row.id for row in locked],
    }
    return found if any(found.values()) else None


def forget_member(guild_id: int, user_id: int, stand_in: int) -> None:
    """Put the stand-in, under its name, in the place of a member; no amount changes. Safe to run twice."""
    here = PayrollRow.guild_id == guild_id
    of_guild = PayrollRow.select(PayrollRow.id).where(here)
    person = User.get_or_none(User.id == stand_in)
    name = person.name if person is not None else ""
    PayslipRow.update(user_id=stand_in, name=name).where(
        PayslipRow.user_id == user_id, PayslipRow.payroll_id.in_(of_guild)
    ).execute()
    OreRow.update(overridden_by=stand_in, overridden_by_name=name).where(
        OreRow.overridden_by == user_id, OreRow.payroll_id.in_(of_guild)
    ).execute()
    PayrollRow.update(created_by=stand_in).where(here, PayrollRow.created_by == user_id).execute()
    PayrollRow.update(locked_by=stand_in, locked_by_name=name).where(
        here, PayrollRow.locked_by == user_id
    ).execute()
