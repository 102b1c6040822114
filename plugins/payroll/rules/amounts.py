"""What people type, turned into whole numbers; and the value of ore."""

from __future__ import annotations

import re
from enum import Enum

CENTI = 100
MAX_SCU = 1_000_000
MAX_PRICE = 1_000_000_000
BASIS_POINTS = 10_000

# Digits, plain or in groups of three with a space or an apostrophe between, then one decimal separator.
_NUMBER = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:[ \u00a0\u2009\u202f'\u2019][0-9]{3})+|[0-9]*)(?:[.,](?P<decimals>[0-9]*))?"
)
_NEGATIVE = ("-", "\u2212", "\u2013")


class Reason(Enum):
    """Why something typed cannot be used."""

    NOT_A_NUMBER = "not a number"
    NEGATIVE = "negative"
    TOO_MANY_DECIMALS = "too many decimals"
    TOO_LARGE = "too large"
    NOT_WHOLE = "not whole"
    NOT_POSITIVE = "not positive"


class AmountError(ValueError):
    """What was typed cannot be used.

    :param reason: why; the words for it are the views' business.
    :param text: what was typed.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(f"{text!r}: {reason.value}")
        self.reason = reason
        self.text = text


def parse_quantity(text: str) -> int | None:
    """Read a quantity such as "12", "12.5", "12,5", "1 234.25" or "12 SCU".

    :param text: as typed.
    :returns: hundredths of an SCU; None for an empty field, which means that the ore was not sold.
    :raises AmountError: not a number, negative, more than two decimals, or above 1,000,000 SCU.
    """
    centi = _hundredths(re.sub(r"(?i)\s*scu$", "", text.strip()), text)
    if centi is not None and centi > MAX_SCU * CENTI:
        raise AmountError(Reason.TOO_LARGE, text)
    return centi


def parse_percent(text: str) -> int | None:
    """Read a percentage from 0 to 100 such as "10", "12.5" or "12,5 %".

    :returns: basis points, None for an empty field.
    :raises AmountError: as `parse_quantity`, or above 100.
    """
    points = _hundredths(text.strip().removesuffix("%").rstrip(), text)
    if points is not None and points > BASIS_POINTS:
        raise AmountError(Reason.TOO_LARGE, text)
    return points


def parse_price(text: str) -> int | None:
    """Read a price in whole aUEC per SCU.

    :returns: the price, None for an empty field.
    :raises AmountError: not a number, negative, zero, not whole, or above 1,000,000,000.
    """
    hundredths = _hundredths(re.sub(r"(?i)\s*auec$", "", text.strip()), text)
    if hundredths is None:
        return None
    if hundredths % CENTI:
        raise AmountError(Reason.NOT_WHOLE, text)
    price = hundredths // CENTI
    if price == 0:
        raise AmountError(Reason.NOT_POSITIVE, text)
    if price > MAX_PRICE:
        raise AmountError(Reason.TOO_LARGE, text)
    return price


def _hundredths(stripped: str, typed: str) -> int | None:
    if not stripped:
        return None
    negative = stripped.startswith(_NEGATIVE)
    match = _NUMBER.fullmatch(stripped[1:].lstrip() if negative else stripped)
    if match is None or not (match["whole"] or match["decimals"]):
        raise AmountError(Reason.NOT_A_NUMBER, typed)
    whole, decimals = re.sub(r"[^0-9]", "", match["whole"]), match["decimals"] or ""
    if negative:
        raise AmountError(Reason.NEGATIVE, typed)
    if len(whole.lstrip("0")) > 12:
        raise AmountError(Reason.TOO_LARGE, typed)
    if len(decimals) > 2:
        raise AmountError(Reason.TOO_MANY_DECIMALS, typed)
    return int(whole or "0") * CENTI + int(decimals.ljust(2, "0"))


def ore_value(centi_scu: int, price: int) -> int:
    """Return what ore is worth in whole aUEC, rounded half up once per line.

    :param centi_scu: hundredths of an SCU.
    :param price: whole aUEC per SCU.
    """
    return (centi_scu * price + CENTI // 2) // CENTI
