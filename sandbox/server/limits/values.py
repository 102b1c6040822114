"""The limits that commands and autocomplete answers share: choices, names, locales."""

from __future__ import annotations

import unicodedata
from typing import Any

from sandbox.server.limits.violation import Path, Report, shorten

MAX_CHOICES = 25
STRING, INTEGER, NUMBER = 3, 4, 10
# Discord keeps whole numbers and decimals inside what a double holds exactly.
MAX_EXACT = 2**53 - 1

_LOCALES = (
    "ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE "
    "th tr uk vi zh-CN zh-TW"
)
LOCALES = frozenset(_LOCALES.split())


def check_choices(report: Report, path: Path, value: Any, option_type: int | None) -> None:
    """Check a list of choices; `option_type` is 3, 4 or 10, or None when it is not known."""
    names: set[str] = set()
    for index, choice in enumerate(report.items(path, value, 0, MAX_CHOICES)):
        here = (*path, index)
        name = report.text((*here, "name"), choice.get("name"), 1, 100, required=True)
        check_localizations(report, here, choice, "name", 100, pattern=False)
        if name is not None and name in names:
            report.add(
                (*here, "name"),
                "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS",
                "Option choice name already exists",
            )
        if name is not None:
            names.add(name)
        _check_value(report, (*here, "value"), choice.get("value"), option_type)


def _check_value(report: Report, path: Path, value: Any, option_type: int | None) -> None:
    if value is None:
        report.missing(path)
    elif isinstance(value, str) and option_type in (None, STRING):
        report.text(path, value, 0, 100)
    elif (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or option_type == STRING
        or (option_type == INTEGER and not isinstance(value, int))
    ):
        wanted = {STRING: "a string", INTEGER: "an integer", NUMBER: "a number"}
        what = wanted.get(option_type or 0, "a string or a number")
        report.add(path, "APPLICATION_COMMAND_OPTIONS_CHOICE_VALUE_TYPE", f"{shorten(value)} is not {what}.")
    elif abs(value) > MAX_EXACT:
        report.add(path, "NUMBER_TYPE_MAX", f"The value must lie between -{MAX_EXACT} and {MAX_EXACT}.")


def check_name(report: Report, path: Path, value: Any) -> str | None:
    """Check the name of a slash command, group, subcommand or option, and return it when it is a text."""
    name = report.text(path, value, 1, 32, required=True)
    if name and not all(_is_name_character(one) for one in name):
        report.add(
            path,
            "STRING_TYPE_REGEX",
            "String value did not match validation regex: letters, digits, '-', '_' and apostrophes only.",
        )
    elif name and name != name.lower():
        report.add(
            path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid: use lower case letters."
        )
    return name


def _is_name_character(one: str) -> bool:
    if one in "-_'":
        return True
    # \p{L}, \p{N}, and every sign of the Devanagari and Thai scripts.
    return unicodedata.category(one)[0] in "LN" or "\u0900" <= one <= "\u097f" or "\u0e00" <= one <= "\u0e7f"


def check_localizations(
    report: Report, path: Path, owner: dict[str, Any], field: str, longest: int, *, pattern: bool
) -> None:
    """Check `<field>_localizations`: locales that Discord knows, and texts within the field's own limits."""
    where = (*path, f"{field}_localizations")
    texts = report.mapping(where, owner.get(f"{field}_localizations"))
    for locale, text in (texts or {}).items():
        if locale not in LOCALES:
            report.add(
                (*where, locale), "APPLICATION_COMMAND_INVALID_LOCALE", f"Discord has no locale {locale!r}."
            )
        if pattern:
            check_name(report, (*where, locale), text)
        else:
            report.text((*where, locale), text, 1, longest, required=True)


def localized_size(owner: dict[str, Any], field: str) -> int:
    """How many characters a field counts towards a command's size: its longest translation counts."""
    texts = [owner.get(field), *_values(owner.get(f"{field}_localizations"))]
    return max((len(text) for text in texts if isinstance(text, str)), default=0)


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []
