"""Forms; Discord allows five inputs each, and no form may answer a form."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from plugins.payroll.rules.report import OreLine
from plugins.payroll.words import auec
from redlegion import custom_id, shown
from redlegion import translate as _

PER_MODAL = 5
QUANTITY_LENGTH = 20
PRICE_LENGTH = 20


def quantity_modal(lines: Sequence[OreLine], key: str) -> discord.ui.Modal:
    """Return the form for the quantities of up to five ores; what was typed before is filled in.

    :param key: for the handler of what is submitted.
    """
    modal = discord.ui.Modal(
        title=_("Quantities in SCU"), custom_id=custom_id("payroll", "enter", key), timeout=None
    )
    for line in lines:
        field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=str(line.material_id),
            default=(line.entered or "")[:QUANTITY_LENGTH] or None,
            placeholder="12.5",
            required=False,
            max_length=QUANTITY_LENGTH,
        )
        modal.add_item(
            discord.ui.Label(
                text=line.name[:45], description=_("SCU sold; leave empty if none"), component=field
            )
        )
    return shown(modal)


def price_modal(lines: Sequence[OreLine], key: str) -> discord.ui.Modal:
    """Return the form for the prices of up to five ores; the present ones are filled in.

    :param key: for the handler of what is submitted.
    """
    modal = discord.ui.Modal(
        title=_("Prices in aUEC per SCU"), custom_id=custom_id("payroll", "price", key), timeout=None
    )
    for line in lines:
        known = line.price_entered or (str(line.price) if line.price is not None else None)
        field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=str(line.material_id),
            default=known[:PRICE_LENGTH] if known else None,
            placeholder=auec(line.price).replace(",", "") if line.price is not None else "22210",
            required=False,
            max_length=PRICE_LENGTH,
        )
        modal.add_item(
            discord.ui.Label(
                text=line.name[:45],
                description=_("Whole aUEC per SCU; empty goes back to the price list"),
                component=field,
            )
        )
    return shown(modal)
