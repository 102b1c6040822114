"""Names that are seen in a flood are stored in pieces, new or changed."""

from __future__ import annotations

from typing import Any

from core.database import Database, User
from core.names import CHUNK, Names


def stored() -> dict[int, str]:
    rows: Any = User.select(User.id, User.name)
    return dict(rows.tuples())


async def test_thousands_of_names_at_once(database: Database) -> None:
    names = Names(database)
    count = 2 * CHUNK + 10
    for number in range(count):
        names.saw(number + 1, f"miner {number}")
    await names.close()
    assert await database.read(stored) == {number + 1: f"miner {number}" for number in range(count)}
    names.saw(7, "quartz")
    names.saw(8, "miner 7")
    await names.close()
    found = await database.read(stored)
    assert len(found) == count
    assert (found[7], found[8]) == ("quartz", "miner 7")
