"""From draft to locked, and from locked to posted: each happens once."""

from __future__ import annotations

from datetime import datetime

from plugins.operations import set_payroll_processed
from plugins.payroll.models import OreRow, PayrollRow, PayslipRow
from plugins.payroll.rules.report import Payroll
from plugins.payroll.rules.split import Split, split
from plugins.payroll.store.drafts import open_draft, refuse_unpayable
from plugins.payroll.store.errors import AlreadyPaid, NotPayable, NotReady
from plugins.payroll.store.reading import members_of, payroll_report, view
from redlegion import enqueue
from redlegion.database import IntegrityError

ROWS_PER_INSERT = 200


def lock_payroll(
    guild_id: int, payroll_id: int, *, by: int, name: str, request_id: int, job_id: int, at: datetime
) -> Payroll:
    """Compute the split, store it, mark the operation as paid and have the result posted: all or nothing.

    :param by: the user id of who confirms.
    :param name: what they are called now.
    :param request_id: the interaction's id; asked twice, it happens once.
    :param job_id: a fresh id for the job that posts the result.
    :raises DraftGone: there is no such draft here.
    :raises AlreadyPaid: somebody else was first.
    :raises NotReady: a quantity or a price is missing.
    :raises NotPayable: the operation has not ended.
    :raises NobodyToPay: nobody has any time.
    :raises ArithmeticError: the parts do not add up to the gross.
    """
    done = PayrollRow.get_or_none(PayrollRow.guild_id == guild_id, PayrollRow.lock_request_id == request_id)
    if done is not None:
        return view(done)
    row = open_draft(guild_id, payroll_id)
    refuse_unpayable(guild_id, row.operation_id)
    draft = view(row)
    if not draft.complete:
        raise NotReady
    result = split(
        draft.worth,
        members_of(guild_id, row.operation_id),
        org_cut_bp=row.org_cut_bp,
        fee_bp=row.fee_bp,
    )
    try:
        # The partial unique index decides between two processes; its refusal must not spoil our transaction.
        with PayrollRow._meta.database.atomic():
            _store_sums(row.id, result, by=by, name=name, request_id=request_id, at=at)
    except IntegrityError:
        winner = payroll_report(guild_id, row.operation_id)
        if winner is None:
            raise
        raise AlreadyPaid(winner) from None
    _store_lines(draft, result)
    if not set_payroll_processed(guild_id, row.operation_id, True):
        raise NotPayable
    enqueue(
        job_id,
        plugin="payroll",
        guild_id=guild_id,
        name="publish",
        key=f"payroll-{row.id}",
        payload={"payroll_id": row.id},
        due=at,
    )
    return view(PayrollRow.get_by_id(row.id))


def begin_post(guild_id: int, payroll_id: int, at: datetime) -> bool:
    """Note that the result is about to be posted.

    :returns: True the first time; False when an earlier try may have posted it already.
    """
    first: int = (
        PayrollRow.update(post_started=at)
        .where(
            PayrollRow.guild_id == guild_id, PayrollRow.id == payroll_id, PayrollRow.post_started.is_null()
        )
        .execute()
    )
    return first == 1


def note_post(guild_id: int, payroll_id: int, message_id: int) -> None:
    """Remember the message that the result was posted with."""
    PayrollRow.update(message_id=message_id).where(
        PayrollRow.guild_id == guild_id, PayrollRow.id == payroll_id
    ).execute()


def _store_sums(payroll_id: int, result: Split, *, by: int, name: str, request_id: int, at: datetime) -> None:
    PayrollRow.update(
        state="locked",
        gross=result.gross,
        expenses=result.expenses,
        org_cut=result.org_cut,
        fees=result.fees,
        payouts_total=result.payouts_total,
        locked_by=by,
        locked_by_name=name,
        locked_at=at,
        lock_request_id=request_id,
    ).where(PayrollRow.id == payroll_id, PayrollRow.state == "draft").execute()


def _store_lines(draft: Payroll, result: Split) -> None:
    for line in draft.ores:
        chosen = OreRow.payroll_id == draft.id, OreRow.material_id == line.material_id
        if line.sold:
            OreRow.update(value=line.value).where(*chosen).execute()
        else:
            OreRow.delete().where(*chosen).execute()
    rows = [
        {
            "payroll_id": draft.id,
            "user_id": slip.user_id,
            "name": slip.name,
            "seconds": slip.seconds,
            "estimated": slip.estimated,
            "gross": slip.gross,
            "fee": slip.fee,
            "net": slip.net,
        }
        for slip in result.payslips
    ]
    for start in range(0, len(rows), ROWS_PER_INSERT):
        PayslipRow.insert_many(rows[start : start + ROWS_PER_INSERT]).execute()
