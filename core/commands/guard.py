"""The guard: toggle, rank and guild are checked on every command, autocomplete and component."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from core.commands.patience import deferred_if_slow
from core.commands.replies import refuse, report
from core.commands.table import CORE, Owner, path_of
from core.guilds.ranks import Rank, whom_to_ask
from core.i18n import set_locale
from core.i18n import translate as _
from core.names import account_name
from core.scope import Scope, current

if TYPE_CHECKING:
    from core.runtime import Runtime

Interaction = discord.Interaction[Any]

#: Real seconds after which any command that has said nothing is deferred; Discord gives up after three.
LAST_MOMENT = 2.2


async def admitted(runtime: Runtime, interaction: Interaction, owner: Owner, what: str) -> bool:
    """Say whether the member may use `what`; if not, the member has been told why.

    Sets the scope and the locale for the rest of the task.

    :param what: the command's words or the component's custom id, for logs.
    """
    set_locale(interaction.locale.value)
    if interaction.guild_id is None:
        await refuse(interaction, _("This works only in a server."), _("Use it in one of its channels."))
        return False
    if runtime.closing:
        await refuse_for_stop(interaction)
        return False
    failed = interaction.guild_id in runtime.opener.failed
    # The core's own commands work all the same: with them an admin sees what is wrong.
    spared = failed and owner.plugin == CORE and runtime.guilds.known(interaction.guild_id)
    if not spared and not await runtime.opener.wait(interaction.guild_id, 2.0):
        if failed:
            await refuse(
                interaction,
                _("I could not get ready in this server."),
                _("I try again by myself; try your command again in a few minutes."),
            )
            return False
        await refuse(
            interaction, _("I have just started and am still getting ready."), _("Try again in a moment.")
        )
        return False
    if owner.plugin != CORE and owner.plugin not in runtime.guilds.active(interaction.guild_id):
        plugin = runtime.manager.loaded.get(owner.plugin)
        title = plugin.manifest.title if plugin is not None else owner.plugin
        await refuse(
            interaction,
            _("{title} is switched off in this server.").format(title=title),
            _("An admin can switch it on with /plugins enable.")
            if plugin is None or plugin.manifest.kind == "feature"
            else _(
                "It is on with the features that use it: {names}. "
                "An admin switches one on with /plugins enable."
            ).format(names=", ".join(runtime.guilds.users_of(owner.plugin))),
        )
        return False
    held = runtime.guilds.rank_of(interaction.guild_id, interaction.user, interaction.permissions)
    if not held.includes(Rank(owner.rank)):
        await refuse(
            interaction,
            _("This needs the rank {needed}; yours is {held}.").format(
                needed=owner.rank.value, held=held.value
            ),
            whom_to_ask(Rank(owner.rank), runtime.guilds.ranks(interaction.guild_id)),
        )
        return False
    runtime.names.saw(interaction.user.id, account_name(interaction.user))
    current.set(Scope(owner.plugin, interaction.guild_id, what, interaction.locale.value))
    return True


async def refuse_for_stop(interaction: Interaction) -> None:
    """Tell the member that the bot is about to stop, while it can still be told."""
    if not interaction.client.is_closed():
        await refuse(interaction, _("I am being restarted."), _("Try again in a minute."))


class GuardedTree(app_commands.CommandTree[Any]):
    """discord.py's command tree with our guard in front and our answers behind."""

    def __init__(self, client: discord.Client, runtime: Runtime) -> None:
        super().__init__(client)
        self._runtime = runtime

    async def interaction_check(self, interaction: Interaction) -> bool:
        """Admit or refuse a command or an autocomplete."""
        self._runtime.tasks.track_current()
        path = path_of(interaction.data or {})
        owner = self._runtime.commands.owners.get(path)
        if owner is None:
            set_locale(interaction.locale.value)
            await refuse(
                interaction,
                _("/{path} is not a command of mine any more.").format(path=path),
                _("Close and open the command menu to refresh it, or ask an admin for /plugins list."),
            )
            return False
        try:
            return await admitted(self._runtime, interaction, owner, f"/{path}")
        except Exception as error:
            await report(interaction, error)
            return False

    async def _call(self, interaction: Interaction) -> None:
        """Run a command or an autocomplete; discord.py has no public place around both."""
        try:
            if interaction.type is discord.InteractionType.autocomplete:
                await super()._call(interaction)
            else:
                # A command that knows nothing of slow databases is still answered in time.
                async with deferred_if_slow(interaction, ephemeral=True, after=LAST_MOMENT):
                    await super()._call(interaction)
        # A plugin's SystemExit would end the event loop, and with it the process.
        except SystemExit as error:
            await report(interaction, error)
        except asyncio.CancelledError:
            await refuse_for_stop(interaction)
            raise
        if interaction.type is discord.InteractionType.autocomplete:
            # One that failed is in the log; the member sees no choices instead of an error.
            await refuse(interaction, "")
        elif not interaction.response.is_done() and not interaction.command_failed:
            path = path_of(interaction.data or {})
            await report(interaction, RuntimeError(f"/{path} ended without an answer"))

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        """Answer a command that raised."""
        match error:
            case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
                await refuse(
                    interaction,
                    _("This command has changed since your menu was loaded."),
                    _("Close and open the command menu to refresh it, then try again."),
                )
            case app_commands.TransformerError():
                await refuse(
                    interaction,
                    _("{value} cannot be used here.").format(value=error.value),
                    _("Pick one of the values that the menu offers."),
                )
            case _:
                await report(interaction, error)
