"""What a control request carries, read with words for whoever got it wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web

from sandbox.server.errors import Refused

_LONGEST_ID = 20


class Body:
    """The JSON object of a request, or its query; each reader checks one field and names it in errors."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def id(self, name: str) -> int:
        """A required id, as a string of digits or a number. Raises Refused."""
        found = self.optional_id(name)
        if found is None:
            raise Refused(f'{name} is missing: give an id, such as "{name}": "1234"')
        return found

    def optional_id(self, name: str) -> int | None:
        """An id, or None when it is absent or null. Raises Refused."""
        value = self._fields.get(name)
        return None if value is None else read_id(value, name)

    def count(self, name: str, most: int) -> int:
        """A whole number from 0 to `most`, which it is when absent. Raises Refused."""
        value = self._fields.get(name, most)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise Refused(f"{name} must be a whole number from 0 to {most}, {_but(value)}")
        return value

    def text(self, name: str) -> str:
        """A required text. Raises Refused."""
        value = self._fields.get(name)
        if not isinstance(value, str) or not value:
            raise Refused(f"{name} must be a text, {_but(value)}")
        return value

    def is_null(self, name: str) -> bool:
        """Whether a field is null."""
        return self._fields.get(name, False) is None

    def plain(self, name: str) -> str | int | bool | None:
        """A text, a whole number, true, false or null. Raises Refused."""
        value = self._fields.get(name)
        if value is not None and not isinstance(value, str | int):
            raise Refused(f"{name} must be a text, a whole number, true, false or null, {_but(value)}")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """An object, empty when absent. Raises Refused."""
        value = self._fields.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise Refused(f'{name} must be an object, such as {{"name": value}}, {_but(value)}')
        return value

    def values(self, name: str) -> list[Any]:
        """A required list. Raises Refused."""
        value = self._fields.get(name)
        if not isinstance(value, list):
            raise Refused(f"{name} must be a list, {_but(value)}")
        return value

    def flag(self, name: str) -> bool:
        """True or false, false when absent. Raises Refused."""
        value = self._fields.get(name, False)
        if not isinstance(value, bool):
            raise Refused(f"{name} must be true or false, {_but(value)}")
        return value

    def seconds(self, name: str, *, most: float, default: float | None = None) -> float:
        """A number of seconds from 0 to `most`; required unless there is a default. Raises Refused."""
        value = self._fields.get(name, default)
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not good or not 0 <= value <= most:
            raise Refused(f"{name} must be a number of seconds from 0 to {most:.0f}, {_but(value)}")
        return float(value)

    def share(self, name: str, *, default: float) -> float:
        """A number from 0 to 1, such as a probability. Raises Refused."""
        value = self._fields.get(name, default)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not 0 <= value <= 1:
            raise Refused(f"{name} must be a number from 0 to 1, {_but(value)}")
        return float(value)


async def read_body(request: web.Request, known: Collection[str]) -> Body:
    """Read a request's JSON object, of which `known` are the fields. Raises Refused (400)."""
    data = await request.read()
    try:
        fields = json.loads(data or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the body is not JSON: {error}") from error
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Refused("the body holds half a surrogate pair, which is no text") from error
    if not isinstance(fields, dict):
        raise Refused(f"the body must be a JSON object with {', '.join(known)}")
    _check_known(fields, known, "field")
    return Body(fields)


def read_query(request: web.Request, known: Collection[str]) -> Body:
    """Read a request's query parameters, of which `known` are the names. Raises Refused (400)."""
    _check_known(request.query, known, "query parameter")
    return Body(request.query)


def read_id(value: Any, name: str) -> int:
    """Read an id: a whole number, or its digits as text. Raises Refused (400)."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID:
        return int(value)
    raise Refused(f'{name} must be an id, such as "1234", {_but(value)}')


def _check_known(fields: Mapping[str, Any], known: Collection[str], kind: str) -> None:
    for name in fields:
        if name not in known:
            allowed = ", ".join(known) or "none at all"
            raise Refused(f"there is no {kind} {name!r} here; there are: {allowed}")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _but(value: Any) -> str:
    if value is None:
        return "but it is missing"
    words = json.dumps(value, ensure_ascii=False, default=str)
    return f"not {words if len(words) <= 80 else words[:77] + '...'}"
