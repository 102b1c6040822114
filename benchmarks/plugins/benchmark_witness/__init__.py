"""A plugin that notes what it is told of voice, so that order and completeness can be looked at."""

from __future__ import annotations

import time

from benchmarks.heard import NOTES, Heard
from core.events import VoiceSessionMoved
from redlegion import Context, hookimpl


@hookimpl
async def on_voice_session_moved(ctx: Context, event: VoiceSessionMoved) -> None:
    """Note a move."""
    closed, opened = event.closed, event.opened
    NOTES.moves.append(
        Heard(
            time.monotonic(),
            ctx.guild_id,
            opened.user_id,
            closed.id,
            opened.id,
            closed.channel_id,
            opened.channel_id,
        )
    )
