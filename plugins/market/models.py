"""The table of the market; the same for all guilds."""

from __future__ import annotations

from redlegion.database import BaseModel, Check, Instant, Money, Snowflake, Text


class MaterialRow(BaseModel):
    """One material in one form with its price per SCU; a null price is missing, not zero."""

    id = Snowflake(primary_key=True)
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


MaterialRow.add_index(MaterialRow.search, MaterialRow.form, name="market_material_search")
MODELS = (MaterialRow,)
