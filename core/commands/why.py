"""`/plugins why`: check by check, why a member can or cannot run a command here."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord

from core.commands.facts import menu_words, rank_held, reason_in_short, runtime_of, trouble_of
from core.commands.overrides import Asker, hidden_by
from core.commands.replies import UNREACHABLE
from core.commands.table import CORE, Owner
from core.errors import UserError
from core.guilds.ranks import Rank
from core.i18n import translate as _

if TYPE_CHECKING:
    from core.runtime import Runtime

Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a command needs.

    :param met: None when it could not be found out.
    """

    met: bool | None
    words: str

    def __str__(self) -> str:
        return f"{'✅' if self.met else '❔' if self.met is None else '❌'} {self.words}"


async def why(interaction: Interaction, typed: str, member: discord.Member | None) -> discord.Embed:
    """Return the checks of one command for one member.

    :param typed: the command's words, with or without the slash.
    :param member: None for who asks.
    :raises UserError: no such command, or the asker may not ask about somebody else.
    """
    runtime, guild_id = runtime_of(interaction)
    asked = member if member is not None else interaction.user
    if asked.id != interaction.user.id and not rank_held(interaction).includes(Rank.OFFICER):
        raise UserError(
            _("Only officers may ask about somebody else."), _("Leave the member out to ask about yourself.")
        )
    path = " ".join(typed.strip().lstrip("/").casefold().split())
    owner = runtime.commands.owners.get(path)
    if owner is None:
        raise UserError(*_unknown(runtime, guild_id, path, rank_held(interaction)))
    permissions = interaction.permissions
    if asked.id != interaction.user.id:
        permissions = getattr(asked, "resolved_permissions", None) or discord.Permissions.none()
    checks = [
        *_of_plugin(runtime, guild_id, owner),
        _of_rank(runtime, guild_id, owner, asked, permissions),
        _of_menu(runtime, guild_id),
    ]
    at_discord = await _at_discord(interaction, path, owner, asked, permissions)
    if at_discord is not None:
        checks.append(at_discord)
    met = all(check.met is not False for check in checks)
    verdict = _("{name} can run it here.") if met else _("{name} cannot run it here.")
    return discord.Embed(
        title=f"/{path}",
        description="\n".join(
            [verdict.format(name=discord.utils.escape_markdown(asked.display_name)), "", *map(str, checks)]
        ),
        colour=discord.Colour.dark_red(),
    )


def _unknown(runtime: Runtime, guild_id: int, path: str, rank: Rank) -> tuple[str, str]:
    if not path:
        return _("No command was named."), _("/help shows what you can use here.")
    what = _("/{path} is not a command of mine.").format(path=discord.utils.escape_markdown(path[:100]))
    near = difflib.get_close_matches(path, runtime.commands.owners, n=3, cutoff=0.5)
    if near:
        return what, _("Did you mean {names}?").format(names=", ".join(f"/{name}" for name in near))
    broken = [f"{entry.name}: {reason_in_short(entry.reason)}" for entry in runtime.manager.absent]
    if broken and rank.includes(Rank.ADMIN):
        return what, _("It may belong to a plugin that was left out when I started: {names}").format(
            names="; ".join(broken)[:1000]
        )
    return what, _("/help shows what you can use here.")


def _of_plugin(runtime: Runtime, guild_id: int, owner: Owner) -> list[Check]:
    if owner.plugin == CORE:
        return [Check(True, _("It is a command of mine that is on in every server."))]
    plugin = runtime.manager.loaded.get(owner.plugin)
    if plugin is None:
        return [Check(False, _("The plugin {name} is not loaded.").format(name=owner.plugin))]
    title = plugin.manifest.title
    checks = [Check(True, _("{title} is loaded.").format(title=title))]
    if owner.plugin in runtime.guilds.active(guild_id):
        checks.append(Check(True, _("It is on in this server.")))
    elif plugin.manifest.kind == "library":
        users = ", ".join(runtime.guilds.users_of(owner.plugin)) or _("no feature")
        checks.append(
            Check(False, _("It is off here, as no feature that uses it is on: {names}.").format(names=users))
        )
    elif runtime.guilds.wanted(guild_id, owner.plugin):
        needed = ", ".join(
            runtime.manager.loaded[n].manifest.title for n in runtime.guilds.missing(guild_id, owner.plugin)
        )
        checks.append(Check(False, _("It is wanted, but off while {names} is off.").format(names=needed)))
    else:
        checks.append(Check(False, _("It is off here; an admin switches it on with /plugins enable.")))
    trouble = trouble_of(runtime, guild_id, owner.plugin)
    if trouble is not None:
        # Its commands still work; what they rest on may be behind.
        checks.append(Check(None, _("It is not well: {trouble}.").format(trouble=trouble)))
    else:
        checks.append(Check(True, _("It is healthy.")))
    if guild_id in runtime.opener.failed:
        checks.append(Check(None, _("This server could not be put in order; it is tried again by itself.")))
    return checks


def _of_rank(
    runtime: Runtime,
    guild_id: int,
    owner: Owner,
    member: discord.Member | discord.User,
    permissions: discord.Permissions,
) -> Check:
    held = runtime.guilds.rank_of(guild_id, member, permissions)
    words = _("It needs the rank {needed}; the member's is {held}.").format(
        needed=owner.rank.value, held=held.value
    )
    return Check(held.includes(owner.rank), words)


def _of_menu(runtime: Runtime, guild_id: int) -> Check:
    words = menu_words(runtime.menus.state(guild_id))
    # An old menu hides or shows too much; the command itself is checked when it is run.
    return Check(None, words) if words else Check(True, _("The menu at Discord is up to date."))


async def _at_discord(
    interaction: Interaction,
    path: str,
    owner: Owner,
    member: discord.Member | discord.User,
    permissions: discord.Permissions,
) -> Check | None:
    """Ask Discord what the server's own settings say (Server Settings, Integrations).

    :returns: None where the menu lacks the command as it should, its plugin being off.
    """
    runtime, guild_id = runtime_of(interaction)
    http, application_id = runtime.bot.http, interaction.application_id
    try:
        if owner.plugin == CORE:
            menu: Any = await http.get_global_commands(application_id)
        else:
            menu = await http.get_guild_commands(application_id, guild_id)
        listed: Any = await http.get_guild_application_command_permissions(application_id, guild_id)
    except UNREACHABLE:
        return Check(None, _("Discord could not be asked whether the server's own settings hide it."))
    top = path.partition(" ")[0]
    command_id = next((int(each["id"]) for each in menu if each["name"] == top), None)
    if command_id is None and owner.plugin not in {CORE, *runtime.guilds.active(guild_id)}:
        return None
    if command_id is None:
        return Check(False, _("Discord has no /{name} in this server's menu.").format(name=top))
    channel = interaction.channel
    parent = channel.parent_id if isinstance(channel, discord.Thread) else interaction.channel_id
    asker = Asker(
        guild_id,
        member.id,
        [role.id for role in member.roles if role.id != guild_id]
        if isinstance(member, discord.Member)
        else [],
        parent or 0,
        permissions.administrator,
    )
    words = {
        "channel": _("The server's settings for integrations switch it off in this channel."),
        "user": _("The server's settings for integrations hide it from this member."),
        "role": _("The server's settings for integrations hide it from this member's roles."),
        "everyone": _("The server's settings for integrations hide it from everyone else."),
    }
    hidden = hidden_by(listed, command_id, application_id, asker)
    if hidden is not None:
        return Check(False, words[hidden])
    return Check(True, _("The server's own settings at Discord do not hide it."))
