"""`/plugins`: what this server has switched on, and the switch itself."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from core.commands.facts import rank_held, runtime_of
from core.commands.patience import deferred_if_slow
from core.commands.plugin_pages import info, overview
from core.commands.purge_command import add_data
from core.commands.replies import reply
from core.commands.settings_command import add_settings
from core.commands.switching import switch_and_tell
from core.commands.why import why
from core.guilds.ranks import Rank, requires

Interaction = discord.Interaction[Any]
Choices = list[app_commands.Choice[str]]

#: Choices that Discord shows.
MOST_CHOICES = 25


def build_plugins_group() -> app_commands.Group:
    """Return a fresh `/plugins` group."""
    group = app_commands.Group(
        name="plugins", description="Switch features on and off in this server", guild_only=True
    )
    _add_looks(group)
    _add_switches(group)
    add_settings(group)
    add_data(group)
    return group


def _add_looks(group: app_commands.Group) -> None:
    @group.command(name="list", description="Show the features and whether they are on here")
    @requires("member")
    async def list_plugins(interaction: Interaction) -> None:
        runtime, guild_id = runtime_of(interaction)
        await reply(interaction, embed=overview(runtime, guild_id), ephemeral=True)

    @group.command(name="info", description="Show what a plugin does, keeps and needs, and how it is here")
    @requires("member")
    @app_commands.describe(plugin="The feature or library to look at")
    async def show_info(interaction: Interaction, plugin: str) -> None:
        runtime, guild_id = runtime_of(interaction)
        rank = rank_held(interaction)
        given_up = await runtime.jobs.dead(guild_id) if rank.includes(Rank.ADMIN) else []
        await reply(interaction, embed=info(runtime, guild_id, plugin, rank, given_up), ephemeral=True)

    @group.command(name="why", description="Show why a command can or cannot be run here, check by check")
    @requires("member")
    @app_commands.describe(
        command="The command, such as plugins list", member="Whom to check; yourself if you leave it out"
    )
    async def show_why(interaction: Interaction, command: str, member: discord.Member | None = None) -> None:
        async with deferred_if_slow(interaction, ephemeral=True):
            embed = await why(interaction, command, member)
        await reply(interaction, embed=embed, ephemeral=True)

    @show_info.autocomplete("plugin")
    async def offer_all(interaction: Interaction, current: str) -> Choices:
        runtime, _guild_id = runtime_of(interaction)
        named = [(p.manifest.title, name) for name, p in runtime.manager.loaded.items()]
        named += [(entry.name, entry.name) for entry in runtime.manager.absent]
        return _choices(named, current)

    @show_why.autocomplete("command")
    async def offer_commands(interaction: Interaction, current: str) -> Choices:
        runtime, _guild_id = runtime_of(interaction)
        typed = current.strip().lstrip("/").casefold()
        found = [path for path in sorted(runtime.commands.owners) if typed in path]
        return [app_commands.Choice(name=f"/{path}"[:100], value=path) for path in found][:MOST_CHOICES]


def _add_switches(group: app_commands.Group) -> None:
    @group.command(name="enable", description="Switch a feature on in this server")
    @requires("admin")
    @app_commands.describe(plugin="The feature to switch on")
    async def enable(interaction: Interaction, plugin: str) -> None:
        await switch_and_tell(interaction, plugin, on=True)

    @group.command(name="disable", description="Switch a feature off in this server; its data stays")
    @requires("admin")
    @app_commands.describe(plugin="The feature to switch off")
    async def disable(interaction: Interaction, plugin: str) -> None:
        await switch_and_tell(interaction, plugin, on=False)

    @enable.autocomplete("plugin")
    async def offer_off(interaction: Interaction, current: str) -> Choices:
        return _features(interaction, current, on=False)

    @disable.autocomplete("plugin")
    async def offer_on(interaction: Interaction, current: str) -> Choices:
        return _features(interaction, current, on=True)


def _features(interaction: Interaction, typed: str, *, on: bool) -> Choices:
    runtime, guild_id = runtime_of(interaction)
    return _choices(
        [
            (m.title, m.name)
            for m in runtime.guilds.features()
            if runtime.guilds.wanted(guild_id, m.name) is on
        ],
        typed,
    )


def _choices(named: list[tuple[str, str]], typed: str) -> Choices:
    """Return what was meant, of pairs of title and name."""
    lines = {name: f"{title} ({name})"[:100] for title, name in named}
    return [
        app_commands.Choice(name=line, value=name)
        for name, line in lines.items()
        if typed.casefold() in line.casefold()
    ][:MOST_CHOICES]
