"""What a guild can set for operations."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, field_validator

from redlegion import RoleId


class OperationsSettings(BaseModel):
    """Settings of one guild.

    :param timezone: IANA name; an operation's title carries the date in it.
    :param required_role_id: the role that a member must hold to earn time; none for everybody.
    """

    timezone: str = "UTC"
    required_role_id: Annotated[int, RoleId] | None = Field(
        default=None,
        title="Required role",
        description="Who lacks this role earns no time in an operation; nothing chosen: everybody does.",
    )

    @field_validator("required_role_id")
    @classmethod
    def _none(cls, value: int | None) -> int | None:
        return value or None

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        _zone(value)
        return value

    @property
    def tz(self) -> tzinfo:
        """Return the time zone itself."""
        return _zone(self.timezone)


def _zone(name: str) -> tzinfo:
    # UTC needs no time zone files, which a minimal system may not have.
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f'there is no time zone {name!r}; write it like "Europe/Berlin"') from None
