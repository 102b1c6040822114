"""What the core says of a plugin in a guild: is it on, is it well, what may the bot do for it, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import discord

from core.commands.budget import LIMIT, NEAR
from core.commands.menus import MenuState
from core.guilds.ranks import Rank
from core.i18n import translate as _
from core.manifest import Manifest

if TYPE_CHECKING:
    from core.runtime import Runtime

Interaction = discord.Interaction[Any]

#: Characters of a quarantine's reason that an admin is shown; the log has all of it.
LONGEST_REASON = 200
_FOLDERS = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.@~+-]+)+[/\\]")
#: Permissions that Discord's settings call by another name than its interface for bots.
_NAMES = {
    "manage_guild": "Manage Server",
    "view_channel": "View Channels",
    "read_messages": "View Channels",
    "moderate_members": "Time out members",
    "stream": "Video",
    "use_voice_activation": "Use Voice Activity",
}


def runtime_of(interaction: Interaction) -> tuple[Runtime, int]:
    """Return the process and the guild of an interaction that has passed the guard."""
    guild_id = interaction.guild_id
    assert guild_id is not None, "the guard lets nobody pass outside a guild"
    return cast("Runtime", interaction.client.runtime), guild_id


def rank_held(interaction: Interaction) -> Rank:
    """Return the rank of the member who asks."""
    runtime, guild_id = runtime_of(interaction)
    return runtime.guilds.rank_of(guild_id, interaction.user, interaction.permissions)


def moment(at: datetime) -> str:
    """Return a time as Discord shows it to each member: "in 5 minutes"."""
    return discord.utils.format_dt(at, "R")


def permission_words(names: Iterable[str]) -> str:
    """Return permissions as Discord's settings call them, such as "Attach Files, Connect"."""
    return ", ".join(dict.fromkeys(_NAMES.get(name, name.replace("_", " ").title()) for name in names))


def permissions_missing(guild: discord.Guild | None, manifest: Manifest) -> list[str]:
    """Return the permissions that a plugin asks for and that the bot lacks in the guild as a whole."""
    # Not in the cache: nothing is known, so nothing is said.
    member: discord.Member | None = guild.me if guild is not None else None
    if member is None:
        return []
    held = member.guild_permissions
    return [name for name in manifest.permissions if not getattr(held, name)]


def trouble_of(runtime: Runtime, guild_id: int, plugin: str) -> str | None:
    """Say why a plugin is not well in a guild, or None."""
    for breaker in runtime.dispatcher.breakers():
        if (breaker.plugin, breaker.guild_id) == (plugin, guild_id):
            return _("it failed {n} times in a row and gets no events; it is tried again {when}").format(
                n=breaker.failures, when=moment(breaker.opens_again)
            )
    if any((lane.plugin, lane.guild_id) == (plugin, guild_id) for lane in runtime.dispatcher.hung()):
        return _("something that it began does not end; it gets no events until then")
    return None


def reason_in_short(reason: str) -> str:
    """Return a quarantine's reason for a guild's admin: the start of it, without the machine's folders."""
    words = discord.utils.escape_markdown(_FOLDERS.sub("…/", " ".join(reason.split())))
    return words if len(words) <= LONGEST_REASON else f"{words[: LONGEST_REASON - 1]}…"


def menu_words(state: MenuState) -> str:
    """Say how the guild's menu stands, in one sentence; nothing while it is right."""
    when = moment(state.again_at) if state.again_at is not None else _("in a moment")
    match state.status:
        case "current":
            return ""
        case "soon":
            return _("The menu is sent to Discord {when}.").format(when=when)
        case "full":
            return _(
                "Discord allows only so many new commands a day in one server, and they are used up: those "
                "that are new here come into the menu {when}, by themselves."
            ).format(when=when)
        case _:
            return _("Discord has not taken the new menu: {problem} It is sent again {when}.").format(
                problem=state.problem or "", when=when
            )


def budget_words(state: MenuState) -> str:
    """Warn of the day's budget of new commands once it is near its end; nothing before."""
    if state.spent < NEAR or state.status == "full":
        return ""
    return _(
        "Take care: {spent} of the {limit} new commands that a server's menu may get in 24 hours are used. "
        "When they are all used, switches still work at once, but new commands come into the menu later."
    ).format(spent=state.spent, limit=LIMIT)
