"""What Discord takes in a slash command, checked before a menu is built from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Slash commands that one menu may hold.
MOST_COMMANDS = 100
#: Sub-commands of a group, and options of a command.
MOST_OPTIONS = 25
#: Choices of one option.
MOST_CHOICES = 25
#: Characters of a description or of a choice.
LONGEST_TEXT = 100
#: Characters of names, descriptions and choice values of one command, all the way down.
LARGEST = 8_000
#: The kinds of option that are a sub-command or a group of them.
BRANCHES = (1, 2)


def problem_of(payload: Mapping[str, Any]) -> str | None:
    """Say what Discord would refuse in a command's payload, or None.

    Names are left out: discord.py has checked them.

    :param payload: of a top-level command, as discord.py builds it.
    """
    problem = _problem(payload, f"/{payload['name']}")
    if problem is None and (size := _size(payload)) > LARGEST:
        problem = (
            f"/{payload['name']} has {size:,} characters in its names, descriptions and choices, "
            f"and Discord takes {LARGEST:,}; shorten some"
        )
    return problem


def _problem(node: Mapping[str, Any], path: str) -> str | None:
    if (problem := _of_text(str(node.get("description", "")), f"the description of {path}")) is not None:
        return problem
    options: list[Mapping[str, Any]] = node.get("options") or []
    if len(options) > MOST_OPTIONS:
        kind = "sub-commands" if options[0]["type"] in BRANCHES else "options"
        return f"{path} has {len(options)} {kind}, and Discord takes {MOST_OPTIONS}"
    optional: str | None = None
    for option in options:
        if option["type"] in BRANCHES:
            problem = _problem(option, f"{path} {option['name']}")
        else:
            problem = _of_option(option, path, optional)
            if not option.get("required"):
                optional = str(option["name"])
        if problem is not None:
            return problem
    return None


def _of_option(option: Mapping[str, Any], path: str, optional: str | None) -> str | None:
    name = f"the option {option['name']} of {path}"
    if optional is not None and option.get("required"):
        return f"{name} is required, but stands after {optional}, which is not; put it before"
    if (problem := _of_text(str(option["description"]), f"the description of {name}")) is not None:
        return problem
    choices = option.get("choices") or ()
    if len(choices) > MOST_CHOICES:
        return f"{name} has {len(choices)} choices, and Discord takes {MOST_CHOICES}; use autocomplete"
    if choices and option.get("autocomplete"):
        return f"{name} has both choices and autocomplete; Discord takes one of them"
    named = [choice["name"] for choice in choices]
    if len(set(named)) < len(named):
        return f"{name} has two choices of one name; rename one"
    for choice in choices:
        for text in (choice["name"], choice["value"]):
            if isinstance(text, str) and (problem := _of_text(text, f"a choice of {name}")) is not None:
                return problem
    return None


def _of_text(text: str, what: str) -> str | None:
    if not text.strip():
        return f"{what} is empty; write one"
    if len(text) > LONGEST_TEXT:
        return f"{what} has {len(text)} characters, and Discord takes {LONGEST_TEXT}; shorten it"
    return None


def _size(node: Mapping[str, Any]) -> int:
    """Return the characters that count towards `LARGEST`."""
    own = sum(len(node[key]) for key in ("name", "description", "value") if isinstance(node.get(key), str))
    return own + sum(_size(inner) for key in ("options", "choices") for inner in node.get(key) or ())
