"""What people could use later of all that the bot said: its buttons, selects and forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from support.sunday_evening import custom_ids


@dataclass(frozen=True, slots=True)
class Used:
    """A component that the bot showed in A.

    :param kind: Discord's number; 0 for a form.
    :param choices: the values of a select's options.
    :param inputs: the ids of a form's inputs.
    """

    custom_id: str
    kind: int
    choices: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


def harvested(said: list[Any]) -> list[Used]:
    """Return every component and form in what the bot said, each once."""
    found: dict[str, Used] = {}

    def walk(part: Any) -> None:
        if isinstance(part, list):
            for each in part:
                walk(each)
            return
        if not isinstance(part, dict):
            return
        name, kind = part.get("custom_id"), part.get("type")
        if name and "title" in part:
            found[name] = Used(name, 0, inputs=tuple(custom_ids(part["components"])))
            return
        if name:
            choices = tuple(str(each["value"]) for each in part.get("options") or ())
            found[name] = Used(name, int(kind or 0), choices)
        for value in part.values():
            walk(value)

    walk(said)
    return list(found.values())
