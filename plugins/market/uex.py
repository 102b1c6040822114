"""Reading records in the format of UEX's API 2.0: tolerant of what that API is known to vary.

Numbers arrive as numbers or as numeric strings, flags as 0/1, anything may be null, names may be
HTML-escaped, and fields are added without notice.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _whole(value: Any) -> Any:
    """Turn null, "", "12" and 12.0 into a whole number; leave the rest for pydantic to refuse."""
    if value is None:
        return 0
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return 0
        value = text
    if isinstance(value, str | float):
        try:
            exact = Decimal(str(value))
        except InvalidOperation:
            return value
        # Average prices come with decimals; the game itself pays whole aUEC.
        return int(exact.to_integral_value(ROUND_HALF_UP)) if exact.is_finite() else value
    return value


def _text(value: Any) -> Any:
    if value is None:
        return ""
    return html.unescape(value).strip() if isinstance(value, str) else value


Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_whole)]
Words = Annotated[str, BeforeValidator(_text)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Commodity(_Record):
    """One row of /commodities; `price_sell` is the average per SCU in aUEC, 0 when unknown."""

    id: int
    id_parent: Whole = 0
    name: Words
    code: Words = ""
    kind: Words = ""
    price_sell: Whole = 0
    is_raw: Flag = False
    is_refined: Flag = False
    is_refinable: Flag = False
    is_harvestable: Flag = False
    is_mineral: Flag = False
    date_modified: Whole = 0


class RawPrice(_Record):
    """One row of /commodities_raw_prices_all: what one refinery pays for one raw ore, per SCU."""

    id_commodity: int
    price_sell: Whole = 0
    price_sell_avg: Whole = 0
    date_modified: Whole = 0

    @property
    def price(self) -> int:
        """The average where there is one (it is often 0), else the last price seen."""
        return self.price_sell_avg or self.price_sell


RecordT = TypeVar("RecordT", bound=BaseModel)


class Envelope(BaseModel):
    """What wraps every answer; `data` is null when there is nothing."""

    model_config = ConfigDict(extra="ignore")

    status: Words = "ok"
    http_code: Whole = 200
    message: Words = ""
    data: list[dict[str, Any]] | dict[str, Any] | None = None

    def rows(self, kind: type[RecordT]) -> list[RecordT]:
        """Return the rows as records of `kind`.

        :raises ValueError: the envelope carries an error, or a row cannot be read.
        """
        if self.status != "ok" or self.http_code >= 400:
            raise ValueError(f"UEX answered {self.status} ({self.http_code}): {self.message}")
        if self.data is None:
            return []
        rows = self.data if isinstance(self.data, list) else [self.data]
        return [kind.model_validate(row) for row in rows]


class PriceFile(BaseModel):
    """A packaged price list: the two resources it needs, and where and when they come from.

    :param source: words shown beside every price of this list.
    :param as_of: "2025-09": the month the list stands for where a record has no date of its own.
    """

    model_config = ConfigDict(extra="ignore")

    source: str
    as_of: str
    game_version: str | None = None
    attribution: str
    notes: list[str] = Field(default_factory=list)
    commodities: Envelope
    commodities_raw_prices_all: Envelope

    @property
    def date(self) -> datetime:
        """The first instant of the list's month, UTC."""
        return datetime.strptime(self.as_of, "%Y-%m").replace(tzinfo=UTC)


def instant(unix: int) -> datetime | None:
    """Return the instant of UEX's unix seconds, None for 0."""
    return datetime.fromtimestamp(unix, UTC) if unix else None
