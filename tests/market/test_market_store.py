"""Materials in the database, on both backends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.database import CORE_SCHEMA, Database, Schema, drift
from plugins.market import Material, find_material, get_material, materials, register_schema
from plugins.market.packaged import packaged_materials
from plugins.market.store import save_materials


@pytest.fixture
def schemas() -> Sequence[Schema]:
    return [CORE_SCHEMA, register_schema()]


async def test_migrations_make_the_models(database: Database, schemas: Sequence[Schema]) -> None:
    assert drift(database, schemas) == []


async def test_loading_the_packaged_list_twice_changes_nothing(database: Database) -> None:
    packaged = packaged_materials()
    assert await database.write(save_materials, packaged) == len(packaged)
    assert await database.write(save_materials, packaged) == 0
    assert await database.read(get_material, 33) == next(m for m in packaged if m.id == 33)
    assert await database.read(get_material, 4711) is None


async def test_newer_prices_stay_and_missing_ones_do_not_erase(database: Database) -> None:
    gold = Material(33, "Gold", "GOLD", "refined", 5858, "offline sample", datetime(2025, 9, 1, tzinfo=UTC))
    fresh = replace(gold, price=6000, source="UEX", as_of=gold.as_of + timedelta(days=300))
    await database.write(save_materials, [fresh])
    assert await database.write(save_materials, [gold]) == 0
    assert await database.write(save_materials, [replace(fresh, price=None)]) == 0
    assert await database.read(get_material, 33) == fresh
    dearer = replace(fresh, price=7000)
    assert await database.write(save_materials, [dearer]) == 1
    assert await database.read(get_material, 33) == dearer


async def test_materials_come_dearest_first_and_those_without_price_last(database: Database) -> None:
    await database.write(save_materials, packaged_materials())
    refined = await database.read(materials, "refined")
    assert {m.form for m in refined} == {"refined"}
    assert [m.name for m in refined[:3]] == ["Stileron", "Quantanium", "Riccite"]
    priced = [m.price for m in refined if m.price is not None]
    assert priced == sorted(priced, reverse=True)
    assert all(m.price is None for m in refined[len(priced) :])
    assert len(await database.read(materials)) == len(packaged_materials())
    with pytest.raises(ValueError, match="no form 'liquid'"):
        await database.read(materials, "liquid")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Quantainium", ("Quantanium", "refined")),
        ("gold (ore)", ("Gold", "refined")),
        ("AGRI", ("Agricium", "refined")),
        ("haDA", ("Hadanite", "gem")),
        ("  cop ", ("Copper", "refined")),
    ],
)
async def test_finding_what_a_person_means(database: Database, text: str, first: tuple[str, str]) -> None:
    await database.write(save_materials, packaged_materials())
    found = await database.read(find_material, text)
    assert (found[0].name, found[0].form) == first


@pytest.mark.parametrize("text", ["", "   ", "unobtainium"])
async def test_finding_nothing(database: Database, text: str) -> None:
    await database.write(save_materials, packaged_materials())
    assert await database.read(find_material, text) == []
