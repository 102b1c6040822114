"""An ended operation with a crew, and drafts made the way the commands make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from payroll_cases import insert_operation

from core.database import CORE_SCHEMA, Database, Schema
from plugins import market, operations, payroll
from plugins.market.packaged import packaged_materials
from plugins.market.store import save_materials

GUILD = 1001


@dataclass(frozen=True)
class Crew:
    """Makes ended operations."""

    database: Database

    async def operation(
        self, *seconds: int, guild_id: int = GUILD, status: str = "ended", names: Sequence[str] = ()
    ) -> int:
        """Return the id of an operation in which member 1, 2, ... were present for so many seconds."""
        return await self.database.write(insert_operation, guild_id, seconds, status, names)


@pytest.fixture
def schemas() -> Sequence[Schema]:
    return [
        CORE_SCHEMA,
        market.register_schema(),
        operations.register_schema(),
        payroll.register_schema(),
    ]


@pytest.fixture
async def crew(database: Database) -> Crew:
    await database.write(save_materials, packaged_materials())
    return Crew(database)


@pytest.fixture
def new_id() -> Callable[[], int]:
    """Ids such as interactions have: never twice."""
    numbers = iter(range(900_000, 1_000_000))
    return lambda: next(numbers)
