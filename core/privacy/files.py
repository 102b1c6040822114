"""What is handed out, as JSON files that Discord takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any

#: Bytes of one file; Discord takes 10 MiB everywhere.
LARGEST_FILE = 10_000_000
#: Whole numbers above it lose digits in readers that know doubles only, as those in browsers do.
_EXACT = 2**53


class TooLarge(Exception):
    """One single value is larger than a file may be."""


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it: times as ISO text, large numbers such as ids as text.

    :raises TypeError: it holds something that JSON cannot.
    """
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return jsonable(asdict(value))
    raise TypeError(f"{type(value).__name__} is no JSON value")


def files_of(stem: str, document: Any, largest: int = LARGEST_FILE) -> list[tuple[str, bytes]]:
    """Return a document as one file, or as several of the same shape that together hold all of it.

    :param stem: the files' name without its ending.
    :param document: JSON values.
    :param largest: bytes of a file.
    :raises TooLarge: a single value does not fit.
    """
    parts = list(_parts(document, largest))
    if len(parts) == 1:
        return [(f"{stem}.json", parts[0])]
    return [(f"{stem}-{number}-of-{len(parts)}.json", part) for number, part in enumerate(parts, start=1)]


def _parts(document: Any, largest: int) -> Iterator[bytes]:
    whole = json.dumps(document, ensure_ascii=False, indent=1).encode()
    if len(whole) <= largest:
        yield whole
        return
    for half in _halves(document):
        yield from _parts(half, largest)


def _halves(value: Any) -> tuple[Any, Any]:
    match value:
        case dict() if len(value) > 1:
            items = list(value.items())
            middle = len(items) // 2
            return dict(items[:middle]), dict(items[middle:])
        case list() if len(value) > 1:
            middle = len(value) // 2
            return value[:middle], value[middle:]
        case dict() if value:
            [(key, only)] = value.items()
            first, second = _halves(only)
            return {key: first}, {key: second}
        case list() if value:
            first, second = _halves(value[0])
            return [first], [second]
    raise TooLarge
