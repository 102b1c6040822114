"""The project's own plugins are purged in the order in which they rest on each other, in one guild only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.all_tables import everything_stored
from support.mining import said
from test_payroll_end_to_end import opened
from test_payroll_forgetting import beside, pay, sunday

from plugins.operations import get_operation
from sandbox.stage import Stage


@pytest.fixture
async def each_stage(database_url: str) -> AsyncIterator[Stage]:
    """The Sunday scene, on each database."""
    async with opened(database_url) as stage:
        yield stage


async def purge(stage: Stage, plugin: str) -> str:
    """Export and purge as the owner; what is said in the end."""
    owner = stage.scene.owner
    await stage.slash(owner, "plugins export", {"plugin": plugin})
    form = await stage.slash(owner, "plugins purge", {"plugin": plugin})
    if form.kind != "modal":
        return said(form)
    assert form.interaction_id is not None
    outcome = await owner.submit(form.interaction_id, {"name": plugin})
    await stage.settle()
    return said(outcome)


async def rows(stage: Stage, prefix: str) -> dict[str, int]:
    stored: dict[str, list[str]] = await stage.runtime.db.read(everything_stored)
    return {
        table: len(found)
        for table, found in stored.items()
        if found and table.startswith(prefix) and not table.endswith("_migration")
    }


async def test_money_first_then_what_it_rests_on(each_stage: Stage) -> None:
    stage, scene = each_stage, each_stage.scene
    owner, other = scene.owner, scene.second_guild.id
    operation = await sunday(stage)
    await pay(stage, operation)
    await stage.runtime.db.write(beside, other, scene.officer.id, stage.runtime.clock.now(), key=other)
    assert "Switch off with /plugins disable first: " in await purge(stage, "operations")
    for plugin in ("payroll", "sunday_mining"):
        await stage.slash(owner, "plugins disable", {"plugin": plugin})
    refused = await purge(stage, "operations")
    assert "1 row of Payroll rests on the data of Operations." in refused
    assert "purge Payroll first" in refused
    assert await stage.runtime.db.read(get_operation, scene.guild.id, operation) is not None
    assert "`payroll_payslip`: 3" in await purge(stage, "payroll")
    assert await rows(stage, "payroll_") == {}
    assert "`operations_operation`: 1" in await purge(stage, "operations")
    assert await rows(stage, "operations_") == {"operations_operation": 1, "operations_participant": 1}
    assert "`sunday_mining_channel`: 2" in await purge(stage, "sunday_mining")
    market: Any = await rows(stage, "market_")
    refused = said(await stage.slash(owner, "plugins purge", {"plugin": "market"}))
    assert "belongs to no single server: market_material" in refused
    assert await rows(stage, "market_") == market
