"""`/plugins export` and `/plugins purge`: a plugin's data in this server, as a file, and away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from core.commands.panels import Interaction, fit, place_of
from core.commands.patience import deferral_settled, deferred_if_slow
from core.commands.privacy_command import as_files, send_files
from core.commands.replies import modal_values, reply, shown
from core.commands.table import CORE
from core.errors import UserError
from core.guilds.ranks import Rank, requires
from core.guilds.settings_words import quoted
from core.i18n import plural
from core.i18n import translate as _
from core.manifest import Component, custom_id
from core.privacy import purging
from core.privacy.files import jsonable

if TYPE_CHECKING:
    from core.context import Context
    from core.database import Schema
    from core.plugins import LoadedPlugin
    from core.runtime import Runtime

PURGE = "purge"
_INPUT = "name"


def add_data(group: app_commands.Group) -> None:
    """Add the two commands to `/plugins`."""

    @group.command(name="export", description="Get all that a plugin keeps in this server, as a file")
    @requires("admin")
    @app_commands.describe(plugin="Whose data")
    async def export(interaction: Interaction, plugin: str) -> None:
        await hand_out(interaction, plugin)

    @group.command(
        name="purge", description="Delete all that a plugin keeps in this server; only after an export"
    )
    @requires("admin")
    @app_commands.describe(plugin="Whose data; it must be off here")
    async def purge(interaction: Interaction, plugin: str) -> None:
        await ask(interaction, plugin)

    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        runtime, _guild_id = place_of(interaction)
        return [
            app_commands.Choice(name=fit(f"{loaded.manifest.title} ({name})", 100), value=name)
            for name, loaded in runtime.manager.loaded.items()
            if loaded.schema is not None
            and current.casefold() in f"{loaded.manifest.title} {name}".casefold()
        ][:25]

    export.autocomplete("plugin")(offer)
    purge.autocomplete("plugin")(offer)


def purge_components() -> list[Component]:
    """Return the handler of the form in which a purge is confirmed."""
    return [Component(PURGE, confirmed, Rank.ADMIN)]


async def hand_out(interaction: Interaction, typed: str) -> None:
    """Answer with all rows of a plugin in this server, and note that it was done.

    :raises UserError: there is no such plugin, or it cannot be told which rows are this server's.
    """
    runtime, guild_id = place_of(interaction)
    loaded, schema = keeper(runtime, typed)
    now = runtime.clock.now()
    async with deferred_if_slow(interaction, ephemeral=True):
        try:
            rows = await runtime.db.read(purging.rows_of, guild_id, schema, runtime.manager.schemas)
        except purging.NoGuild as error:
            raise _no_guild(loaded, error) from None
        document = {
            "plugin": loaded.name,
            "version": loaded.manifest.version,
            "guild_id": str(guild_id),
            "exported_at": now.isoformat(),
            "settings": _settings(runtime, guild_id, loaded),
            "jobs": await runtime.db.read(purging.jobs_of, guild_id, loaded.name),
            "tables": rows.tables,
        }
        files = as_files(f"{loaded.name}-{guild_id}", document)
    count = sum(rows.counts.values())
    text = plural(
        count,
        "All that {title} keeps in this server: {n} row.",
        "All that {title} keeps in this server: {n} rows.",
    ).format(title=loaded.manifest.title, n=count)
    await send_files(interaction, text, files)
    # Only now that the admin has it: an export that Discord did not take opens no way to a purge.
    await runtime.db.write(
        purging.note_export, guild_id, loaded.name, rows, interaction.user.id, now, key=guild_id
    )


async def ask(interaction: Interaction, typed: str) -> None:
    """Open the form in which the plugin's name is typed to confirm a purge.

    :raises UserError: what stands in the way, and what to do.
    """
    runtime, guild_id = place_of(interaction)
    loaded, schema = keeper(runtime, typed)
    try:
        rows = await runtime.db.read(
            purging.refuse_unready, guild_id, schema, runtime.manager.schemas, runtime.clock.now()
        )
    except _REFUSALS as error:
        # Nobody switches a plugin off, and exports it, to hear only then that there is nothing.
        if not isinstance(error, purging.Nothing):
            _refuse_if_on(runtime, guild_id, loaded)
        raise _refusal(runtime, loaded, error) from None
    _refuse_if_on(runtime, guild_id, loaded)
    count = sum(rows.counts.values())
    await deferral_settled(interaction)
    if interaction.response.is_done():
        raise UserError(
            _("Looking through the data took too long to open a form."), _("Try again in a moment.")
        )
    await interaction.response.send_modal(_form(loaded, count))


async def confirmed(interaction: Interaction, ctx: Context, key: str) -> None:
    """Delete a plugin's data: the form of `/plugins purge`.

    :param key: the plugin's name.
    :raises UserError: another name was typed, or what stands in the way now.
    """
    runtime, guild_id = ctx.runtime, ctx.guild_id
    loaded, schema = keeper(runtime, key)
    typed = str(modal_values(interaction).get(_INPUT, ""))
    if typed.strip().casefold() != loaded.name:
        raise UserError(
            _("You typed {typed}, not {name}, so nothing was deleted.").format(
                typed=quoted(typed), name=quoted(loaded.name)
            ),
            _("Run /plugins purge again if you mean it."),
        )
    _refuse_if_on(runtime, guild_id, loaded)
    async with deferred_if_slow(interaction, ephemeral=True):
        try:
            counts = await runtime.db.write(
                purging.purge,
                guild_id,
                schema,
                runtime.manager.schemas,
                switches_of(runtime, loaded),
                interaction.user.id,
                runtime.clock.now(),
                key=guild_id,
            )
        except _REFUSALS as error:
            raise _refusal(runtime, loaded, error) from None
    lines = [_("🗑️ Deleted what {title} kept in this server:").format(title=loaded.manifest.title)]
    lines += [f"- `{table}`: {count}" for table, count in counts.items()]
    lines.append(_("Its settings stay; so does the entry in /setup audit."))
    await reply(interaction, fit("\n".join(lines), 2_000), ephemeral=True)


def keeper(runtime: Runtime, typed: str) -> tuple[LoadedPlugin, Schema]:
    """Return a plugin that keeps tables, and its schema.

    :raises UserError: there is none of this name, it is broken, or it keeps none.
    """
    name = typed.strip().casefold()
    loaded = runtime.manager.loaded.get(name)
    keepers = [each.name for each in runtime.manager.loaded.values() if each.schema is not None]
    if loaded is None and any(entry.name == name for entry in runtime.manager.quarantined):
        raise UserError(
            _("{name} is broken and was left out when I started, so I do not know its tables.").format(
                name=quoted(name)
            ),
            _("Whoever runs me finds the reason in the log and with `redlegion doctor`."),
        )
    if loaded is None:
        raise UserError(
            _("There is no plugin called {name}.").format(name=quoted(typed.strip())),
            _("Pick one of: {names}.").format(names=", ".join(keepers)),
        )
    if loaded.schema is None:
        raise UserError(
            _("{title} keeps no tables of its own.").format(title=loaded.manifest.title),
            _("What it can be set to is in /plugins settings."),
        )
    return loaded, loaded.schema


def switches_of(runtime: Runtime, loaded: LoadedPlugin) -> list[str]:
    """Return the features with which a plugin is on: itself, or those that need a library."""
    if loaded.manifest.kind == "feature":
        return [loaded.name]
    return [m.name for m in runtime.guilds.features() if loaded.name in runtime.manager.needs(m.name)]


def _settings(runtime: Runtime, guild_id: int, loaded: LoadedPlugin) -> Any:
    if loaded.settings_model is None:
        return None
    return jsonable(runtime.guilds.plugin_settings(guild_id, loaded.name).model_dump(mode="json"))


def _refuse_if_on(runtime: Runtime, guild_id: int, loaded: LoadedPlugin) -> None:
    on = [name for name in switches_of(runtime, loaded) if runtime.guilds.wanted(guild_id, name)]
    if on:
        raise _still_on(runtime, loaded, on)


def _still_on(runtime: Runtime, loaded: LoadedPlugin, on: list[str]) -> UserError:
    titles = ", ".join(runtime.manager.loaded[name].manifest.title for name in on)
    return UserError(
        _("{title} is on in this server.").format(title=loaded.manifest.title),
        _("Switch off with /plugins disable first: {titles}.").format(titles=titles),
    )


_REFUSALS = (
    purging.NoGuild,
    purging.Circle,
    purging.StillOn,
    purging.Nothing,
    purging.NotExported,
    purging.Changed,
    purging.Rests,
)


def _refusal(runtime: Runtime, loaded: LoadedPlugin, error: Exception) -> UserError:
    title = loaded.manifest.title
    match error:
        case purging.NoGuild():
            return _no_guild(loaded, error)
        case purging.Circle():
            return UserError(
                _("Tables of {title} refer to each other in a circle: {tables}.").format(
                    title=title, tables=error
                ),
                _("Only its author can take its data apart."),
            )
        case purging.StillOn():
            return _still_on(runtime, loaded, switches_of(runtime, loaded))
        case purging.Nothing():
            return UserError(
                _("{title} keeps nothing in this server.").format(title=title),
                _("There is nothing to delete."),
            )
        case purging.NotExported():
            return UserError(
                _("Nobody has exported the data of {title} within the last day.").format(title=title),
                _("Run /plugins export first and keep the file."),
            )
        case purging.Changed():
            return UserError(
                _("The data of {title} has changed since it was exported.").format(title=title),
                _("Run /plugins export again and keep the new file."),
            )
        case purging.Rests(plugin=str(other), count=count):
            name = runtime.manager.loaded[other].manifest.title
            return UserError(
                plural(
                    count,
                    "{n} row of {other} rests on the data of {title}.",
                    "{n} rows of {other} rest on the data of {title}.",
                ).format(n=count, other=name, title=title),
                _("Export and purge {other} first.").format(other=name),
            )
    return UserError(
        _("Data of a plugin that is not loaded rests on the data of {title}.").format(title=title),
        _("Whoever runs me can load that plugin; then its data can be purged first."),
    )


def _no_guild(loaded: LoadedPlugin, error: purging.NoGuild) -> UserError:
    return UserError(
        _("{title} keeps data that belongs to no single server: {tables}.").format(
            title=loaded.manifest.title, tables=error
        ),
        _("So it can neither be exported nor purged for one; it is in every backup."),
    )


def _form(loaded: LoadedPlugin, count: int) -> discord.ui.Modal:
    modal = discord.ui.Modal(
        title=fit(_("Delete data of {title}").format(title=loaded.manifest.title), 45),
        custom_id=custom_id(CORE, PURGE, loaded.name),
        timeout=None,
    )
    words = plural(
        count,
        "{n} row goes for good. Type {name} to delete it.",
        "{n} rows go for good. Type {name} to delete them.",
    ).format(n=count, name=loaded.name)
    modal.add_item(
        discord.ui.Label(
            text=_("Name of the plugin"),
            description=fit(words, 100),
            component=discord.ui.TextInput(custom_id=_INPUT, max_length=60),
        )
    )
    return shown(modal)
