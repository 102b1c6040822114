"""The fields of a flat body, each checked by what Discord says of its kind."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sandbox.server.limits.violation import Path, Report, Violation, shorten

_LARGEST_ID = 2**63 - 1


class Fields:
    """Checks named fields of one JSON object; absent and null ones pass unless they are required."""

    def __init__(self, body: Any, path: Path = (), report: Report | None = None) -> None:
        self._report = report or Report()
        self._path = path
        self._body = self._report.mapping(path, body, required=True) or {}

    def __contains__(self, name: str) -> bool:
        return name in self._body

    @property
    def violations(self) -> list[Violation]:
        """Return what was found."""
        return self._report.violations

    def add(self, name: str, code: str, message: str) -> None:
        """Record that a field breaks a limit of its own kind."""
        self._report.add((*self._path, name), code, message)

    def text(self, name: str, low: int, high: int, *, required: bool = False) -> str | None:
        """Check a text's length in characters."""
        return self._report.text((*self._path, name), self._body.get(name), low, high, required=required)

    def number(self, name: str, low: int, high: int, *, required: bool = False) -> int | None:
        """Check a whole number."""
        value = self._body.get(name)
        if value is None and required:
            self._report.missing((*self._path, name))
        return self._report.number((*self._path, name), value, low, high)

    def flag(self, name: str) -> None:
        """Check that a field is true or false."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, bool):
            self.add(name, "BOOLEAN_TYPE_CONVERT", f"Must be either true or false, not {shorten(value)}.")

    def choice(self, name: str, allowed: Collection[int], *, required: bool = False) -> int | None:
        """Check that a number is one of some."""
        value = self._body.get(name)
        if value is None:
            if required:
                self._report.missing((*self._path, name))
            return None
        if isinstance(value, bool) or value not in allowed:
            self._report.choice((*self._path, name), value, sorted(allowed))
            return None
        return int(value)

    def bits(self, name: str) -> int:
        """Check permission bits, which come as a number or as its digits."""
        value = self._body.get(name)
        if value is None:
            return 0
        good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if good or (isinstance(value, str) and value.isascii() and value.isdigit()):
            return int(value)
        self.add(name, "NUMBER_TYPE_COERCE", f"Value {shorten(value)} is not int.")
        return 0

    def id(self, name: str, *, required: bool = False) -> int | None:
        """Check an id, which comes as digits or as a number."""
        value = self._body.get(name)
        if value is None:
            if required:
                self._report.missing((*self._path, name))
            return None
        return self._snowflake((*self._path, name), value)

    def ids(self, name: str, low: int, high: int, *, required: bool = False) -> list[int]:
        """Check a list of ids and its length."""
        value = self._body.get(name)
        if value is None:
            if required:
                self._report.missing((*self._path, name))
            return []
        if not isinstance(value, list):
            self.add(name, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
            return []
        if not low <= len(value) <= high:
            words = (
                f"Must be between {low} and {high} in length."
                if low
                else f"Must be {high} or fewer in length."
            )
            self.add(name, "BASE_TYPE_BAD_LENGTH" if low else "BASE_TYPE_MAX_LENGTH", words)
        found = [self._snowflake((*self._path, name, index), each) for index, each in enumerate(value)]
        return [each for each in found if each is not None]

    def items(self, name: str, low: int, high: int) -> list[Fields]:
        """Check a list of objects and its length, and return the fields of each."""
        path = (*self._path, name)
        listed = self._report.items(path, self._body.get(name), low, high)
        return [Fields(each, (*path, index), self._report) for index, each in enumerate(listed)]

    def object(self, name: str) -> None:
        """Check that a field is an object."""
        self._report.mapping((*self._path, name), self._body.get(name))

    def moment(self, name: str, *, required: bool = False) -> datetime | None:
        """Check a time in ISO 8601, which without an offset is UTC."""
        value = self._body.get(name)
        if value is None:
            if required:
                self._report.missing((*self._path, name))
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.add(name, "DATE_TIME_TYPE_PARSE", f"Could not parse {shorten(value)}. Should be ISO8601.")
            return None
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

    def _snowflake(self, path: Path, value: Any) -> int | None:
        digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 21
        if digits or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            number = int(value)
            if number <= _LARGEST_ID:
                return number
        self._report.add(path, "NUMBER_TYPE_COERCE", f"Value {shorten(value)} is not snowflake.")
        return None
