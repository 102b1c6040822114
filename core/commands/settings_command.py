"""`/plugins settings`: see and change what a plugin lets this server set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from pydantic import BaseModel

from core.commands.panels import MOST_TEXT, Interaction, button, fit, panel, place_of, rows, show
from core.commands.patience import deferred_if_slow
from core.commands.replies import modal_values, number_in, outdated, reply
from core.commands.settings_form import MARK, PER_FORM, changes_in, held, key_of, marks_of, settings_form
from core.commands.settings_panel import page_with, settings_panel
from core.errors import UserError
from core.guilds.drafts import Draft, find_draft, keep_draft
from core.guilds.ranks import requires
from core.guilds.settings import Stored
from core.guilds.settings_fields import SettingField, fields_of
from core.guilds.settings_text import Typed, read_typed
from core.guilds.settings_words import Problem, quoted, translated
from core.i18n import translate as _
from core.manifest import Component

if TYPE_CHECKING:
    from core.context import Context
    from core.runtime import Runtime


def add_settings(group: app_commands.Group) -> None:
    """Add `settings` to the group `/plugins`."""

    @group.command(name="settings", description="See and change what a feature lets this server set")
    @requires("admin")
    @app_commands.describe(plugin="Whose settings")
    async def settings(interaction: Interaction, plugin: str) -> None:
        runtime, guild_id = place_of(interaction)
        name = plugin.strip().casefold()
        stored = settings_of(runtime, guild_id, name)
        await reply(interaction, view=settings_panel(name, _title(runtime, name), stored), ephemeral=True)

    @settings.autocomplete("plugin")
    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        runtime, guild_id = place_of(interaction)
        return [
            app_commands.Choice(name=f"{_title(runtime, name)} ({name})", value=name)
            for name in adjustable(runtime, guild_id)
            if current.casefold() in f"{_title(runtime, name)} {name}".casefold()
        ][:25]


def adjustable(runtime: Runtime, guild_id: int) -> list[str]:
    """Return the plugins that are on in a guild and have something to set, in load order."""
    active = runtime.guilds.active(guild_id)
    return [
        name
        for name, loaded in runtime.manager.loaded.items()
        if name in active and loaded.settings_model is not None and loaded.settings_model.model_fields
    ]


def settings_of(runtime: Runtime, guild_id: int, name: str) -> Stored:
    """Return a plugin's settings here.

    :raises UserError: there is no such plugin, it is off here, or has nothing to set.
    """
    offered = adjustable(runtime, guild_id)
    if name in offered:
        return runtime.guilds.stored_settings(guild_id, name)
    loaded = runtime.manager.loaded.get(name)
    todo = (
        _("There are settings for: {names}.").format(names=", ".join(offered))
        if offered
        else _("Nothing that is on here has settings; /plugins list shows what there is.")
    )
    if loaded is None:
        raise UserError(_("There is no feature called {name}.").format(name=quoted(name)), todo)
    title = loaded.manifest.title
    if name in runtime.guilds.active(guild_id):
        raise UserError(_("{title} has no settings.").format(title=title), todo)
    raise UserError(
        _("{title} is switched off in this server.").format(title=title),
        _("Its settings are there again once it is on: /plugins enable."),
    )


async def turn_page(interaction: Interaction, ctx: Context, key: str) -> None:
    """Show another page of the panel."""
    name, _dot, page = key.partition(".")
    stored = settings_of(ctx.runtime, ctx.guild_id, name)
    await show(interaction, settings_panel(name, _title(ctx.runtime, name), stored, number_in(page)))


async def open_form(interaction: Interaction, ctx: Context, key: str) -> None:
    """Open the form for up to five settings."""
    name, _dot, number = key.partition(".")
    stored = settings_of(ctx.runtime, ctx.guild_id, name)
    first = number_in(number) * PER_FORM
    fields = fields_of(type(stored.values))[first : first + PER_FORM]
    typed = held(stored, fields, ctx.guild)
    if not typed:
        raise UserError(
            _("These settings cannot be changed in a form: they are too long for Discord, or there no more."),
            _("Run /plugins settings again to see what there is."),
        )
    await interaction.response.send_modal(
        settings_form(name, _title(ctx.runtime, name), stored, typed, marks_of(typed))
    )


async def save(interaction: Interaction, ctx: Context, key: str) -> None:
    """Take what was typed; what cannot be taken is kept for another try."""
    name, _dot, marks = key.partition(".")
    entered = modal_values(interaction)
    if len(marks) != MARK * len(entered):
        raise outdated()
    try:
        stored = settings_of(ctx.runtime, ctx.guild_id, name)
        typed = _by_field(stored, entered)
        values = _read(stored, changes_in(typed, marks))
        async with deferred_if_slow(interaction, ephemeral=True):
            await ctx.runtime.guilds.set_settings(ctx.guild_id, name, values, interaction.user.id)
    except UserError as error:
        draft = Draft(name, entered, marks)
        async with deferred_if_slow(interaction, ephemeral=True):
            await ctx.write(
                keep_draft, ctx.guild_id, interaction.id, interaction.user.id, draft, ctx.clock.now()
            )
        again = button(
            _("Open the form again"),
            "set_again",
            f"{name}.{interaction.id}",
            style=discord.ButtonStyle.primary,
        )
        words = ["### " + _("Not saved"), error.what, error.todo, _("What you typed is kept for a day.")]
        await reply(
            interaction, view=panel([fit("\n".join(words), MOST_TEXT), *rows([again])]), ephemeral=True
        )
        return
    await _show_after(interaction, ctx, name, list(values), next(iter(typed), ""))


async def reopen(interaction: Interaction, ctx: Context, key: str) -> None:
    """Open a form that could not be taken, as it was typed."""
    name, _dot, number = key.partition(".")
    stored = settings_of(ctx.runtime, ctx.guild_id, name)
    draft = await ctx.read(find_draft, ctx.guild_id, number_in(number), interaction.user.id)
    if draft is None:
        raise UserError(
            _("What was typed here is not kept any more."), _("Run /plugins settings to begin again.")
        )
    typed = _by_field(stored, draft.typed)
    await interaction.response.send_modal(
        settings_form(name, _title(ctx.runtime, name), stored, typed, draft.presented)
    )


async def reset(interaction: Interaction, ctx: Context, key: str) -> None:
    """Put one setting back to its default; without a field, forget what cannot be used."""
    name, _dot, wanted = key.partition(".")
    stored = settings_of(ctx.runtime, ctx.guild_id, name)
    names = [field.name for field in fields_of(type(stored.values)) if key_of(field.name) == wanted]
    if wanted and not names:
        raise UserError(_("This setting is not there any more."), _("Run /plugins settings again."))
    async with deferred_if_slow(interaction, ephemeral=True):
        await ctx.runtime.guilds.set_settings(ctx.guild_id, name, {}, interaction.user.id, reset=names)
    await _show_after(interaction, ctx, name, names, next(iter(names), ""))


def settings_components() -> list[Component]:
    """Return the handlers of the panel and its forms; all of them are for admins."""
    handlers = {
        "set_page": turn_page,
        "set_edit": open_form,
        "set_save": save,
        "set_again": reopen,
        "set_reset": reset,
    }
    return [Component(action=action, handler=handler, rank="admin") for action, handler in handlers.items()]


async def _show_after(
    interaction: Interaction, ctx: Context, name: str, changed: list[str], near: str
) -> None:
    stored = settings_of(ctx.runtime, ctx.guild_id, name)
    titles = [translated(f.title) for f in fields_of(type(stored.values)) if f.name in changed]
    note = _("✅ Saved: {names}.").format(names=", ".join(titles)) if titles else _("Nothing was changed.")
    page = page_with(stored, near)
    await show(interaction, settings_panel(name, _title(ctx.runtime, name), stored, page, note))


def _by_field(stored: Stored, entered: Mapping[str, Typed]) -> dict[str, Typed]:
    """Return what was typed by the names of fields.

    :raises UserError: the plugin has changed since the form was opened.
    """
    names = {key_of(field.name): field.name for field in fields_of(type(stored.values))}
    if not entered.keys() <= names.keys():
        raise UserError(
            _("The settings have changed with a newer version while the form was open."),
            _("Run /plugins settings again."),
        )
    return {names[key]: typed for key, typed in entered.items()}


def _read(stored: Stored, typed: Mapping[str, Typed]) -> dict[str, Any]:
    model: type[BaseModel] = type(stored.values)
    fields: dict[str, SettingField] = {field.name: field for field in fields_of(model)}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, each in typed.items():
        try:
            values[name] = read_typed(fields[name], each)
        except ValueError as error:
            problems.append(Problem(name, fields[name].title, str(error)))
    if problems:
        words = "\n".join(str(problem) for problem in problems)
        raise UserError(words, _("Nothing was changed; correct it and try again."))
    return values


def _title(runtime: Runtime, name: str) -> str:
    loaded = runtime.manager.loaded.get(name)
    return loaded.manifest.title if loaded is not None else name
