"""Puts one id and one name in the place of others, however deep in JSON values: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Scrub:
    """Who goes, and what comes in their place.

    :param name: what the member was called; an empty one is nobody's.
    """

    user_id: int
    stand_in: int
    name: str
    new_name: str

    def text(self, value: str) -> str:
        """Return a text without the id; it is replaced by the new name when it is nothing but the name."""
        if self.name and value == self.name:
            return self.new_name
        return re.sub(rf"(?<!\d){self.user_id}(?!\d)", str(self.stand_in), value)

    def value(self, value: Any) -> Any:
        """Return JSON values without id and name."""
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return self.stand_in if value == self.user_id else value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value
