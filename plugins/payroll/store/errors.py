"""Why the store refuses; nothing is changed then. The words for people are the commands' business."""

from __future__ import annotations

from plugins.payroll.rules.report import Payroll


class DraftGone(Exception):
    """There is no such draft in this guild: cancelled, replaced by a newer one, or never there."""


class NotPayable(Exception):
    """There is no such operation in this guild, or it has not ended."""


class NotReady(Exception):
    """A quantity or a price is still missing."""


class AlreadyPaid(Exception):
    """The operation has a locked payroll.

    :param payroll: that one.
    """

    def __init__(self, payroll: Payroll) -> None:
        super().__init__(f"operation {payroll.operation_id} is paid by payroll {payroll.id}")
        self.payroll = payroll
