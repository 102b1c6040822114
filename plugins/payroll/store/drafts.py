"""A draft between its steps: everything typed is in the database, so that a restart loses nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from plugins.market import get_material
from plugins.operations import get_operation
from plugins.payroll.models import OreRow, PayrollRow
from plugins.payroll.rules.amounts import AmountError, parse_price, parse_quantity
from plugins.payroll.rules.report import Payroll
from plugins.payroll.rules.split import NobodyToPay
from plugins.payroll.store.errors import AlreadyPaid, DraftGone, NotPayable
from plugins.payroll.store.reading import members_of, offered_materials, payroll_report, view

#: An abandoned draft is removed when the next one is made after this time.
KEPT = timedelta(days=7)


def create_draft(
    guild_id: int,
    operation_id: int,
    *,
    form: str,
    org_cut_bp: int,
    fee_bp: int,
    created_by: int,
    channel_id: int,
    request_id: int,
    at: datetime,
) -> Payroll:
    """Begin a payroll; an older draft of the same officer for the same operation gives way.

    :param form: refined or raw: which prices it starts from.
    :param request_id: the interaction's id; asked twice, it is made once.
    :raises NotPayable: no such operation here, or it has not ended.
    :raises AlreadyPaid: it has a locked payroll.
    :raises NobodyToPay: nobody took part, or nobody has any time.
    """
    made = PayrollRow.get_or_none(PayrollRow.request_id == request_id)
    if made is not None:
        return view(made)
    refuse_unpayable(guild_id, operation_id)
    if not any(member.seconds > 0 for member in members_of(guild_id, operation_id)):
        raise NobodyToPay("nobody has any credited time")
    drafts: Any = PayrollRow.select().where(PayrollRow.guild_id == guild_id, PayrollRow.state == "draft")
    own = (PayrollRow.operation_id == operation_id) & (PayrollRow.created_by == created_by)
    for old in list(drafts.where(own | (PayrollRow.updated_at < at - KEPT))):
        _remove(old.id)
    locked = PayrollRow.operation_id == operation_id, PayrollRow.locked_at.is_null(False)
    earlier = PayrollRow.select().where(*locked).count()
    row = PayrollRow.create(
        guild_id=guild_id,
        operation_id=operation_id,
        version=earlier + 1,
        form=form,
        org_cut_bp=org_cut_bp,
        fee_bp=fee_bp,
        created_by=created_by,
        channel_id=channel_id,
        request_id=request_id,
    )
    return view(row)


def pick_ores(guild_id: int, payroll_id: int, offered: Collection[int], chosen: Collection[int]) -> Payroll:
    """Set which of the offered materials are sold; those that stay keep what was typed.

    :param offered: the material ids on the page that was shown; others are left alone.
    :param chosen: those of them that were picked.
    :raises DraftGone: there is no such draft here.
    """
    row = open_draft(guild_id, payroll_id)
    wanted = set(chosen) & set(offered)
    dropped = set(offered) - wanted
    OreRow.delete().where(OreRow.payroll_id == row.id, OreRow.material_id.in_(dropped)).execute()
    there = {ore.material_id for ore in OreRow.select().where(OreRow.payroll_id == row.id)}
    for material in offered_materials(row.form):
        if material.id in wanted - there:
            OreRow.create(
                payroll_id=row.id,
                material_id=material.id,
                name=material.name,
                price=material.price,
                price_source=material.source,
                price_as_of=material.as_of,
            )
    return _touched(row)


def enter_quantities(guild_id: int, payroll_id: int, typed: Mapping[int, str]) -> Payroll:
    """Keep what was typed; a quantity that cannot be used is kept as text only.

    :param typed: material id -> text.
    :raises DraftGone: there is no such draft here.
    """
    row = open_draft(guild_id, payroll_id)
    for material_id, text in typed.items():
        try:
            centi_scu = parse_quantity(text)
        except AmountError:
            centi_scu = None
        _set(row, material_id, entered=text, centi_scu=centi_scu)
    return _touched(row)


def enter_prices(guild_id: int, payroll_id: int, typed: Mapping[int, str], by: int, name: str) -> Payroll:
    """Set prices that somebody typed; an empty one goes back to the price list.

    :param typed: material id -> text in whole aUEC per SCU; the same price as before is no change.
    :param by: recorded with each price that changes, and so is the name.
    :raises DraftGone: there is no such draft here.
    """
    row = open_draft(guild_id, payroll_id)
    lines = {line.material_id: line for line in view(row).ores}
    for material_id, text in typed.items():
        if material_id not in lines:
            continue
        try:
            price = parse_price(text)
        except AmountError:
            _set(row, material_id, price_entered=text)
            continue
        if price is None:
            _back_to_list(row, material_id)
        elif price == lines[material_id].price:
            _set(row, material_id, price_entered=None)
        else:
            _set(row, material_id, price=price, price_entered=None, overridden_by=by, overridden_by_name=name)
    return _touched(row)


def discard_draft(guild_id: int, payroll_id: int) -> None:
    """Remove a draft and what was typed into it.

    :raises DraftGone: there is no such draft here.
    """
    _remove(open_draft(guild_id, payroll_id).id)


def open_draft(guild_id: int, payroll_id: int) -> Any:
    """Return the row of a draft.

    :raises AlreadyPaid: it has been locked.
    :raises DraftGone: there is no such draft here.
    """
    row = PayrollRow.get_or_none(PayrollRow.guild_id == guild_id, PayrollRow.id == payroll_id)
    if row is None or row.state == "void":
        raise DraftGone
    if row.state == "locked":
        raise AlreadyPaid(view(row))
    return row


def refuse_unpayable(guild_id: int, operation_id: int) -> None:
    """Make sure that an operation can be paid now.

    :raises NotPayable: no such operation here, or it has not ended.
    :raises AlreadyPaid: it has a locked payroll.
    """
    paid = payroll_report(guild_id, operation_id)
    if paid is not None:
        raise AlreadyPaid(paid)
    operation = get_operation(guild_id, operation_id)
    if operation is None or operation.status != "ended" or operation.ended_at is None:
        raise NotPayable


def _set(row: Any, material_id: int, **values: Any) -> None:
    OreRow.update(**values).where(OreRow.payroll_id == row.id, OreRow.material_id == material_id).execute()


def _back_to_list(row: Any, material_id: int) -> None:
    material = get_material(material_id)
    values: dict[str, Any] = {
        "price": None,
        "price_entered": None,
        "overridden_by": None,
        "overridden_by_name": "",
    }
    if material is not None:
        values |= {"price": material.price, "price_source": material.source, "price_as_of": material.as_of}
    _set(row, material_id, **values)


def _touched(row: Any) -> Payroll:
    PayrollRow.update(state=row.state).where(PayrollRow.id == row.id).execute()
    return view(row)


def _remove(payroll_id: int) -> None:
    OreRow.delete().where(OreRow.payroll_id == payroll_id).execute()
    PayrollRow.update(state="void").where(PayrollRow.id == payroll_id, PayrollRow.state == "draft").execute()
