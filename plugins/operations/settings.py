"""What a guild can set for operations."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from pydantic import BaseModel, field_validator


class OperationsSettings(BaseModel):
    """Settings of one guild.

    :param timezone: IANA name; an operation's title carries the date in it.
    """

    timezone: str = "UTC"

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
