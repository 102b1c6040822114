"""The kind of operation that Sunday mining brings."""

from __future__ import annotations

from plugins.operations import OperationType

SUNDAY = OperationType(
    name="sunday",
    title="Sunday Mining",
    badge="📅",
    start_rank="officer",
    stop_rank="officer",
)
