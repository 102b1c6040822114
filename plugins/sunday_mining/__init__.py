"""Sunday mining: the weekly operation over the guild's mining channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from discord import app_commands

from core.events import ChannelChanged, ChannelDeleted, Resync
from plugins.operations import OperationType
from plugins.sunday_mining import categories, store
from plugins.sunday_mining.commands import mining
from plugins.sunday_mining.help import TOPICS
from plugins.sunday_mining.models import MODELS
from plugins.sunday_mining.rules import SUNDAY
from redlegion import Context, HelpTopic, Schema, hookimpl

__all__: list[str] = []


@hookimpl
def register_schema() -> Schema:
    """The configured channels."""
    return Schema("sunday_mining", MODELS, Path(__file__).parent / "migrations")


@hookimpl
def register_commands() -> list[app_commands.Command[Any, Any, Any] | app_commands.Group]:
    """/mining start and /mining channels."""
    return [mining]


@hookimpl
def register_operation_types() -> list[OperationType]:
    """The weekly operation."""
    return [SUNDAY]


@hookimpl
def register_help() -> list[HelpTopic]:
    """Pages of /help."""
    return TOPICS


@hookimpl
async def on_channel_deleted(ctx: Context, event: ChannelDeleted) -> None:
    """A channel or category that is gone leaves the list; what was earned in it stays."""
    await ctx.write(store.remove_channel, ctx.guild_id, event.channel_id, event.at, gone=True)
    await ctx.write(store.remove_category, ctx.guild_id, event.channel_id)


@hookimpl
async def on_channel_changed(ctx: Context, event: ChannelChanged) -> None:
    """A channel that comes into a category on the list counts from then on."""
    await categories.channel_changed(ctx, event)


@hookimpl
async def on_resync(ctx: Context, event: Resync) -> None:
    """Channels may have come into a category unseen."""
    await categories.look_again(ctx, event)
