"""Remembers what people are called, so that a report can name somebody who has gone."""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from core.database import Database, User
from core.database.errors import DatabaseClosed, DatabaseUnavailable
from core.database.inserting import insert_rows

if TYPE_CHECKING:
    import discord

log = logging.getLogger(__name__)
#: Names in one transaction, which nobody has to wait for long.
CHUNK = 1_000
_RENAMED = 'ON CONFLICT ("id") DO UPDATE SET "name" = excluded."name", "updated_at" = excluded."updated_at"'
#: Unicode's embeddings, overrides and isolates.
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
#: Invisible too, but they hold emoji families and Persian words together.
_JOINERS = "\u200c\u200d"


def store_names(names: Mapping[int, str]) -> None:
    """Store display names by user id; rows are locked in id order."""
    insert_rows(User, [{"id": user_id, "name": names[user_id]} for user_id in sorted(names)], _RENAMED)


def account_name(user: discord.User | discord.Member) -> str:
    """Return what somebody calls themselves everywhere.

    A nickname is one guild's own, and what is stored here is read in others too.
    """
    return user.global_name or user.name


def clean_name(name: str) -> str:
    """Return a display name without invisible marks that would turn around or hide what stands beside it.

    :param name: as Discord has it; people can put direction marks and control characters into it.
    """
    return "".join(c for c in name if c in _JOINERS or _shows(c)).strip() or "?"


def _shows(character: str) -> bool:
    return character.isprintable() and unicodedata.bidirectional(character) not in _TURNING


class Names:
    """Collects names as they are seen and stores the new ones, many in one statement."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[int, str] = {}
        self._fresh: dict[int, str] = {}
        self._writer: asyncio.Task[None] | None = None

    def saw(self, user_id: int, name: str) -> None:
        """Note a name; it is stored soon if it is new."""
        # Called for every voice event, so the name as it came is compared before it is cleaned.
        if self._known.get(user_id) == name:
            return
        self._known[user_id] = name
        self._fresh[user_id] = clean_name(name)
        if self._writer is None:
            self._writer = asyncio.create_task(self._store(), name="names")

    async def forget(self, user_id: int) -> None:
        """Forget a name that was noted; it is stored again when the person is seen again.

        Returns when no write of it is under way any more.
        """
        self._known.pop(user_id, None)
        self._fresh.pop(user_id, None)
        await self.close()

    async def close(self) -> None:
        """Wait until everything noted so far is stored."""
        if self._writer is not None:
            await asyncio.wait({self._writer})

    async def _store(self) -> None:
        try:
            while self._fresh:
                batch, self._fresh = self._fresh, {}
                # Users belong to no guild, so this is work across keys: a transaction of its own.
                pairs = iter(batch.items())
                while piece := dict(islice(pairs, CHUNK)):
                    await self._db.write_alone(store_names, piece)
        except Exception as error:
            away = isinstance(error, DatabaseUnavailable | DatabaseClosed)
            log.error(
                "names could not be stored; they will be when they are seen again: %s",
                error,
                exc_info=not away,
            )
            self._known.clear()
        finally:
            self._writer = None
