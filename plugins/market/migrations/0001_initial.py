"""The first tables of the market."""

from __future__ import annotations

from typing import Any

from redlegion.database import Check, Instant, Money, Snowflake, Text


def _models(db: Any) -> list[Any]:
    class Material(db.Model):  # type: ignore[misc]
        id = Snowflake(primary_key=True)
        created_at = Instant()
        updated_at = Instant()
        name = Text()
        search = Text()
        code = Text()
        form = Text()
        price = Money(null=True)
        source = Text()
        as_of = Instant()

        class Meta:
            table_name = "market_material"
            constraints = (
                Check("\"form\" IN ('refined', 'raw', 'gem', 'salvage')", name="market_material_form"),
                Check('"price" IS NULL OR "price" > 0', name="market_material_price"),
            )

    Material.add_index(Material.search, Material.form, name="market_material_search")
    return [Material]


def up(migrator: Any, db: Any) -> None:
    db.create_tables(_models(db))


def down(migrator: Any, db: Any) -> None:
    db.drop_tables(_models(db))
