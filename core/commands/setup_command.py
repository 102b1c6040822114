"""`/setup`: how this server is set up, who holds which rank, and who changed what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from core.commands.panels import MOST_TEXT, Interaction, fit, panel, place_of
from core.commands.patience import deferred_if_slow
from core.commands.replies import reply
from core.commands.settings_command import adjustable
from core.commands.setup_audit import audit_components, audit_panel
from core.commands.setup_ranks import rank_components, ranks_panel, ranks_text
from core.errors import UserError
from core.guilds.ranks import requires
from core.guilds.settings_fields import fields_of
from core.guilds.settings_text import shown_value
from core.guilds.settings_words import quoted, translated
from core.i18n import translate as _
from core.manifest import Component

if TYPE_CHECKING:
    from core.runtime import Runtime

#: Settings of one plugin that the overview names.
MOST_SETTINGS = 6


def build_setup_group() -> app_commands.Group:
    """Return a fresh `/setup` group."""
    group = app_commands.Group(name="setup", description="How this server is set up", guild_only=True)

    @group.command(name="show", description="Show ranks, features and settings that differ from the defaults")
    @requires("admin")
    async def show_setup(interaction: Interaction) -> None:
        runtime, guild_id = place_of(interaction)
        await reply(interaction, view=panel([overview(runtime, guild_id)]), ephemeral=True)

    @group.command(name="ranks", description="Choose which roles make members, officers and admins")
    @requires("admin")
    async def ranks(interaction: Interaction) -> None:
        runtime, guild_id = place_of(interaction)
        view = ranks_panel(runtime.guilds.ranks(guild_id), interaction.guild)
        await reply(interaction, view=view, ephemeral=True)

    @group.command(name="voice", description="See or set how long single voice sessions are kept")
    @requires("admin")
    @app_commands.describe(days="30 to 3650, or 0 for ever; older ones become daily sums, pay stays provable")
    async def voice(interaction: Interaction, days: int | None = None) -> None:
        runtime, guild_id = place_of(interaction)
        async with deferred_if_slow(interaction, ephemeral=True):
            if days is not None:
                await runtime.retention.set_days(guild_id, days, interaction.user.id)
            kept = await runtime.retention.days(guild_id)
        await reply(interaction, retention_words(kept), ephemeral=True)

    @group.command(name="audit", description="Show who changed what in this server")
    @requires("admin")
    @app_commands.describe(plugin="Only changes of this feature", member="Only what this member changed")
    async def audit(
        interaction: Interaction, plugin: str | None = None, member: discord.User | None = None
    ) -> None:
        runtime, guild_id = place_of(interaction)
        name = plugin.strip().casefold() if plugin else None
        if name is not None and name not in runtime.manager.loaded:
            raise UserError(
                _("There is no feature called {name}.").format(name=quoted(name)),
                _("Pick one of: {names}.").format(names=", ".join(runtime.manager.loaded)),
            )
        async with deferred_if_slow(interaction, ephemeral=True):
            view = await audit_panel(runtime, guild_id, 0, name, member.id if member is not None else None)
        await reply(interaction, view=view, ephemeral=True)

    @audit.autocomplete("plugin")
    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        runtime, _guild_id = place_of(interaction)
        return [
            app_commands.Choice(name=f"{loaded.manifest.title} ({name})", value=name)
            for name, loaded in runtime.manager.loaded.items()
            if current.casefold() in f"{loaded.manifest.title} {name}".casefold()
        ][:25]

    return group


def retention_words(days: int) -> str:
    """Return in words how long single voice sessions are kept.

    :param days: 0 for ever.
    """
    if not days:
        return _("Every voice session is kept for ever. /setup voice with `days` changes that.")
    return _(
        "Voice sessions older than {days} days are folded to sums per member, channel and day, every night. "
        "Those that an operation or a payroll rests on are kept."
    ).format(days=days)


def overview(runtime: Runtime, guild_id: int) -> str:
    """Return in words how a guild is set up."""
    guilds = runtime.guilds
    active = guilds.active(guild_id)
    names = {True: list[str](), False: list[str]()}
    for manifest in guilds.features():
        names[manifest.name in active].append(manifest.title)
    lines = [
        "### " + _("Ranks"),
        ranks_text(guilds.ranks(guild_id)),
        "### " + _("Features"),
        _("On: {names}").format(names=", ".join(names[True]) or _("nothing")),
        _("Off: {names}").format(names=", ".join(names[False]) or _("nothing")),
        "### " + _("Settings"),
        *_settings(runtime, guild_id),
        "-# " + _("Change it with /setup ranks, /plugins enable, /plugins disable and /plugins settings."),
    ]
    return fit("\n".join(lines), MOST_TEXT)


def _settings(runtime: Runtime, guild_id: int) -> list[str]:
    lines = []
    for name in adjustable(runtime, guild_id):
        stored = runtime.guilds.stored_settings(guild_id, name)
        own = [
            f"{translated(field.title)} {shown_value(field, getattr(stored.values, field.name))}"
            for field in fields_of(type(stored.values))
            if field.name in stored.own
        ]
        title = runtime.manager.loaded[name].manifest.title
        if own:
            rest = len(own) - MOST_SETTINGS
            words = ", ".join(own[:MOST_SETTINGS])
            if rest > 0:
                words = _("{names} and {n} more").format(names=words, n=rest)
            lines.append(f"**{title}**: {words}")
        if stored.problems:
            lines.append(
                _("⚠️ **{title}**: something that is stored cannot be used; see /plugins settings.").format(
                    title=title
                )
            )
    return lines or [_("Everything is as it comes.")]


def setup_components() -> list[Component]:
    """Return the handlers of what `/setup` shows."""
    return [*rank_components(), *audit_components()]
