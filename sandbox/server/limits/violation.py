"""One broken limit, the collector that gathers them, and Discord's error body made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

EMPTY_MESSAGE = "EMPTY_MESSAGE"


@dataclass(frozen=True, slots=True)
class Violation:
    """One limit that a body breaks: where, Discord's name for it, and words for a person."""

    path: Path
    code: str
    message: str

    def __str__(self) -> str:
        where = ".".join(str(step) for step in self.path) or "body"
        return f"{where}: {self.message} [{self.code}]"


class Report:
    """Collects violations while a body is walked, with the checks that many fields share."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def add(self, path: Path, code: str, message: str) -> None:
        """Record that the value at `path` breaks the limit `code`, told to a person by `message`."""
        self.violations.append(Violation(path, code, message))

    def text(self, path: Path, value: Any, low: int, high: int, *, required: bool = False) -> str | None:
        """Check a text's length in characters and return it, or None when it is absent or no text."""
        if value is None:
            if required:
                self.missing(path)
            return None
        if not isinstance(value, str):
            self.add(path, "STRING_TYPE_CONVERT", f"Could not interpret {shorten(value)} as string.")
            return None
        if not low <= len(value) <= high:
            if low == 0:
                self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
            elif not value and required:
                self.missing(path)
            else:
                self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        return str(value)

    def items(
        self, path: Path, value: Any, low: int, high: int, *, required: bool = False
    ) -> Sequence[dict[str, Any]]:
        """Check a list of objects and its length, and return the list (empty when it is no such list)."""
        if value is None:
            if required:
                self.missing(path)
            return ()
        if not isinstance(value, list):
            self.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
            return ()
        if not low <= len(value) <= high:
            if low == 0:
                self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
            else:
                self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        good = True
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                good = False
                self.add((*path, index), "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType.")
        return value if good else ()

    def mapping(self, path: Path, value: Any, *, required: bool = False) -> dict[str, Any] | None:
        """Return the object at `path`, or None (with a violation) when it is something else."""
        if value is None:
            if required:
                self.missing(path)
            return None
        if isinstance(value, dict):
            return value
        self.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType.")
        return None

    def number(self, path: Path, value: Any, low: int, high: int) -> int | None:
        """Check a whole number's range and return it, or None when it is absent or no whole number."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(path, "NUMBER_TYPE_COERCE", f"Value {shorten(value)} is not int.")
            return None
        if value < low:
            self.add(path, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {low}.")
        elif value > high:
            self.add(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.")
        return value

    def missing(self, path: Path) -> None:
        """Record that a required field is not there."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def choice(self, path: Path, value: Any, allowed: Sequence[Any]) -> None:
        """Record that a value is none of those allowed."""
        names = ", ".join(str(one) for one in allowed)
        self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {{{names}}}, not {shorten(value)}.")


def shorten(value: Any) -> str:
    """A value as text short enough for an error message."""
    words = repr(value)
    return words if len(words) <= 60 else words[:57] + "..."


def error_body(violations: Sequence[Violation]) -> dict[str, Any]:
    """Discord's 400 body for broken limits: code 50035 with an error tree, or 50006 for an empty message.

    An empty message has its own code at Discord, and its answer carries no tree.
    Raises ValueError when there is no violation to tell of.
    """
    if not violations:
        raise ValueError("error_body needs at least one violation")
    if all(one.code == EMPTY_MESSAGE for one in violations):
        return {"code": 50006, "message": "Cannot send an empty message"}
    tree: dict[str, Any] = {}
    for one in violations:
        node = tree
        for step in one.path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": one.code, "message": one.message})
    return {"code": 50035, "message": "Invalid Form Body", "errors": tree}
