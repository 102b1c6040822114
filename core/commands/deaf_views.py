"""Keeps discord.py from answering components by itself, past the guard and past the plugin that owns them."""

from __future__ import annotations

import logging
from typing import Any

from discord.ui.view import BaseView, ViewStore

from core.scope import current

log = logging.getLogger(__name__)


class DeafViewStore(ViewStore):
    """A store that takes no view: buttons, selects and modals reach the component router alone.

    A view that listens would be called whatever rank its member has and whether its plugin is on, also for
    custom ids of another plugin, and would be forgotten by the next start.
    """

    _named: frozenset[str] = frozenset()

    def add_view(self, view: BaseView, message_id: int | None = None) -> None:
        """Name the plugin whose view meant to listen, once."""
        scope = current.get()
        plugin = scope.plugin if scope is not None else "somebody"
        if plugin not in self._named:
            self._named |= {plugin}
            log.warning(
                "a view of %s meant to listen; its components go to the handlers of register_components, "
                "so send it as shown(view)",
                plugin,
            )

    def add_dynamic_items(self, *items: Any) -> None:
        """Take none of these either."""
