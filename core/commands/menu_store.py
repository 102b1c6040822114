"""Store functions of menus: what Discord has accepted, and how many commands were made lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.commands.budget import Creates, from_json, to_json
from core.database import CommandMenu

CHUNK = 500


@dataclass(frozen=True, slots=True)
class StoredMenu:
    """A guild's menu at Discord, as far as it is known.

    :param hash: of what Discord has accepted; empty when that is not certain.
    :param names: top-level commands that are there or that were charged for.
    :param creates: what was charged.
    :param synced: when it was last sent.
    """

    hash: str
    names: frozenset[str]
    creates: Creates
    synced: datetime


def stored_menus(guild_ids: Sequence[int]) -> dict[int, StoredMenu]:
    """Return what is stored, by guild id (0 is the global menu)."""
    found: dict[int, StoredMenu] = {}
    for start in range(0, len(guild_ids), CHUNK):
        query: Any = CommandMenu.select(
            CommandMenu.guild_id,
            CommandMenu.hash,
            CommandMenu.names,
            CommandMenu.creates,
            CommandMenu.synced_at,
        ).where(CommandMenu.guild_id.in_(guild_ids[start : start + CHUNK]))
        for guild_id, value, names, creates, synced in query.tuples():
            found[guild_id] = StoredMenu(value, frozenset(names or ()), from_json(creates), synced)
    return found


def store_menu(guild_id: int, menu: StoredMenu) -> None:
    """Store what is known of a guild's menu."""
    CommandMenu.insert(
        guild_id=guild_id,
        hash=menu.hash,
        names=sorted(menu.names),
        creates=to_json(menu.creates),
        synced_at=menu.synced,
    ).on_conflict(
        conflict_target=[CommandMenu.guild_id],
        preserve=[
            CommandMenu.hash,
            CommandMenu.names,
            CommandMenu.creates,
            CommandMenu.synced_at,
            CommandMenu.updated_at,
        ],
    ).execute()


def forget_menu(guild_id: int) -> None:
    """Note that Discord has no menu of a guild any more; what was charged stays charged."""
    CommandMenu.update(hash="", names=[]).where(CommandMenu.guild_id == guild_id).execute()
