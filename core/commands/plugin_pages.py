"""What /plugins list and /plugins info show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord

from core.commands.budget import LIMIT
from core.commands.facts import (
    menu_words,
    permission_words,
    permissions_missing,
    reason_in_short,
    trouble_of,
)
from core.commands.menus import GLOBAL
from core.errors import UserError
from core.guilds.ranks import Rank
from core.i18n import plural
from core.i18n import translate as _
from core.plugins import LoadedPlugin

if TYPE_CHECKING:
    from core.jobs.store import JobState
    from core.runtime import Runtime

#: Characters of the features' list and of a field: together they stay below an embed's 6,000.
FEATURES, FIELD = 3_500, 1_024


def overview(runtime: Runtime, guild_id: int) -> discord.Embed:
    """Return all plugins with a mark: on, on but not well, or off."""
    active = runtime.guilds.active(guild_id)
    embed = discord.Embed(title=_("Plugins in this server"), colour=discord.Colour.dark_red())
    features, libraries = [], []
    for name, plugin in runtime.manager.loaded.items():
        manifest = plugin.manifest
        trouble = trouble_of(runtime, guild_id, name) if name in active else None
        if manifest.kind == "library":
            words = _("in use") if name in active else _("not in use")
            libraries.append(f"{manifest.title}: {words}" + (f" — 🟠 {trouble}" if trouble else ""))
            continue
        mark = "⚪" if name not in active else "🟢" if trouble is None else "🟠"
        line = f"{mark} **{manifest.title}** (`{name}`) — {manifest.summary}"
        if trouble is not None:
            line += "\n  " + trouble
        if runtime.guilds.wanted(guild_id, name) and name not in active:
            line += "\n" + _("  wanted, but a feature that it needs is off")
        features.append(line)
    embed.description = fitting(features, FEATURES) or _("No features are loaded.")
    if libraries:
        embed.add_field(
            name=_("Libraries, switched with their features"), value=fitting(libraries, FIELD), inline=False
        )
    # Why is for admins: see `info`.
    broken = list(dict.fromkeys(f"`{entry.name}`" for entry in runtime.manager.absent))
    if broken:
        embed.add_field(name=_("Not loaded"), value=fitting(broken, FIELD), inline=False)
    embed.set_footer(text=_("/plugins info tells more; /plugins enable and disable switch (admins)."))
    return embed


def info(
    runtime: Runtime, guild_id: int, typed: str, rank: Rank, given_up: Sequence[JobState] = ()
) -> discord.Embed:
    """Return all that there is to say of one plugin here.

    :param rank: of who asks; why something is broken is for admins.
    :param given_up: the jobs of this guild that failed for good, for admins.
    :raises UserError: there is no such plugin.
    """
    name = typed.strip().casefold()
    plugin = runtime.manager.loaded.get(name)
    if plugin is not None:
        return _info(runtime, guild_id, plugin, rank, [job for job in given_up if job.plugin == name])
    reasons = [entry.reason for entry in runtime.manager.absent if entry.name == name]
    if not name:
        raise UserError(_("No plugin was named."), _("/plugins list shows them all."))
    if not reasons:
        raise UserError(
            _("There is no plugin called {name}.").format(
                name=discord.utils.escape_markdown(typed.strip()[:50])
            ),
            _("/plugins list shows them all."),
        )
    embed = discord.Embed(title=name, colour=discord.Colour.dark_red())
    embed.add_field(
        name=_("State"),
        value="\n".join(
            [
                _fact(_("Wanted"), runtime.guilds.wanted(guild_id, name)),
                _fact(_("Loaded"), False, _("it was left out when I started")),
            ]
        ),
        inline=False,
    )
    embed.add_field(
        name=_("Why"),
        value="\n".join(reason_in_short(reason) for reason in reasons[:3])
        if rank.includes(Rank.ADMIN)
        else _("Admins are shown the reason here."),
        inline=False,
    )
    embed.set_footer(text=_("Whoever runs me finds more in the log and with `redlegion doctor`."))
    return embed


def _info(
    runtime: Runtime, guild_id: int, plugin: LoadedPlugin, rank: Rank, given_up: Sequence[JobState]
) -> discord.Embed:
    manifest = plugin.manifest
    embed = discord.Embed(
        title=manifest.title, description=manifest.summary, colour=discord.Colour.dark_red()
    )
    for title, value in (
        (_("State"), _state(runtime, guild_id, plugin)),
        (_("Needs"), _needs(runtime, guild_id, plugin)),
        (_("My permissions"), _permissions(runtime, guild_id, plugin)),
        (_("Commands"), _commands(runtime, plugin)),
        (_("Personal data"), manifest.personal_data),
        (_("Menu at Discord"), _menu(runtime, guild_id, rank)),
    ):
        embed.add_field(name=title, value=value[:FIELD], inline=False)
    if given_up:
        embed.add_field(name=_("Jobs that were given up"), value=_given_up(given_up), inline=False)
    kind = _("feature") if manifest.kind == "feature" else _("library")
    embed.set_footer(text=f"{manifest.name} {manifest.version} · {kind}")
    return embed


def _state(runtime: Runtime, guild_id: int, plugin: LoadedPlugin) -> str:
    name, active = plugin.name, plugin.name in runtime.guilds.active(guild_id)
    if plugin.manifest.kind == "library":
        users = ", ".join(runtime.guilds.users_of(name)) or _("no feature")
        wanted = _fact(_("Wanted"), active, _("by the features that use it: {names}").format(names=users))
    elif runtime.guilds.wanted(guild_id, name) and not active:
        wanted = _fact(_("Wanted"), True, _("but a feature that it needs is off"))
    else:
        wanted = _fact(_("Wanted"), active)
    trouble = trouble_of(runtime, guild_id, name)
    lines = [
        wanted,
        _fact(_("Loaded"), True, _("version {version}").format(version=plugin.manifest.version)),
        _fact(_("Healthy"), trouble is None, trouble or ""),
    ]
    if guild_id in runtime.opener.failed:
        lines.append(_("This server could not be put in order; it is tried again by itself."))
    return "\n".join(lines)


def _fact(what: str, true: bool, more: str = "") -> str:
    answer = _("yes") if true else _("no")
    words = f"{'✅' if true else '❌'} {what}: {answer}"
    return f"{words}, {more}" if more else words


def _needs(runtime: Runtime, guild_id: int, plugin: LoadedPlugin) -> str:
    active = runtime.guilds.active(guild_id)
    needed = runtime.manager.needs(plugin.name)
    on, off = _("on"), _("off")
    words = [
        f"{each.manifest.title} ({on if name in active else off})"
        for name, each in runtime.manager.loaded.items()
        if name in needed
    ]
    return ", ".join(words) or _("No other plugin.")


def _permissions(runtime: Runtime, guild_id: int, plugin: LoadedPlugin) -> str:
    if not plugin.manifest.permissions:
        return _("It needs none.")
    missing = permissions_missing(runtime.bot.get_guild(guild_id), plugin.manifest)
    if not missing:
        return _("I have all that it needs: {names}.").format(
            names=permission_words(plugin.manifest.permissions)
        )
    return _("Missing in this server as a whole: {names}. Some channels may grant them.").format(
        names=permission_words(missing)
    )


def _commands(runtime: Runtime, plugin: LoadedPlugin) -> str:
    lines = [
        f"`/{path}` ({owner.rank.value})"
        for path, owner in sorted(runtime.commands.owners.items())
        if owner.plugin == plugin.name
    ]
    return fitting(lines, FIELD) or _("None.")


def _given_up(jobs: Sequence[JobState]) -> str:
    lines = [
        f"`{job.name}` {discord.utils.format_dt(job.due, 'f')}: "
        + discord.utils.escape_markdown((job.last_error or "?")[:150])
        for job in jobs
    ]
    todo = _("Whoever runs me can try them again with `redlegion jobs retry`.")
    return fitting(lines, 700 - len(todo)) + "\n" + todo


def _menu(runtime: Runtime, guild_id: int, rank: Rank) -> str:
    state = runtime.menus.state(guild_id)
    words = menu_words(state) or _("It is up to date.")
    if own := menu_words(runtime.menus.state(GLOBAL)):
        words += " " + _("My own commands, which are the same everywhere: {words}").format(words=own)
    if rank.includes(Rank.ADMIN):
        words += " " + _("New commands in the last 24 hours: {spent} of {limit}.").format(
            spent=state.spent, limit=LIMIT
        )
    return words


def fitting(lines: list[str], limit: int) -> str:
    """Return as many lines as fit, and how many more there are."""
    whole = "\n".join(lines)
    if len(whole) <= limit:
        return whole
    kept: list[str] = []
    # Room for the last line, which says what is left out.
    room = limit - 40
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return "\n".join([*kept, plural(left, "… and {n} more", "… and {n} more").format(n=left)])
