"""Which role gives which rank, per guild: in memory, and changed in the database and here at once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.errors import UserError
from core.guilds import store
from core.guilds.ranks import NO_RANKS, Rank
from core.i18n import translate as _

if TYPE_CHECKING:
    from core.clock import Clock
    from core.database import Database

log = logging.getLogger(__name__)

#: Roles that Discord's menu can show as chosen, and so the most for one rank.
MOST_ROLES = 25


class RankTable:
    """The mappings of all guilds of this process."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._ranks: dict[int, Mapping[int, Rank]] = {}
        self._changing: dict[int, asyncio.Lock] = {}

    def take(self, rows: Iterable[tuple[int, int, str]], guild_ids: Collection[int]) -> None:
        """Take rows (guild, role, rank) of these guilds into memory."""
        found: dict[int, dict[int, str]] = {}
        for guild_id, role_id, rank in rows:
            if guild_id in guild_ids:
                found.setdefault(guild_id, {})[role_id] = rank
        for guild_id, mapping in found.items():
            self._put(guild_id, mapping)

    def of(self, guild_id: int) -> Mapping[int, Rank]:
        """Return a guild's ranks by role id."""
        return self._ranks.get(guild_id, NO_RANKS)

    async def change(
        self,
        guild_id: int,
        given: Mapping[int, Rank],
        taken: Callable[[Mapping[int, Rank]], Collection[int]],
        actor_id: int | None,
        *,
        action: str = "ranks.change",
    ) -> None:
        """Map roles to ranks and take others out.

        :param taken: returns the roles to take out of the present mapping.
        :raises UserError: too many roles for one rank, or everybody would be an officer or admin.
        """
        async with self._changing.setdefault(guild_id, asyncio.Lock()):
            # The guild's own id is that of @everyone.
            if given.get(guild_id, Rank.GUEST).includes(Rank.OFFICER):
                raise UserError(
                    _("Everybody here would be {rank} with @everyone.").format(rank=given[guild_id].value),
                    _("Choose a role that only the right people have; for members @everyone is fine."),
                )
            gone = set(taken(self.of(guild_id)))
            whole = {role: rank for role, rank in {**self.of(guild_id), **given}.items() if role not in gone}
            if whole == dict(self.of(guild_id)):
                return
            rank, count = max(Counter(whole.values()).items(), key=lambda each: each[1], default=("", 0))
            if count > MOST_ROLES:
                raise UserError(
                    _("{n} roles cannot all be {rank}.").format(n=count, rank=rank),
                    _("At most {n} roles can give one rank; choose fewer.").format(n=MOST_ROLES),
                )
            stored = await self._db.write(
                store.change_ranks,
                guild_id,
                {role_id: rank.value for role_id, rank in given.items()},
                sorted(gone),
                action,
                actor_id,
                self._clock.now(),
                key=guild_id,
            )
            self._put(guild_id, stored)

    def _put(self, guild_id: int, mapping: Mapping[int, str]) -> None:
        known = {role_id: Rank(rank) for role_id, rank in mapping.items() if rank in set(Rank)}
        if len(known) < len(mapping):
            log.error(
                "guild %s has roles with ranks that this version does not know; they give none", guild_id
            )
        if known:
            self._ranks[guild_id] = MappingProxyType(known)
        else:
            self._ranks.pop(guild_id, None)
