"""The smallest plugin that has a command and hears of voice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from redlegion import hookimpl, reply, requires

ANSWER = "Here."


@app_commands.command(name="probe", description="Answer at once")
@requires("member")
async def probe(interaction: discord.Interaction[Any]) -> None:
    """Answer one line."""
    await reply(interaction, ANSWER)


@hookimpl
def register_commands() -> Sequence[app_commands.Command[Any, ..., Any]]:
    """Offer /probe."""
    return [probe]


@hookimpl
async def on_voice_session_moved() -> None:
    """Hear of every move, as a plugin that follows voice does."""
