"""Keeps each guild's command menu at Discord equal to the plugins that are on there.

The hash of what Discord last accepted is stored, so an unchanged menu costs no call, also at start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.commands.replies import UNREACHABLE
from core.commands.table import menu_hash
from core.database import CommandMenu

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

GLOBAL = 0


def menu_hashes(guild_ids: Sequence[int]) -> dict[int, str]:
    """Return the stored hashes, by guild id (0 is the global menu)."""
    found: dict[int, str] = {}
    for start in range(0, len(guild_ids), 500):
        part = guild_ids[start : start + 500]
        query: Any = CommandMenu.select(CommandMenu.guild_id, CommandMenu.hash)
        found.update(dict(query.where(CommandMenu.guild_id.in_(part)).tuples()))
    return found


def store_hash(guild_id: int, value: str, at: datetime) -> None:
    """Store what Discord has accepted."""
    CommandMenu.insert(guild_id=guild_id, hash=value, synced_at=at).on_conflict(
        conflict_target=[CommandMenu.guild_id],
        preserve=[CommandMenu.hash, CommandMenu.synced_at, CommandMenu.updated_at],
    ).execute()


class MenuSync:
    """Sends menus to Discord, one call at a time per guild, the latest wish winning."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._hashes: dict[int, str] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._forgotten: set[int] = set()
        self.calls = 0

    async def load(self, guild_ids: Sequence[int]) -> None:
        """Read the stored hashes of these guilds and of the global menu."""
        self._hashes.update(await self._runtime.db.read(menu_hashes, [GLOBAL, *guild_ids]))

    def forget(self, guild_id: int) -> None:
        """Send a guild's menu at the next `sync`, whatever Discord has accepted before."""
        self._forgotten.add(guild_id)

    async def sync(self, guild_id: int) -> bool:
        """Make a guild's menu what it should be.

        :param guild_id: 0 for the global menu.
        :returns: whether Discord has the right menu now; if not, the next change tries again.
        """
        async with self._locks.setdefault(guild_id, asyncio.Lock()):
            application_id = self._runtime.bot.application_id
            if application_id is None:
                return False
            if guild_id == GLOBAL:
                menu = self._runtime.commands.global_menu(self._runtime.bot.tree)
            else:
                menu = self._runtime.commands.guild_menu(
                    self._runtime.bot.tree, self._runtime.guilds.active(guild_id)
                )
            value = menu_hash(application_id, menu)
            if guild_id in self._forgotten:
                self._hashes.pop(guild_id, None)
            # A guild that never had a menu and needs none is already right.
            if self._hashes.get(guild_id) == value or (not menu and guild_id not in self._hashes):
                return True
            self.calls += 1
            try:
                if guild_id == GLOBAL:
                    await self._runtime.bot.http.bulk_upsert_global_commands(application_id, menu)
                else:
                    await self._runtime.bot.http.bulk_upsert_guild_commands(application_id, guild_id, menu)
            except UNREACHABLE as error:
                log.error("the command menu of guild %s was not taken by Discord: %s", guild_id, error)
                return False
            self._hashes[guild_id] = value
            self._forgotten.discard(guild_id)
            await self._runtime.db.write(store_hash, guild_id, value, self._runtime.clock.now(), key=guild_id)
            return True
