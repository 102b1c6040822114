"""The kind of operation that Sunday mining brings, and where the bot sits in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from plugins.operations import ChannelRef, OperationType

SUNDAY = OperationType(
    name="sunday",
    title="Sunday Mining",
    badge="📅",
    start_rank="officer",
    stop_rank="officer",
)

_HUB = re.compile(
    r"➕|\bhub\b|\bgenerator\b|\bjoin\b.{0,5}\bcreate\b|\bclick\b|\btap\b"
    r"|\b(create|make|open|add|start|new)\b.{0,12}\b(channel|voice|vc|room|crew|party|squad|team|group|lobby)\b",
    re.IGNORECASE,
)


def looks_like_hub(name: str) -> bool:
    """Return whether a channel's name is one that join-to-create hubs have: nobody can stay in such."""
    return _HUB.search(name) is not None


def choose_dispatch(channels: Sequence[ChannelRef]) -> int | None:
    """Return which of some channels suits the bot: the first that is not a hub, or the first of all."""
    found = next((each for each in channels if not looks_like_hub(each.name)), None)
    if found is not None:
        return found.channel_id
    return channels[0].channel_id if channels else None
