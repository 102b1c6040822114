"""Store functions of operations: the database only, for `ctx.write` and `ctx.read`, safe to run twice."""

from __future__ import annotations

from plugins.operations.store.channels import (
    ChannelsTaken,
    close_channel,
    dispatch_channel,
    track_channels,
    tracked_channels,
    untrack_channel,
)
from plugins.operations.store.lifecycle import AlreadyRunning, NotRunning, end, start
from plugins.operations.store.members import forget_member, member_data, running_with
from plugins.operations.store.reading import (
    get_operation,
    participants_of,
    payable_operations,
    running_operations,
    set_payroll_processed,
)
from plugins.operations.store.standing import Progress, progress, resting_spans, voices

__all__ = [
    "AlreadyRunning",
    "ChannelsTaken",
    "NotRunning",
    "Progress",
    "close_channel",
    "dispatch_channel",
    "end",
    "forget_member",
    "get_operation",
    "member_data",
    "participants_of",
    "payable_operations",
    "progress",
    "resting_spans",
    "running_operations",
    "running_with",
    "set_payroll_processed",
    "start",
    "track_channels",
    "tracked_channels",
    "untrack_channel",
    "voices",
]
