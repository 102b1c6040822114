"""What each guild wants, kept in memory from the database: toggles and plugin settings."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from core.guilds import store

if TYPE_CHECKING:
    from core.clock import Clock
    from core.database import Database
    from core.plugins import PluginManager

log = logging.getLogger(__name__)


class GuildStates:
    """Which plugins are wanted and on, per guild.

    A feature is on when the guild wants it and it is loaded; a library is on while a feature that
    needs it is.

    :param on_by_default: features that are on until a guild says otherwise.
    """

    def __init__(
        self, db: Database, clock: Clock, manager: PluginManager, on_by_default: Sequence[str]
    ) -> None:
        self._db = db
        self._clock = clock
        self._manager = manager
        self._default = frozenset(on_by_default)
        self._wanted: dict[int, dict[str, bool]] = {}
        self._settings: dict[tuple[int, str], BaseModel] = {}

    async def load(self, guilds: dict[int, str]) -> None:
        """Read what the guilds want, and store names that are new.

        :param guilds: names by guild id.
        """
        known = await self._db.read(store.guild_names, list(guilds))
        fresh = {guild_id: name for guild_id, name in guilds.items() if known.get(guild_id) != name}
        for guild_id, name in fresh.items():
            # One write per guild keeps each within its own key.
            await self._db.write(store.ensure_guilds, {guild_id: name}, key=guild_id)
        rows = await self._db.read(store.plugin_rows, list(guilds))
        # One that has become known meanwhile may have been switched since: what is in memory is newer.
        fresh_ids = guilds.keys() - self._wanted.keys()
        self._wanted.update((guild_id, {}) for guild_id in fresh_ids)
        for row in rows:
            if row.guild_id in fresh_ids:
                self._wanted[row.guild_id][row.plugin] = row.enabled
                self._read_settings(row)

    def known(self, guild_id: int) -> bool:
        """Say whether the guild has been loaded."""
        return guild_id in self._wanted

    def wanted(self, guild_id: int, plugin: str) -> bool:
        """Say whether a guild wants a feature, loaded or not."""
        return self._wanted.get(guild_id, {}).get(plugin, plugin in self._default)

    def said(self, guild_id: int, plugin: str) -> bool | None:
        """Return what a guild has said about a feature, None while it has said nothing."""
        return self._wanted.get(guild_id, {}).get(plugin)

    def missing(self, guild_id: int, plugin: str) -> list[str]:
        """Return the features that a loaded plugin requires and that are not wanted in a guild."""
        return [
            name
            for name in sorted(self._manager.needs(plugin))
            if self._manager.loaded[name].manifest.kind == "feature" and not self.wanted(guild_id, name)
        ]

    def undecided(self, guild_id: int) -> list[str]:
        """Return the features that are on only because nobody in the guild has said otherwise."""
        said = self._wanted.get(guild_id, {})
        return [m.name for m in self.features() if m.name in self._default and m.name not in said]

    def active(self, guild_id: int, *, without: Collection[str] = ()) -> frozenset[str]:
        """Return the plugins that are on in a guild, libraries included.

        :param without: features that are taken as not wanted, whatever the guild says.
        """
        if guild_id not in self._wanted:
            return frozenset()
        features = {
            p.name
            for p in self.features()
            if self.wanted(guild_id, p.name)
            and not {p.name, *self._manager.needs(p.name)}.intersection(without)
            and not self.missing(guild_id, p.name)
        }
        return frozenset(features.union(*(self._manager.needs(name) for name in features)))

    def users_of(self, library: str) -> list[str]:
        """Return the titles of the features that need a library."""
        return [m.title for m in self.features() if library in self._manager.needs(m.name)]

    def features(self) -> Iterable[Any]:
        """Return the loaded plugins that a guild can switch."""
        return [p.manifest for p in self._manager.loaded.values() if p.manifest.kind == "feature"]

    async def set_wanted(self, guild_id: int, plugin: str, enabled: bool, actor_id: int | None) -> None:
        """Store that a guild wants or does not want a feature."""
        await self._db.write(
            store.set_enabled, guild_id, plugin, enabled, actor_id, self._clock.now(), key=guild_id
        )
        self._wanted[guild_id][plugin] = enabled

    def plugin_settings(self, guild_id: int, plugin: str) -> BaseModel:
        """Return a plugin's settings in a guild: what is stored, or the defaults.

        :raises LookupError: the plugin registers no settings.
        """
        stored = self._settings.get((guild_id, plugin))
        if stored is not None:
            return stored
        model = self._manager.loaded[plugin].settings_model
        if model is None:
            raise LookupError(f"{plugin} registers no settings")
        return model()

    def _read_settings(self, row: store.PluginRow) -> None:
        plugin = self._manager.loaded.get(row.plugin)
        if plugin is None or plugin.settings_model is None or not row.settings:
            return
        try:
            self._settings[row.guild_id, row.plugin] = plugin.settings_model.model_validate(row.settings)
        except ValidationError as error:
            log.error(
                "settings of %s in guild %s are not usable, defaults are used: %s",
                row.plugin,
                row.guild_id,
                error.errors()[0]["msg"],
            )
