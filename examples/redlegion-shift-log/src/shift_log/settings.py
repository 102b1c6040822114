"""What a server can set."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ShiftLogSettings(BaseModel):
    """Every field has a default, so that the plugin works in a server that has set nothing.

    :param remind_minutes: how long a remark may wait for an officer.
    :param shown: how many remarks /shift list shows.
    """

    remind_minutes: int = Field(default=120, ge=1, le=10_080)
    shown: int = Field(default=10, ge=1, le=25)
