"""Every hook of the core. Bodies are docstrings only.

Families, told apart by name and checked when a plugin is loaded:

- `register_*`: plain functions, called once per load, return declarations.
- `on_*`: `async def`, return nothing, delivered per guild in order, one lane per (plugin, guild).
- `decide_*`, `filter_*`, `collect_*`: `async def`, awaited in plugin order by whoever asks: the first answer
  that is not None, a value passed on, all answers. A plugin declares its own by `register_hookspecs`.
- per process: `on_startup`, `on_shutdown`.

A plugin takes only the arguments it needs: `async def on_resync(ctx)` is as good as
`async def on_resync(ctx, event)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from discord import app_commands
    from pydantic import BaseModel

    from core.context import Context
    from core.database import Schema
    from core.errors import UserError
    from core.events import (
        ChannelChanged,
        ChannelDeleted,
        KeptVoice,
        MemberDataAsked,
        MemberForgotten,
        MemberLeft,
        MemberRolesChanged,
        Resync,
        RetentionAsked,
        RoleDeleted,
        ScheduledEventChanged,
        SwitchedOff,
        VoiceSessionEnded,
        VoiceSessionMoved,
        VoiceSessionStarted,
        VoiceStateChanged,
    )
    from core.manifest import Component, HealthCheck, HelpTopic, Job
    from core.runtime import Runtime

PROJECT = "redlegion"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_schema() -> Schema:  # type: ignore[empty-body]
    """Return the plugin's tables and the folder of its migrations."""


@hookspec
def register_settings() -> type[BaseModel]:  # type: ignore[empty-body]
    """Return the pydantic model of the plugin's settings per guild; every field has a default."""


@hookspec
def register_commands() -> Sequence[app_commands.Command[Any, Any, Any] | app_commands.Group]:  # type: ignore[empty-body]
    """Return slash commands and groups; groups of one name from several plugins are merged."""


@hookspec
def register_components() -> Sequence[Component]:  # type: ignore[empty-body]
    """Return the handlers of the plugin's buttons, selects and modals."""


@hookspec
def register_jobs() -> Sequence[Job]:  # type: ignore[empty-body]
    """Return the handlers of the plugin's durable jobs."""


@hookspec
def register_hookspecs() -> object:
    """Return a module whose `@hookspec` functions are hooks that other plugins may implement."""


@hookspec
def register_health_checks() -> Sequence[HealthCheck]:  # type: ignore[empty-body]
    """Return checks of what the plugin rests on outside this process; `/readyz` and `/healthz` show them."""


@hookspec
def register_help() -> Sequence[HelpTopic]:  # type: ignore[empty-body]
    """Return pages for `/help`; each is shown where the plugin is on, to who holds its rank."""


@hookspec
async def on_guild_enabled(ctx: Context) -> None:
    """Fires when the plugin is switched on in a guild, before its events and commands arrive."""


@hookspec
async def on_guild_disabled(ctx: Context) -> None:
    """Fires when the plugin is switched off in a guild, after its last event. Data stays."""


@hookspec
async def on_resync(ctx: Context, event: Resync) -> None:
    """Fires when events may have been missed: look at the world again."""


@hookspec
async def on_voice_session_started(ctx: Context, event: VoiceSessionStarted) -> None:
    """Fires after the row of a new voice session is committed."""


@hookspec
async def on_voice_session_ended(ctx: Context, event: VoiceSessionEnded) -> None:
    """Fires after the end of a voice session is committed."""


@hookspec
async def on_voice_session_moved(ctx: Context, event: VoiceSessionMoved) -> None:
    """Fires after a change of channel is committed: one session closed, the next one open."""


@hookspec
async def on_voice_state_changed(ctx: Context, event: VoiceStateChanged) -> None:
    """Fires when a member's deaf, mute or stream flag changed without a change of channel."""


@hookspec
async def on_member_roles_changed(ctx: Context, event: MemberRolesChanged) -> None:
    """Fires when a member's roles changed."""


@hookspec
async def on_member_left(ctx: Context, event: MemberLeft) -> None:
    """Fires when a member left the guild, was kicked or banned."""


@hookspec
async def on_channel_deleted(ctx: Context, event: ChannelDeleted) -> None:
    """Fires when a channel of the guild is deleted."""


@hookspec
async def on_channel_changed(ctx: Context, event: ChannelChanged) -> None:
    """Fires when a channel of the guild is made, or edited: renamed, moved to another category."""


@hookspec
async def on_role_deleted(ctx: Context, event: RoleDeleted) -> None:
    """Fires when a role of the guild is deleted; of those who held it no change of roles is told."""


@hookspec
async def on_scheduled_event_changed(ctx: Context, event: ScheduledEventChanged) -> None:
    """Fires when a scheduled event of the guild is made, edited, starts, ends or is deleted."""


@hookspec
async def collect_unfinished(ctx: Context, event: SwitchedOff) -> str | None:
    """Say what goes on here all the same although a feature was switched off, and what ends it; None for
    nothing.

    Asked of the plugins that went off and of those that are still on; the admin reads the answers.
    """


@hookspec
async def collect_member_data(ctx: Context, event: MemberDataAsked) -> Mapping[str, Any] | None:
    """Return all that the plugin keeps about a member in this guild, as JSON values; None for nothing.

    Asked of every loaded plugin, on or not: what is kept is kept.
    """


@hookspec
async def decide_forgetting(ctx: Context, event: MemberDataAsked) -> UserError | None:
    """Say why a member cannot be forgotten right now, and what to do first; None when nothing is in the way.

    Asked of every loaded plugin, on or not, before anything is erased.
    """


@hookspec
async def on_member_forgotten(ctx: Context, event: MemberForgotten) -> None:
    """Erase a member's name and put `event.stand_in` in the place of their id, changing no sum.

    Awaited for every loaded plugin, on or not; one that raises is asked again later, so doing it twice must
    do no harm.
    """


@hookspec
async def filter_retention(ctx: Context, value: KeptVoice, event: RetentionAsked) -> KeptVoice:  # type: ignore[empty-body]
    """Return `value` with the voice sessions that the plugin rests on, which are then not folded into sums.

    Asked of every loaded plugin, on or not. If one fails, nothing is folded in the guild that day.
    """


@hookspec
async def on_startup(runtime: Runtime) -> None:
    """Fires once per process, after the first guilds are known."""


@hookspec
async def on_shutdown(runtime: Runtime) -> None:
    """Fires once per process, before the database closes; a second is all that it gets."""
