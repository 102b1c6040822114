"""Sends every button, select and modal to the plugin named in its custom id.

State lives in the database, so a component works after a restart; discord.py's own views forget.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import discord

from core.commands.guard import admitted, refuse_for_stop
from core.commands.replies import outdated, refuse, report
from core.commands.table import CORE, Owner
from core.guilds.ranks import Rank
from core.i18n import set_locale
from core.manifest import Component

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)


class ComponentRouter:
    """Finds the handler of a custom id `plugin:action:key` and calls it behind the guard.

    :param core: handlers of `core:action:key`, the core's own components.
    """

    def __init__(self, runtime: Runtime, core: Iterable[Component] = ()) -> None:
        self._runtime = runtime
        self._core = {component.action: component for component in core}

    def takes(self, interaction: discord.Interaction[Any]) -> bool:
        """Say whether an interaction is a component or a modal."""
        return interaction.type in (
            discord.InteractionType.component,
            discord.InteractionType.modal_submit,
        )

    async def route(self, interaction: discord.Interaction[Any]) -> None:
        """Call the handler; whatever goes wrong is answered."""
        data: Any = interaction.data or {}
        custom_id = str(data.get("custom_id", ""))
        plugin, _colon, rest = custom_id.partition(":")
        action, _colon, key = rest.partition(":")
        component = self._find(plugin, action)
        if component is None:
            set_locale(interaction.locale.value)
            log.warning("no component answers to %r", custom_id)
            error = outdated()
            await refuse(interaction, error.what, error.todo)
            return
        try:
            if await admitted(
                self._runtime, interaction, Owner(plugin, Rank(component.rank)), f"{plugin}:{action}"
            ):
                context = self._runtime.context_for(plugin, interaction.guild_id or 0)
                await component.handler(interaction, context, key)
                if not interaction.response.is_done():
                    # Nothing to say is an answer too; without one Discord calls it a failure.
                    await interaction.response.defer()
        # A plugin's SystemExit would end the event loop, and with it the process.
        except (Exception, SystemExit) as error:
            await report(interaction, error)
        except asyncio.CancelledError:
            await refuse_for_stop(interaction)
            raise

    def _find(self, plugin: str, action: str) -> Component | None:
        if plugin == CORE:
            return self._core.get(action)
        loaded = self._runtime.manager.loaded.get(plugin)
        return loaded.components.get(action) if loaded is not None else None
