"""Operations: their types, channels and windows, who took part and for how long.

Other plugins use the names in `__all__`. Those of them that come from the store are for use inside
`ctx.write` and `ctx.read`.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from discord import app_commands

from core.events import (
    ChannelDeleted,
    KeptVoice,
    MemberDataAsked,
    MemberForgotten,
    MemberRolesChanged,
    Resync,
    RetentionAsked,
    RoleDeleted,
    SwitchedOff,
    VoiceSessionMoved,
    VoiceSessionStarted,
)
from plugins.operations import hookspecs, roles, service, store
from plugins.operations.commands import mining
from plugins.operations.help import TOPICS
from plugins.operations.models import MODELS
from plugins.operations.quiet import anything_runs
from plugins.operations.rules.values import (
    ChannelRef,
    OperationEnded,
    OperationStarted,
    OperationType,
    OperationView,
    ParticipantView,
    Started,
    Summary,
)
from plugins.operations.service import (
    already_running,
    channels_taken,
    settle_seat,
    start_operation,
    stop_operation,
)
from plugins.operations.settings import OperationsSettings
from plugins.operations.store import (
    ChannelsTaken,
    channels_ever_tracked,
    get_operation,
    participants_of,
    payable_operations,
    running_operations,
    set_dispatch,
    set_payroll_processed,
    track_channels,
    tracked_channels,
    untrack_channel,
)
from plugins.operations.unfinished import unfinished
from plugins.operations.views import fit, plain
from plugins.operations.voice import pages, voiding, why
from plugins.operations.voice.commands import voice
from plugins.operations.windows import editing
from plugins.operations.windows.commands import operation_group
from redlegion import Component, Context, HelpTopic, Schema, UserError, hookimpl

__all__ = [
    "ChannelRef",
    "ChannelsTaken",
    "OperationEnded",
    "OperationStarted",
    "OperationType",
    "OperationView",
    "ParticipantView",
    "Started",
    "Summary",
    "already_running",
    "anything_runs",
    "channels_ever_tracked",
    "channels_taken",
    "fit",
    "get_operation",
    "participants_of",
    "payable_operations",
    "plain",
    "running_operations",
    "set_dispatch",
    "set_payroll_processed",
    "settle_seat",
    "start_operation",
    "stop_operation",
    "track_channels",
    "tracked_channels",
    "untrack_channel",
]


@hookimpl
def register_schema() -> Schema:
    """The tables."""
    return Schema("operations", MODELS, Path(__file__).parent / "migrations")


@hookimpl
def register_settings() -> type[OperationsSettings]:
    """What a guild can set."""
    return OperationsSettings


@hookimpl
def register_hookspecs() -> ModuleType:
    """The hooks for others."""
    return hookspecs


@hookimpl
def register_commands() -> list[app_commands.Command[Any, Any, Any] | app_commands.Group]:
    """/mining stop and /mining status, all of /voice, and /operation."""
    return [mining, voice, operation_group]


@hookimpl
def register_components() -> list[Component]:
    """The buttons of /voice and /operation."""
    return [*pages.components(), *voiding.components(), *why.components(), *editing.components()]


@hookimpl
def register_help() -> list[HelpTopic]:
    """Pages of /help."""
    return TOPICS


@hookimpl
async def on_resync(ctx: Context, event: Resync) -> None:
    """After a start or an outage it is decided anew what counts, and the bot returns to its seat."""
    await service.resync(ctx, event)


@hookimpl
async def on_voice_session_started(ctx: Context, event: VoiceSessionStarted) -> None:
    """A member sat down: does it count?"""
    await service.link_session(ctx, event.session)


@hookimpl
async def on_voice_session_moved(ctx: Context, event: VoiceSessionMoved) -> None:
    """A member changed channel: does it count there?"""
    # A moment in a hub passes its time, and its session, to the channel after it.
    await service.link_session(ctx, event.opened, passed_on=event.closed.id == event.opened.id)


@hookimpl
async def on_member_roles_changed(ctx: Context, event: MemberRolesChanged) -> None:
    """The required role was given or taken: time counts from now on, or no longer."""
    await roles.change_role(ctx, event)


@hookimpl
async def on_role_deleted(ctx: Context, event: RoleDeleted) -> None:
    """The required role is gone: it is asked of nobody from now on."""
    await roles.role_deleted(ctx, event)


@hookimpl
async def on_channel_deleted(ctx: Context, event: ChannelDeleted) -> None:
    """A channel that is gone stops counting; what was earned in it stays."""
    await ctx.write(store.close_channel, ctx.guild_id, event.channel_id, event.at)
    await service.settle_seat(ctx)


@hookimpl
async def collect_unfinished(ctx: Context, event: SwitchedOff) -> str | None:
    """Operations go on, or wait, until somebody ends them."""
    return await unfinished(ctx, event)


@hookimpl
async def collect_member_data(ctx: Context, event: MemberDataAsked) -> dict[str, Any] | None:
    """Where a member took part, and what they started and ended."""
    return await ctx.read(store.member_data, ctx.guild_id, event.user_id)


@hookimpl
async def decide_forgetting(ctx: Context, event: MemberDataAsked) -> UserError | None:
    """Not before an operation has ended in which the member has earned time."""
    return await service.refusal_to_forget(ctx, event)


@hookimpl
async def on_member_forgotten(ctx: Context, event: MemberForgotten) -> None:
    """A former member has earned the time from now on."""
    await ctx.write(store.forget_member, ctx.guild_id, event.user_id, event.stand_in)


@hookimpl
async def filter_retention(ctx: Context, value: KeptVoice, event: RetentionAsked) -> KeptVoice:
    """Every session within an operation stays: what was earned can always be computed again."""
    return value.and_spans(await ctx.read(store.resting_spans, ctx.guild_id, event.start, event.end))


@hookimpl
async def on_guild_disabled(ctx: Context) -> None:
    """The bot leaves voice; a running operation stays open and can be stopped once it is on again."""
    await ctx.seat.release()
