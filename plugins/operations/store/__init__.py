"""Store functions of operations: the database only, for `ctx.write` and `ctx.read`, safe to run twice."""

from __future__ import annotations

from core.stays.voids import NoSuchSession
from plugins.operations.store.channels import (
    ChannelsTaken,
    channels_ever_tracked,
    close_channel,
    dispatch,
    dispatch_channel,
    set_dispatch,
    track_channels,
    tracked_channels,
    untrack_channel,
)
from plugins.operations.store.evenings import (
    Evening,
    VoiceStay,
    evening,
    find_stay,
    recent_operations,
    recent_stays,
)
from plugins.operations.store.history import History, Judged, history, voice_totals
from plugins.operations.store.lifecycle import AlreadyRunning, NotRunning, end, start
from plugins.operations.store.linking import (
    anything_runs,
    change_role,
    decisions_of,
    link_session,
    resync_links,
)
from plugins.operations.store.members import forget_member, member_data, running_with
from plugins.operations.store.reading import (
    get_operation,
    namesakes,
    participants_of,
    payable_operations,
    running_operations,
    set_payroll_processed,
)
from plugins.operations.store.standing import Progress, progress, resting_spans, voices
from plugins.operations.store.voiding import AlreadyPaid, refuse_paid, unvoid, void
from plugins.operations.store.window_checks import OnlySums, windows_of
from plugins.operations.store.windows import (
    Gain,
    NoSuchOperation,
    Planned,
    WindowsChanged,
    edit_windows,
    plan_windows,
)

__all__ = [
    "AlreadyPaid",
    "AlreadyRunning",
    "ChannelsTaken",
    "Evening",
    "Gain",
    "History",
    "Judged",
    "NoSuchOperation",
    "NoSuchSession",
    "NotRunning",
    "OnlySums",
    "Planned",
    "Progress",
    "VoiceStay",
    "WindowsChanged",
    "anything_runs",
    "change_role",
    "channels_ever_tracked",
    "close_channel",
    "decisions_of",
    "dispatch",
    "dispatch_channel",
    "edit_windows",
    "end",
    "evening",
    "find_stay",
    "forget_member",
    "get_operation",
    "history",
    "link_session",
    "member_data",
    "namesakes",
    "participants_of",
    "payable_operations",
    "plan_windows",
    "progress",
    "recent_operations",
    "recent_stays",
    "refuse_paid",
    "resting_spans",
    "resync_links",
    "running_operations",
    "running_with",
    "set_dispatch",
    "set_payroll_processed",
    "start",
    "track_channels",
    "tracked_channels",
    "untrack_channel",
    "unvoid",
    "voice_totals",
    "voices",
    "void",
    "windows_of",
]
