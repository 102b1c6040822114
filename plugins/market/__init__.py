"""Materials and what they sell for; a library for plugins that turn ore into money."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.market.help import TOPICS
from plugins.market.models import MODELS
from plugins.market.packaged import packaged_materials
from plugins.market.rules import FORMS, Material
from plugins.market.store import find_material, get_material, materials, save_materials
from redlegion import HelpTopic, Schema, hookimpl

if TYPE_CHECKING:
    from redlegion import Runtime

log = logging.getLogger(__name__)

__all__ = ["FORMS", "Material", "find_material", "get_material", "materials"]

log = logging.getLogger(__name__)


@hookimpl
def register_schema() -> Schema:
    """The table of materials."""
    return Schema("market", MODELS, Path(__file__).parent / "migrations")


@hookimpl
def register_help() -> list[HelpTopic]:
    """Pages of /help."""
    return TOPICS


@hookimpl
async def on_startup(runtime: Runtime) -> None:
    """Load the packaged price list; what is known already, or newer, stays."""
    found = await runtime.db.write(save_materials, packaged_materials(), key=0)
    if found:
        log.info("market: %d materials loaded from the packaged price list", found)
