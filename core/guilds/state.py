"""What each guild wants, kept in memory from the database: toggles, plugin settings and ranks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import discord
from pydantic import BaseModel

from core.guilds import store
from core.guilds.rank_table import RankTable
from core.guilds.ranks import Rank, rank_of
from core.guilds.settings import PluginSettings, Stored

if TYPE_CHECKING:
    from core.clock import Clock
    from core.database import Database
    from core.events import Resync
    from core.plugins import PluginManager

#: Combinations of what guilds have said whose plugins are kept worked out.
MOST_ANSWERS = 1_000


class GuildStates:
    """Which plugins are wanted and on, per guild.

    A feature is on when the guild wants it and it is loaded; a library is on while a feature that
    needs it is.

    :param on_by_default: features that are on until a guild says otherwise.
    :param deliver_to: tells a plugin in a guild of an event, by plugin, guild, hook and event.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        manager: PluginManager,
        on_by_default: Sequence[str],
        deliver_to: Callable[[str, int, str, object], None],
    ) -> None:
        self._db = db
        self._clock = clock
        self.manager = manager
        self._deliver_to = deliver_to
        self._default = frozenset(on_by_default)
        self._wanted: dict[int, dict[str, bool]] = {}
        self._active: dict[tuple[int, frozenset[tuple[str, bool]], frozenset[str]], frozenset[str]] = {}
        self._settings = PluginSettings(db, clock, self)
        self._ranks = RankTable(db, clock)

    async def load(self, guilds: dict[int, str]) -> None:
        """Read what the guilds want, and store names that are new.

        :param guilds: names by guild id.
        """
        known = await self._db.read(store.guild_names, list(guilds))
        fresh = {guild_id: name for guild_id, name in guilds.items() if known.get(guild_id) != name}
        if fresh:
            # All in one call: a thousand guilds at the first start are one transaction, not a thousand.
            await self._db.write(store.ensure_guilds, fresh, key=next(iter(fresh)))
        rows = await self._db.read(store.plugin_rows, list(guilds))
        ranks = await self._db.read(store.rank_rows, list(guilds))
        # One that has become known meanwhile may have been switched since: what is in memory is newer.
        fresh_ids = guilds.keys() - self._wanted.keys()
        self._wanted.update((guild_id, {}) for guild_id in fresh_ids)
        for row in rows:
            if row.guild_id in fresh_ids:
                self._wanted[row.guild_id][row.plugin] = row.enabled
                self._settings.read(row)
        self._ranks.take(ranks, fresh_ids)

    async def reread(self, guild_id: int) -> None:
        """Take the settings of a guild from the database again, after they were changed there."""
        for row in await self._db.read(store.plugin_rows, [guild_id]):
            self._settings.read(row)

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
            for name in sorted(self.manager.needs(plugin))
            if self.manager.loaded[name].manifest.kind == "feature" and not self.wanted(guild_id, name)
        ]

    def undecided(self, guild_id: int) -> list[str]:
        """Return the features that are on only because nobody in the guild has said otherwise."""
        said = self._wanted.get(guild_id, {})
        return [m.name for m in self.features() if m.name in self._default and m.name not in said]

    def active(self, guild_id: int, *, without: Collection[str] = ()) -> frozenset[str]:
        """Return the plugins that are on in a guild, libraries included.

        :param without: features that are taken as not wanted, whatever the guild says.
        """
        said = self._wanted.get(guild_id)
        if said is None:
            return frozenset()
        # Guilds that have said the same have the same. Plugins only ever leave.
        key = len(self.manager.loaded), frozenset(said.items()), frozenset(without)
        found = self._active.get(key)
        if found is None:
            if len(self._active) >= MOST_ANSWERS:
                self._active.clear()
            found = self._active[key] = self._work_out(guild_id, without)
        return found

    def _work_out(self, guild_id: int, without: Collection[str]) -> frozenset[str]:
        features = {
            p.name
            for p in self.features()
            if self.wanted(guild_id, p.name)
            and not {p.name, *self.manager.needs(p.name)}.intersection(without)
            and not self.missing(guild_id, p.name)
        }
        return frozenset(features.union(*(self.manager.needs(name) for name in features)))

    def users_of(self, library: str) -> list[str]:
        """Return the titles of the features that need a library."""
        return [m.title for m in self.features() if library in self.manager.needs(m.name)]

    def features(self) -> Iterable[Any]:
        """Return the loaded plugins that a guild can switch."""
        return [p.manifest for p in self.manager.loaded.values() if p.manifest.kind == "feature"]

    async def set_wanted(self, guild_id: int, plugin: str, enabled: bool, actor_id: int | None) -> None:
        """Store that a guild wants or does not want a feature."""
        await self._db.write(
            store.set_enabled, guild_id, plugin, enabled, actor_id, self._clock.now(), key=guild_id
        )
        self._wanted[guild_id][plugin] = enabled

    async def take_defaults(self, features: Mapping[int, Sequence[str]]) -> None:
        """Store that guilds want features that are on by default, in one call.

        :param features: those of which a guild has said nothing, by guild id.
        """
        if not features:
            return
        await self._db.write(store.take_defaults, features, self._clock.now(), key=next(iter(features)))
        for guild_id, plugins in features.items():
            for plugin in plugins:
                # What the guild has said meanwhile is newer.
                self._wanted[guild_id].setdefault(plugin, True)

    def plugin_settings(self, guild_id: int, plugin: str) -> BaseModel:
        """Return a plugin's settings in a guild: what is stored, or the defaults.

        :raises LookupError: the plugin registers no settings.
        """
        return self._settings.stored(guild_id, plugin).values

    def stored_settings(self, guild_id: int, plugin: str) -> Stored:
        """Return a plugin's settings in a guild, with what the guild has set and what of it is not usable.

        :raises LookupError: the plugin registers no settings.
        """
        return self._settings.stored(guild_id, plugin)

    async def set_settings(
        self,
        guild_id: int,
        plugin: str,
        values: Mapping[str, Any],
        actor_id: int | None,
        *,
        reset: Collection[str] = (),
    ) -> BaseModel:
        """Set some of a plugin's settings in a guild; in effect at once, stored, audited and told to it.

        Fields that are not named stay as they are, so two people who change different ones both have
        their way. The plugin hears `on_resync` with the reason "settings" where it is on.

        :param values: new values by field, as the model takes them.
        :param actor_id: the member who asked, None for the bot itself.
        :param reset: fields that go back to their defaults.
        :returns: all settings as they are now.
        :raises UserError: a name, a value, or how values go together is refused; nothing is changed then.
        :raises LookupError: the plugin registers no settings.
        """
        return await self._settings.change(guild_id, plugin, values, actor_id, reset)

    def tell(self, plugin: str, guild_id: int, event: Resync) -> None:
        """Let a plugin look again at a guild where it is on."""
        if plugin in self.active(guild_id):
            self._deliver_to(plugin, guild_id, "on_resync", event)

    def ranks(self, guild_id: int) -> Mapping[int, Rank]:
        """Return ranks by role id; empty while Discord's permissions decide."""
        return self._ranks.of(guild_id)

    def rank_of(
        self, guild_id: int, member: discord.Member | discord.User, permissions: discord.Permissions
    ) -> Rank:
        """Return the rank of a member in a guild, see `core.guilds.ranks.rank_of`."""
        return rank_of(member, permissions, self._ranks.of(guild_id))

    async def set_ranks(self, guild_id: int, ranks: Mapping[int, Rank], actor_id: int | None) -> None:
        """Replace the whole mapping of roles to ranks; in effect at once, stored and audited.

        :param ranks: by role id; empty leaves it to Discord's permissions.
        :raises UserError: too many roles for one rank, or everybody would be an officer or admin.
        """
        await self._ranks.change(guild_id, ranks, lambda present: present.keys() - ranks.keys(), actor_id)

    async def set_rank_roles(
        self, guild_id: int, rank: Rank, role_ids: Collection[int], actor_id: int | None
    ) -> None:
        """Let exactly these roles give a rank; other ranks keep theirs, but for roles that move here.

        :raises UserError: as `set_ranks`.
        """

        def left_out(present: Mapping[int, Rank]) -> set[int]:
            return {role for role, each in present.items() if each is rank and role not in role_ids}

        await self._ranks.change(guild_id, dict.fromkeys(role_ids, rank), left_out, actor_id)

    async def forget_roles(self, guild_id: int, role_ids: Collection[int]) -> None:
        """Take deleted roles out of the mapping."""
        if not self._ranks.of(guild_id).keys().isdisjoint(role_ids):
            await self._ranks.change(
                guild_id,
                {},
                lambda present: present.keys() & set(role_ids),
                None,
                action="ranks.role_deleted",
            )

    async def keep_roles(self, guild_id: int, role_ids: Collection[int]) -> None:
        """Take every role out of the mapping that the guild does not have any more.

        :param role_ids: all roles of the guild.
        """
        await self.forget_roles(guild_id, self._ranks.of(guild_id).keys() - set(role_ids))
