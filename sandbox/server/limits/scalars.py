"""The limits of single values that many bodies share: ids, moments, addresses, emojis, flags, kinds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sandbox.server.limits.violation import Path, Report, shorten

CHANNEL_TYPES = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16)
MENTIONS = ("users", "roles", "everyone")
_LARGEST_ID = 2**64 - 1


def check_id(report: Report, path: Path, value: Any, *, required: bool = False) -> None:
    """Check an id: the digits of a number that fits into 64 bits, or the number itself."""
    if value is None:
        if required:
            report.missing(path)
        return
    is_number = isinstance(value, int) and not isinstance(value, bool)
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
    if not (is_number or is_digits) or not 0 <= int(value) <= _LARGEST_ID:
        report.add(path, "NUMBER_TYPE_COERCE", f"Value {shorten(value)} is not snowflake.")


def check_flag(report: Report, path: Path, value: Any) -> None:
    """Check that a value is true, false or absent."""
    if value is not None and not isinstance(value, bool):
        report.add(path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")


def check_moment(report: Report, path: Path, value: Any) -> None:
    """Check an ISO 8601 time."""
    text = report.text(path, value, 0, 100)
    if not text:
        return
    try:
        datetime.fromisoformat(text)
    except ValueError:
        report.add(
            path, "DATE_TIME_TYPE_PARSE", f"Could not parse {shorten(text)}. Should be ISO8601 formatted."
        )


def check_link(report: Report, path: Path, value: Any, longest: int = 2048) -> None:
    """Check an address that people may open: http or https, and one that leads somewhere."""
    url = report.text(path, value, 0, longest)
    if not url:
        return
    scheme, _, rest = url.partition("://")
    if scheme not in {"http", "https"}:
        report.add(
            path,
            "URL_TYPE_INVALID_SCHEME",
            f"Scheme {shorten(scheme)} is not supported. Scheme must be one of ('http', 'https').",
        )
    elif not rest or rest.startswith("/") or any(each.isspace() for each in url):
        report.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")


def check_emoji(report: Report, path: Path, value: Any) -> None:
    """Check the emoji of a button or an option: a name, and for one of a guild's own an id."""
    emoji = report.mapping(path, value)
    if emoji is None:
        return
    check_id(report, (*path, "id"), emoji.get("id"))
    if emoji.get("id") is None:
        report.text((*path, "name"), emoji.get("name"), 1, 32, required=True)


def check_kinds(report: Report, path: Path, value: Any, allowed: Sequence[Any]) -> None:
    """Check a list of which each value is one of those allowed, none twice."""
    if value is None:
        return
    if not isinstance(value, list):
        report.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
        return
    for index, each in enumerate(value):
        if isinstance(each, bool) or each not in allowed:
            report.choice((*path, index), each, allowed)
    if len({repr(each) for each in value}) != len(value):
        report.add(path, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value")
