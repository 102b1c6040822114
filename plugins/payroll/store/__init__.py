"""Payrolls in the database: plain functions for ctx.read and ctx.write."""

from plugins.operations import payable_operations as payable
from plugins.payroll.store.drafts import (
    create_draft,
    discard_draft,
    enter_prices,
    enter_quantities,
    pick_ores,
)
from plugins.payroll.store.errors import AlreadyPaid, DraftGone, NotPayable, NotReady
from plugins.payroll.store.locking import begin_post, lock_payroll, note_post
from plugins.payroll.store.members import forget_member, member_data
from plugins.payroll.store.reading import (
    Bench,
    bench,
    get_payroll,
    locked_payrolls,
    offered_materials,
    payroll_report,
)

__all__ = [
    "AlreadyPaid",
    "Bench",
    "DraftGone",
    "NotPayable",
    "NotReady",
    "begin_post",
    "bench",
    "create_draft",
    "discard_draft",
    "enter_prices",
    "enter_quantities",
    "forget_member",
    "get_payroll",
    "lock_payroll",
    "locked_payrolls",
    "member_data",
    "note_post",
    "offered_materials",
    "payable",
    "payroll_report",
    "pick_ores",
]
