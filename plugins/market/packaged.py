"""The price list that ships with the plugin, so that everything works without a network."""

from __future__ import annotations

from importlib import resources

from plugins.market.rules import Material, build_materials
from plugins.market.uex import Commodity, PriceFile, RawPrice


def packaged_materials() -> list[Material]:
    """Return the materials of the packaged file; each price names "offline sample" as its source.

    :raises ValueError: the file is damaged.
    """
    text = resources.files("plugins.market").joinpath("data/prices.json").read_text(encoding="utf-8")
    file = PriceFile.model_validate_json(text)
    return build_materials(
        file.commodities.rows(Commodity),
        file.commodities_raw_prices_all.rows(RawPrice),
        source=file.source,
        as_of=file.date,
    )
