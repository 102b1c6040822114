"""`/plugins`: what this server has switched on, and the switch itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import discord
from discord import app_commands

from core.commands.patience import deferred_if_slow
from core.commands.replies import reply
from core.errors import UserError
from core.guilds.ranks import requires
from core.i18n import translate as _

if TYPE_CHECKING:
    from core.runtime import Runtime

Interaction = discord.Interaction[Any]


def _runtime(interaction: Interaction) -> tuple[Runtime, int]:
    guild_id = interaction.guild_id
    assert guild_id is not None, "the guard lets nobody pass outside a guild"
    return cast("Runtime", interaction.client.runtime), guild_id


def build_plugins_group() -> app_commands.Group:
    """Return a fresh `/plugins` group."""
    group = app_commands.Group(
        name="plugins", description="Switch features on and off in this server", guild_only=True
    )

    @group.command(name="list", description="Show the features and whether they are on here")
    @requires("member")
    async def list_plugins(interaction: Interaction) -> None:
        runtime, guild_id = _runtime(interaction)
        await reply(interaction, embed=_overview(runtime, guild_id), ephemeral=True)

    @group.command(name="enable", description="Switch a feature on in this server")
    @requires("admin")
    @app_commands.describe(plugin="The feature to switch on")
    async def enable(interaction: Interaction, plugin: str) -> None:
        await _switch(interaction, plugin, on=True)

    @group.command(name="disable", description="Switch a feature off in this server; its data stays")
    @requires("admin")
    @app_commands.describe(plugin="The feature to switch off")
    async def disable(interaction: Interaction, plugin: str) -> None:
        await _switch(interaction, plugin, on=False)

    @enable.autocomplete("plugin")
    async def offer_off(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return _choices(interaction, current, on=False)

    @disable.autocomplete("plugin")
    async def offer_on(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return _choices(interaction, current, on=True)

    return group


def _choices(interaction: Interaction, typed: str, *, on: bool) -> list[app_commands.Choice[str]]:
    runtime, guild_id = _runtime(interaction)
    return [
        app_commands.Choice(name=f"{m.title} ({m.name})", value=m.name)
        for m in runtime.guilds.features()
        if runtime.guilds.wanted(guild_id, m.name) is on
        and typed.casefold() in f"{m.title} {m.name}".casefold()
    ][:25]


async def _switch(interaction: Interaction, name: str, *, on: bool) -> None:
    runtime, guild_id = _runtime(interaction)
    features = {m.name: m for m in runtime.guilds.features()}
    manifest = features.get(name.strip().casefold())
    if manifest is None:
        loaded = runtime.manager.loaded.get(name.strip().casefold())
        if loaded is not None:
            raise UserError(
                _("{title} is a library.").format(title=loaded.manifest.title),
                _("It is switched on and off by itself with the features that need it."),
            )
        if any(entry.name == name.strip().casefold() for entry in runtime.manager.quarantined):
            raise UserError(
                _("{name} is broken and was left out when I started.").format(name=name.strip().casefold()),
                _("Whoever runs me finds the reason in the log and with `redlegion doctor`."),
            )
        raise UserError(
            _("There is no feature called {name}.").format(name=discord.utils.escape_markdown(name[:50])),
            _("Pick one of: {names}.").format(names=", ".join(features)),
        )
    if runtime.guilds.wanted(guild_id, manifest.name) is on:
        state = _("on") if on else _("off")
        await reply(
            interaction,
            _("**{title}** is already {state} here.").format(title=manifest.title, state=state),
            ephemeral=True,
        )
        return
    recorded = runtime.recorder.wants(guild_id)
    async with deferred_if_slow(interaction, ephemeral=True):
        synced = await runtime.switch(guild_id, manifest.name, on, interaction.user.id)
    missing = ", ".join(runtime.guilds.missing(guild_id, manifest.name))
    if on and missing:
        text = _("**{title}** will be on as soon as what it needs is on too: {missing}.").format(
            title=manifest.title, missing=missing
        )
    elif on:
        text = _("**{title}** is on. Its commands are in the menu now.").format(title=manifest.title)
    else:
        text = _("**{title}** is off. Its commands have left the menu; its data stays.").format(
            title=manifest.title
        )
    if recorded and not runtime.recorder.wants(guild_id):
        text += "\n" + _(
            "Nothing here records voice any more: time in voice does not count until such a feature is on "
            "again, and what is running waits."
        )
    if not synced:
        text += "\n" + _(
            "Discord has not taken the new menu yet; it will be sent again at the next change or restart."
        )
    await reply(interaction, text, ephemeral=True)


def _overview(runtime: Runtime, guild_id: int) -> discord.Embed:
    active = runtime.guilds.active(guild_id)
    embed = discord.Embed(title=_("Plugins in this server"), colour=discord.Colour.dark_red())
    features, libraries = [], []
    for name, plugin in runtime.manager.loaded.items():
        manifest = plugin.manifest
        if manifest.kind == "library":
            libraries.append(f"{manifest.title}: {_('in use') if name in active else _('not in use')}")
            continue
        mark = "🟢" if name in active else "⚪"
        line = f"{mark} **{manifest.title}** (`{name}`) — {manifest.summary}"
        if runtime.guilds.wanted(guild_id, name) and name not in active:
            line += "\n" + _("  wanted, but a feature that it needs is off")
        features.append(line)
    embed.description = "\n".join(features)[:4000] or _("No features are loaded.")
    if libraries:
        embed.add_field(name=_("Libraries, switched with their features"), value="\n".join(libraries)[:1024])
    # Why is for whoever runs the bot: the reason may show more of the machine than members should see.
    broken = [f"`{entry.name}`" for entry in runtime.manager.quarantined]
    if broken:
        embed.add_field(name=_("Not loaded"), value=", ".join(broken)[:1024], inline=False)
    embed.set_footer(text=_("/plugins enable and /plugins disable switch a feature (admins)."))
    return embed
