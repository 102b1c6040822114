"""The switch behind /plugins enable and /plugins disable, and what the admin is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import discord

from core.commands.facts import (
    budget_words,
    menu_words,
    permission_words,
    permissions_missing,
    runtime_of,
    trouble_of,
)
from core.commands.patience import deferred_if_slow
from core.commands.replies import LONGEST_TEXT, reply, shown
from core.errors import UserError
from core.events import SwitchedOff
from core.i18n import translate as _
from core.manifest import Component, Manifest, custom_id

if TYPE_CHECKING:
    from core.context import Context
    from core.guilds.opening import Switched
    from core.runtime import Runtime

Interaction = discord.Interaction[Any]

log = logging.getLogger(__name__)

ENABLE_NEEDED = "enable_needed"


def feature_named(runtime: Runtime, typed: str) -> Manifest:
    """Return the feature that somebody typed.

    :raises UserError: there is none of this name, or it cannot be switched by hand; it says why.
    """
    name = typed.strip().casefold()
    features: dict[str, Manifest] = {manifest.name: manifest for manifest in runtime.guilds.features()}
    if name in features:
        return features[name]
    loaded = runtime.manager.loaded.get(name)
    if loaded is not None:
        raise UserError(
            _("{title} is a library.").format(title=loaded.manifest.title),
            _("It is switched on and off by itself with the features that need it."),
        )
    if any(entry.name == name for entry in runtime.manager.quarantined):
        raise UserError(
            _("{name} is broken and was left out when I started.").format(name=name),
            _("Whoever runs me finds the reason in the log and with `redlegion doctor`."),
        )
    if any(entry.name == name for entry in runtime.manager.absent):
        raise UserError(
            _("{name} is left out for now, since I was started with --safe.").format(name=name),
            _("What this server has chosen stays as it is. Ask whoever runs me."),
        )
    raise UserError(
        _("There is no feature called {name}.").format(name=discord.utils.escape_markdown(typed.strip()[:50]))
        if name
        else _("No feature was named."),
        _("Pick one of: {names}.").format(names=", ".join(features))
        if features
        else _("No feature is loaded; whoever runs me names them in plugins.toml."),
    )


async def switch_and_tell(interaction: Interaction, typed: str, *, on: bool) -> None:
    """Switch a feature in the guild of an interaction and answer it.

    :raises UserError: what was typed is no feature.
    """
    runtime, guild_id = runtime_of(interaction)
    manifest = feature_named(runtime, typed)
    if runtime.guilds.wanted(guild_id, manifest.name) is on and not (
        on and runtime.guilds.missing(guild_id, manifest.name)
    ):
        text = _("**{title}** is already {state} here.").format(
            title=manifest.title, state=_("on") if on else _("off")
        )
        await reply(interaction, _lines(text, menu_words(runtime.menus.state(guild_id))), ephemeral=True)
        return
    await _switch(interaction, manifest, [manifest.name], on=on)


async def enable_needed(interaction: Interaction, context: Context, key: str) -> None:
    """Switch on a feature together with the features that it needs: the button of `switch_and_tell`.

    :param key: the feature's name.
    :raises UserError: it is no feature any more.
    """
    runtime, guild_id = context.runtime, context.guild_id
    manifest = feature_named(runtime, key)
    needed = runtime.guilds.missing(guild_id, manifest.name)
    if not needed and runtime.guilds.wanted(guild_id, manifest.name):
        await reply(
            interaction, _("**{title}** is already on here.").format(title=manifest.title), ephemeral=True
        )
        return
    in_order = [name for name in runtime.manager.loaded if name in needed]
    await _switch(interaction, manifest, [*in_order, manifest.name], on=True)


def switching_components() -> list[Component]:
    """Return the handlers of the buttons that this module sends."""
    return [Component(ENABLE_NEEDED, enable_needed, "admin")]


async def _switch(interaction: Interaction, manifest: Manifest, names: list[str], *, on: bool) -> None:
    runtime, guild_id = runtime_of(interaction)
    recorded = runtime.recorder.wants(guild_id)
    done = None
    async with deferred_if_slow(interaction, ephemeral=True):
        for name in names:
            done = await runtime.switch(guild_id, name, on, interaction.user.id)
        assert done is not None, "there is always the feature itself"
        unfinished = [] if on else await _unfinished(runtime, guild_id, done)
    if on:
        text, view = _switched_on(runtime, guild_id, manifest, done, names[:-1])
    else:
        text, view = _switched_off(runtime, manifest, done), None
    if recorded and not runtime.recorder.wants(guild_id):
        text = _lines(
            text,
            _(
                "Nothing here records voice any more: time in voice does not count until such a feature is "
                "on again, and what is running waits."
            ),
        )
    text = _lines(text, *unfinished, menu_words(done.menu), budget_words(done.menu))
    await reply(interaction, text[:LONGEST_TEXT], view=view, ephemeral=True)


async def _unfinished(runtime: Runtime, guild_id: int, done: Switched) -> list[str]:
    """Ask what goes on all the same; a plugin that cannot say holds nothing up."""
    event = SwitchedOff(guild_id, frozenset(done.went), runtime.recorder.wants(guild_id))
    active = runtime.guilds.active(guild_id)
    asked = [name for name in runtime.manager.loaded if name in event.plugins or name in active]
    answers = await asyncio.gather(
        *(runtime.dispatcher.ask(name, guild_id, "collect_unfinished", event) for name in asked),
        return_exceptions=True,
    )
    found = []
    for name, answer in zip(asked, answers, strict=True):
        if isinstance(answer, Exception):
            log.warning("%s could not say what goes on in guild %d: %r", name, guild_id, answer)
        elif isinstance(answer, str):
            found.append(answer)
    return found


def _switched_on(
    runtime: Runtime, guild_id: int, manifest: Manifest, done: Switched, along: list[str]
) -> tuple[str, discord.ui.View | None]:
    missing = runtime.guilds.missing(guild_id, manifest.name)
    if missing:
        titles = ", ".join(_title(runtime, name) for name in missing)
        text = _("**{title}** will be on as soon as what it needs is on too: {missing}.").format(
            title=manifest.title, missing=titles
        )
        view = discord.ui.View(timeout=None)
        view.add_item(
            discord.ui.Button(
                label=_("Switch on {titles} too").format(titles=titles)[:80],
                style=discord.ButtonStyle.primary,
                custom_id=custom_id("core", ENABLE_NEEDED, manifest.name),
            )
        )
        return text, shown(view)
    text = _("**{title}** is on.").format(title=manifest.title)
    if along:
        text += " " + _("So is what it needs: {titles}.").format(
            titles=", ".join(_title(runtime, name) for name in along)
        )
    commands = _have_commands(runtime, (manifest.name, *along, *done.came))
    if commands and done.menu.status == "current":
        text += " " + _("Its commands are in the menu now.")
    elif commands and done.menu.status == "soon":
        text += " " + _("Its commands are in the menu in a moment.")
    lacking = permissions_missing(runtime.bot.get_guild(guild_id), manifest)
    if lacking:
        text = _lines(
            text,
            _(
                "It needs permissions that I do not have in this server: {names}. Give them to my role, or "
                "in the channels where it is used."
            ).format(names=permission_words(lacking)),
        )
    for name in done.faulty:
        trouble = trouble_of(runtime, guild_id, name) or _("whoever runs me finds it in the log")
        text = _lines(
            text,
            _("{title} had a fault when it was switched on: {trouble}.").format(
                title=_title(runtime, name), trouble=trouble
            ),
        )
    return text, None


def _switched_off(runtime: Runtime, manifest: Manifest, done: Switched) -> str:
    text = _("**{title}** is off.").format(title=manifest.title) + " "
    if not _have_commands(runtime, (manifest.name, *done.went)):
        text += _("Its data stays.")
    elif done.menu.status == "current":
        text += _("Its commands have left the menu; its data stays.")
    else:
        text += _("Its commands leave the menu in a moment and do nothing from now on; its data stays.")
    loaded = runtime.manager.loaded
    others = [n for n in done.went if n != manifest.name and loaded[n].manifest.kind == "feature"]
    if others:
        text = _lines(
            text,
            _("What needs it is off too, until it is on again: {titles}.").format(
                titles=", ".join(_title(runtime, name) for name in others)
            ),
        )
    return text


def _have_commands(runtime: Runtime, plugins: Iterable[str]) -> bool:
    return any(runtime.manager.loaded[name].commands for name in plugins)


def _title(runtime: Runtime, plugin: str) -> str:
    return runtime.manager.loaded[plugin].manifest.title


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)
