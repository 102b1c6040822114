"""/operation windows, edit, pause and count."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from plugins.operations.choosing import operation_choices
from plugins.operations.rules.windows import Kind
from plugins.operations.windows import editing
from redlegion import Context, requires

Interaction = discord.Interaction[Any]
#: A time as typed; Discord itself refuses what is longer.
Typed = app_commands.Range[str, 1, 40]

operation_group = app_commands.Group(
    name="operation", description="When an operation counts", guild_only=True
)

_WHICH = "Which one; the one that runs or ran last by default"


@operation_group.command(name="windows", description="See when voice time counts for an operation")
@app_commands.describe(operation=_WHICH)
@requires("member")
async def windows(interaction: Interaction, operation: str | None = None) -> None:
    """Show the windows of an operation."""
    await editing.show(interaction, Context.of(interaction), operation)


@operation_group.command(name="edit", description="Correct when an operation began or ended")
@app_commands.describe(
    start="When it began, such as 20:05, 2026-09-06 20:05 or 20 min ago",
    end="When it ended, written the same way",
    window="Which of several windows; the first start and the last end by default",
    operation=_WHICH,
)
@requires("officer")
async def edit(
    interaction: Interaction,
    start: Typed | None = None,
    end: Typed | None = None,
    window: app_commands.Range[int, 1, 100] | None = None,
    operation: str | None = None,
) -> None:
    """Ask whether a window is to begin or end at another time."""
    await editing.ask(
        interaction, Context.of(interaction), operation, Kind.MOVE, start=start, end=end, window=window or 0
    )


@operation_group.command(name="pause", description="Take a span out of an operation: no time counts in it")
@app_commands.describe(
    start="From when, such as 20:05, 2026-09-06 20:05 or 20 min ago",
    end="Until when, written the same way",
    operation=_WHICH,
)
@requires("officer")
async def pause(interaction: Interaction, start: Typed, end: Typed, operation: str | None = None) -> None:
    """Ask whether a span is to be taken out."""
    await editing.ask(interaction, Context.of(interaction), operation, Kind.PAUSE, start=start, end=end)


@operation_group.command(name="count", description="Let a span count for an operation that did not")
@app_commands.describe(
    start="From when, such as 20:05, 2026-09-06 20:05 or 20 min ago",
    end="Until when, written the same way",
    operation=_WHICH,
)
@requires("officer")
async def count(interaction: Interaction, start: Typed, end: Typed, operation: str | None = None) -> None:
    """Ask whether a span is to count."""
    await editing.ask(interaction, Context.of(interaction), operation, Kind.COUNT, start=start, end=end)


@windows.autocomplete("operation")
@edit.autocomplete("operation")
@pause.autocomplete("operation")
@count.autocomplete("operation")
async def operations(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the operations whose title holds what was typed."""
    return await operation_choices(Context.of(interaction), typed)
