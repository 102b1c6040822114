"""An ended operation with a crew, and drafts made the way the commands make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from core.database import CORE_SCHEMA, Database, Schema, ensure_guild
from plugins import market, operations, payroll
from plugins.market.packaged import packaged_materials
from plugins.market.store import save_materials
from plugins.operations.models import Operation, OperationParticipant

GUILD = 1001
STARTED = datetime(2026, 3, 1, 18, tzinfo=UTC)
ENDED = STARTED + timedelta(minutes=130)
GOLD, AGRICIUM = 33, 1


@dataclass(frozen=True)
class Crew:
    """Makes ended operations."""

    database: Database

    async def operation(
        self, *seconds: int, guild_id: int = GUILD, status: str = "ended", names: Sequence[str] = ()
    ) -> int:
        """Return the id of an operation in which member 1, 2, ... were present for so many seconds."""
        return await self.database.write(_operation, guild_id, seconds, status, names)


def _operation(guild_id: int, seconds: Sequence[int], status: str, names: Sequence[str]) -> int:
    ensure_guild(guild_id, "The Red Legion")
    made = Operation.create(
        guild_id=guild_id,
        type="sunday",
        title="Sunday Mining - 2026-03-01",
        badge="📅",
        status=status,
        initiator_id=1,
        started_at=STARTED,
        ended_at=None if status == "active" else ENDED,
    )
    for number, value in enumerate(seconds, start=1):
        OperationParticipant.create(
            operation_id=made.id,
            user_id=number,
            name=names[number - 1] if number <= len(names) else f"member {number}",
            seconds=value,
            estimated=number % 5 == 2,
        )
    return int(made.id)


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
