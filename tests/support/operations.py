"""What tests of operations and of plugins on them share: short ways to write rows."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from core.database import VoiceSession
from plugins.operations import OperationType

START = datetime(2026, 9, 6, 18, 0, tzinfo=UTC)
SUNDAY = OperationType("sunday", "Sunday Mining", "📅", "officer", "officer")
_ids = itertools.count(1)


def at(minutes: float) -> datetime:
    """The instant so many minutes after the start."""
    return START + timedelta(minutes=minutes)


def sat(
    guild: int, user: int, channel: int, joined: float, left: float | None, *, estimated: bool = False
) -> None:
    """Store a voice session; minutes after the start, `left` None while it is open."""
    VoiceSession.create(
        id=next(_ids),
        guild_id=guild,
        user_id=user,
        channel_id=channel,
        joined=at(joined),
        left=None if left is None else at(left),
        status="active" if left is None else "completed",
        joined_estimated=estimated,
        left_estimated=estimated and left is not None,
    )
