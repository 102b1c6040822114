"""What a guild can set."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from redlegion import Rate
from redlegion import translate as _


class PayrollSettings(BaseModel):
    """Rates in basis points: 100 are 1 %.

    :param org_cut_bp: the organisation's part of what is left after expenses.
    :param fee_bp: what the game takes of each transfer.
    """

    org_cut_bp: Annotated[int, Rate] = Field(
        default=1000,
        ge=0,
        le=10_000,
        title=_("Org cut"),
        description=_("What the organisation keeps of the rest after expenses"),
    )
    fee_bp: Annotated[int, Rate] = Field(
        default=50,
        ge=0,
        lt=10_000,
        title=_("Transfer fee"),
        description=_("What the game takes of each transfer"),
    )
