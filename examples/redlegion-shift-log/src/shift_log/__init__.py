"""Shift log: members leave remarks, officers are reminded of those that nobody has read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from discord import app_commands

from core.events import MemberDataAsked, MemberForgotten, VoiceSessionEnded
from redlegion import Component, Context, HelpTopic, Job, Schema, hookimpl
from shift_log import store
from shift_log.commands import shift
from shift_log.components import take_read, take_remark
from shift_log.jobs import remind
from shift_log.models import MODELS
from shift_log.settings import ShiftLogSettings

# What other plugins may import of this one: nothing.
__all__: list[str] = []


@hookimpl
def register_schema() -> Schema:
    """The tables."""
    return Schema("shift_log", MODELS, Path(__file__).parent / "migrations")


@hookimpl
def register_settings() -> type[ShiftLogSettings]:
    """What a server can set."""
    return ShiftLogSettings


@hookimpl
def register_commands() -> list[app_commands.Group]:
    """/shift note, /shift list and /shift voice."""
    return [shift]


@hookimpl
def register_components() -> list[Component]:
    """The form and the button."""
    return [
        Component(action="write", handler=take_remark, rank="member"),
        Component(action="read", handler=take_read, rank="officer"),
    ]


@hookimpl
def register_jobs() -> list[Job]:
    """The reminder."""
    return [Job(name="remind", handler=remind)]


@hookimpl
def register_help() -> list[HelpTopic]:
    """A page of /help for officers."""
    return [
        HelpTopic(
            name="reminders",
            title="Remarks that nobody has read",
            text="A remark that no officer marks as read is brought up again, once, where it was left.",
            rank="officer",
        )
    ]


@hookimpl
async def collect_member_data(ctx: Context, event: MemberDataAsked) -> dict[str, Any] | None:
    """What a member wrote and read."""
    return await ctx.read(store.data_of, ctx.guild_id, event.user_id)


@hookimpl
async def on_member_forgotten(ctx: Context, event: MemberForgotten) -> None:
    """The remarks stay, as they are the server's; whose they were is gone."""
    await ctx.write(store.forget, ctx.guild_id, event.user_id, event.stand_in)


@hookimpl
async def on_voice_session_ended(ctx: Context, event: VoiceSessionEnded) -> None:
    """Count it; the row of the session itself is the core's."""
    await ctx.write(store.count_ended, event.session.guild_id)
