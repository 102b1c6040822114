"""Which plugins are on in which guild, compiled into one table of targets per hook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.plugins import PluginManager
    from core.plugins.manager import Target

Table = Mapping[str, tuple["Target", ...]]


class Tables:
    """The table of each guild; guilds with the same plugins share one, and it is replaced, never changed.

    :param manager: the loaded plugins; their order is the order of targets.
    """

    def __init__(self, manager: PluginManager) -> None:
        self._manager = manager
        self._compiled: dict[frozenset[str], Table] = {}
        self._plugins: dict[int, frozenset[str]] = {}
        #: What is looked up at each event; a guild where nothing is on is not in it.
        self.of: dict[int, Table] = {}
        #: In how many guilds each plugin is on.
        self.guilds: Counter[str] = Counter()

    def set(self, guild_id: int, plugins: frozenset[str]) -> frozenset[str]:
        """Replace the table of a guild; returns the plugins that came or went."""
        before = self._plugins.get(guild_id, frozenset())
        self.guilds.update(plugins - before)
        self.guilds.subtract(before - plugins)
        if plugins:
            if plugins not in self._compiled:
                self._compiled[plugins] = self._compile(plugins)
            self._plugins[guild_id] = plugins
            self.of[guild_id] = self._compiled[plugins]
        else:
            self._plugins.pop(guild_id, None)
            self.of.pop(guild_id, None)
        return before ^ plugins

    def is_on(self, plugin: str, guild_id: int) -> bool:
        """Say whether a plugin is on in a guild."""
        return plugin in self._plugins.get(guild_id, ())

    def _compile(self, plugins: frozenset[str]) -> Table:
        table: dict[str, list[Target]] = {}
        for name, plugin in self._manager.loaded.items():
            if name in plugins:
                for hook, target in plugin.targets.items():
                    table.setdefault(hook, []).append(target)
        # Sorting keeps the order of loading between those that are not tryfirst or trylast.
        return {hook: tuple(sorted(targets, key=_place)) for hook, targets in table.items()}


def _place(target: Target) -> int:
    return target.place
