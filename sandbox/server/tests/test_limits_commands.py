"""Each written limit of application commands: one list just inside it, one just outside."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server.limits import check_commands


def command(name: str = "payroll", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "What it does", **more}


def option(name: str = "ore", kind: int = 3, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "description": "Which one", **more}


def one(*options: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [command(options=list(options), **more)]


def choices(count: int = 1, value: Any = "v", **more: Any) -> list[dict[str, Any]]:
    return [{"name": f"Ore {n}", "value": value, **more} for n in range(count)]


def many(count: int, kind: int = 1) -> list[dict[str, Any]]:
    if kind == 1:
        return [command(f"c{n}") for n in range(count)]
    return [{"name": f"Do {n}", "type": kind} for n in range(count)]


def sized(total: int) -> list[dict[str, Any]]:
    """A command of exactly `total` characters, in the longest values that choices can hold."""
    parts: list[dict[str, Any]] = []
    size = len("big") + 1
    for n in range(4):
        values = [{"name": f"{m:02d}", "value": "v" * 98} for m in range(25)]
        parts.append({"type": 3, "name": f"o{n}", "description": "d", "choices": values})
        size += 2 + 1 + 25 * 100
    return [{"name": "big", "description": "d", "options": _trim(parts, size - total)}]


def _trim(parts: list[dict[str, Any]], excess: int) -> list[dict[str, Any]]:
    for part in parts:
        for choice in part["choices"]:
            cut = min(excess, 97)
            choice["value"] = choice["value"][: 98 - cut]
            excess -= cut
    return parts


TYPE = "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"
FIELD = "APPLICATION_COMMAND_OPTIONS_FIELD_INVALID"

COMMANDS: dict[str, tuple[Any, Any, str, tuple[str | int, ...]]] = {
    "a list": ([], {}, "LIST_TYPE_CONVERT", ()),
    "slash commands": (many(100), many(101), "MAX_APPLICATION_COMMANDS_REACHED", ()),
    "user commands": (many(15, 2), many(16, 2), "MAX_APPLICATION_COMMANDS_REACHED", ()),
    "same name": (
        [command("a"), {"name": "a", "type": 2}],
        [command("a"), command("a")],
        "APPLICATION_COMMANDS_DUPLICATE_NAME",
        (1, "name"),
    ),
    "type": ([command(type=1)], [command(type=9)], "BASE_TYPE_CHOICES", (0, "type")),
    "name pattern": ([command("pay-roll_'2")], [command("pay roll")], "STRING_TYPE_REGEX", (0, "name")),
    "name of other scripts": ([command("भाषा")], [command("pay/roll")], "STRING_TYPE_REGEX", (0, "name")),
    "name case": ([command("löhne")], [command("Löhne")], "APPLICATION_COMMAND_INVALID_NAME", (0, "name")),
    "name length": ([command("n" * 32)], [command("n" * 33)], "BASE_TYPE_BAD_LENGTH", (0, "name")),
    "name missing": ([command()], [{"description": "d"}], "BASE_TYPE_REQUIRED", (0, "name")),
    "description length": (
        [command(description="d" * 100)],
        [command(description="d" * 101)],
        "BASE_TYPE_BAD_LENGTH",
        (0, "description"),
    ),
    "description missing": ([command()], [{"name": "a"}], "BASE_TYPE_REQUIRED", (0, "description")),
    "description empty": ([command()], [command(description="")], "BASE_TYPE_REQUIRED", (0, "description")),
    "context menu description": (
        [{"name": "Pay Out", "type": 2}],
        [{"name": "Pay Out", "type": 2, "description": "d"}],
        "APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED",
        (0, "description"),
    ),
    "context menu options": (
        [{"name": "Pay Out", "type": 3}],
        [{"name": "Pay Out", "type": 3, "options": [option()]}],
        "APPLICATION_COMMAND_OPTIONS_NOT_ALLOWED",
        (0, "options"),
    ),
    "locale": (
        [command(name_localizations={"de": "lohn"})],
        [command(name_localizations={"de-DE": "lohn"})],
        "APPLICATION_COMMAND_INVALID_LOCALE",
        (0, "name_localizations", "de-DE"),
    ),
    "localized name": (
        [command(name_localizations={"de": "lohn"})],
        [command(name_localizations={"de": "Lohn"})],
        "APPLICATION_COMMAND_INVALID_NAME",
        (0, "name_localizations", "de"),
    ),
    "localized description": (
        one(option(description_localizations={"fr": "d" * 100})),
        one(option(description_localizations={"fr": "d" * 101})),
        "BASE_TYPE_BAD_LENGTH",
        (0, "options", 0, "description_localizations", "fr"),
    ),
    "options": (
        one(*[option(f"o{n}") for n in range(25)]),
        one(*[option(f"o{n}") for n in range(26)]),
        "BASE_TYPE_MAX_LENGTH",
        (0, "options"),
    ),
    "option type": (
        one(option(kind=11)),
        one(option(kind=12)),
        "BASE_TYPE_CHOICES",
        (0, "options", 0, "type"),
    ),
    "option name": (
        one(option("ore")),
        one(option("Ore")),
        "APPLICATION_COMMAND_INVALID_NAME",
        (0, "options", 0, "name"),
    ),
    "option description": (
        one(option()),
        one({"type": 3, "name": "ore"}),
        "BASE_TYPE_REQUIRED",
        (0, "options", 0, "description"),
    ),
    "same option": (
        one(option("a"), option("b")),
        one(option("a"), option("a")),
        "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
        (0, "options", 1, "name"),
    ),
    "required after optional": (
        one(option("a", required=True), option("b")),
        one(option("a"), option("b", required=True)),
        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        (0, "options", 1),
    ),
    "choices and autocomplete": (
        one(option(choices=choices(), autocomplete=False)),
        one(option(choices=choices(), autocomplete=True)),
        "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
        (0, "options", 0, "autocomplete"),
    ),
    "choices": (
        one(option(choices=choices(25))),
        one(option(choices=choices(26))),
        "BASE_TYPE_MAX_LENGTH",
        (0, "options", 0, "choices"),
    ),
    "same choice": (
        one(option(choices=choices(2))),
        one(option(choices=choices(2, name="Gold"))),
        "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS",
        (0, "options", 0, "choices", 1, "name"),
    ),
    "choice type": (
        one(option(kind=4, choices=choices(value=1))),
        one(option(kind=4, choices=choices(value="1"))),
        "APPLICATION_COMMAND_OPTIONS_CHOICE_VALUE_TYPE",
        (0, "options", 0, "choices", 0, "value"),
    ),
    "choice value": (
        one(option(choices=choices(value="v" * 100))),
        one(option(choices=choices(value="v" * 101))),
        "BASE_TYPE_MAX_LENGTH",
        (0, "options", 0, "choices", 0, "value"),
    ),
    "choice number": (
        one(option(kind=4, choices=choices(value=2**53 - 1))),
        one(option(kind=4, choices=choices(value=2**53))),
        "NUMBER_TYPE_MAX",
        (0, "options", 0, "choices", 0, "value"),
    ),
    "choices of a channel": (
        one(option(kind=7, channel_types=[2])),
        one(option(kind=7, choices=choices())),
        FIELD,
        (0, "options", 0, "choices"),
    ),
    "channel types of a string": (
        one(option(kind=7, channel_types=[2])),
        one(option(kind=3, channel_types=[2])),
        FIELD,
        (0, "options", 0, "channel_types"),
    ),
    "value range": (
        one(option(kind=10, min_value=1.5, max_value=1.5)),
        one(option(kind=10, min_value=1.6, max_value=1.5)),
        "APPLICATION_COMMAND_OPTIONS_RANGE_INVALID",
        (0, "options", 0, "min_value"),
    ),
    "value of a string": (
        one(option(kind=4, min_value=0)),
        one(option(min_value=0)),
        FIELD,
        (0, "options", 0, "min_value"),
    ),
    "decimal bound of an integer": (
        one(option(kind=4, min_value=1)),
        one(option(kind=4, min_value=1.5)),
        "NUMBER_TYPE_COERCE",
        (0, "options", 0, "min_value"),
    ),
    "length range": (
        one(option(min_length=2, max_length=2)),
        one(option(min_length=3, max_length=2)),
        "APPLICATION_COMMAND_OPTIONS_RANGE_INVALID",
        (0, "options", 0, "min_length"),
    ),
    "length": (
        one(option(max_length=6000)),
        one(option(max_length=6001)),
        "NUMBER_TYPE_MAX",
        (0, "options", 0, "max_length"),
    ),
    "plain beside subcommand": (
        one(option("a", 1), option("b", 1)),
        one(option("a", 1), option("b", 3)),
        TYPE,
        (0, "options", 1, "type"),
    ),
    "plain in a group": (
        one(option("g", 2, options=[option("a", 1)])),
        one(option("g", 2, options=[option("a", 3)])),
        TYPE,
        (0, "options", 0, "options", 0, "type"),
    ),
    "group in a group": (
        one(option("g", 2, options=[option("a", 1, options=[option()])])),
        one(option("g", 2, options=[option("a", 2)])),
        TYPE,
        (0, "options", 0, "options", 0, "type"),
    ),
    "subcommand in a subcommand": (
        one(option("a", 1, options=[option()])),
        one(option("a", 1, options=[option("b", 1)])),
        TYPE,
        (0, "options", 0, "options", 0, "type"),
    ),
    "contexts": (
        [{**one()[0], "contexts": [0, 1]}],
        [{**one()[0], "contexts": [3]}],
        "BASE_TYPE_CHOICES",
        (0, "contexts", 0),
    ),
    "installations": (
        [{**one()[0], "integration_types": [0]}],
        [{**one()[0], "integration_types": [0, 0]}],
        "SET_TYPE_ALREADY_CONTAINS_VALUE",
        (0, "integration_types"),
    ),
    "needed permissions": (
        [{**one()[0], "default_member_permissions": "32"}],
        [{**one()[0], "default_member_permissions": "MANAGE_GUILD"}],
        "NUMBER_TYPE_COERCE",
        (0, "default_member_permissions"),
    ),
    "types of channels": (
        one(option("where", 7, channel_types=[0, 2])),
        one(option("where", 7, channel_types=[0, 42])),
        "BASE_TYPE_CHOICES",
        (0, "options", 0, "channel_types", 1),
    ),
    "required": (
        one(option("a", 3, required=True)),
        one(option("a", 3, required="yes")),
        "BOOLEAN_TYPE_CONVERT",
        (0, "options", 0, "required"),
    ),
    "subcommands": (
        one(*[option(f"s{n}", 1) for n in range(25)]),
        one(*[option(f"s{n}", 1) for n in range(26)]),
        "BASE_TYPE_MAX_LENGTH",
        (0, "options"),
    ),
    "size": (sized(8000), sized(8001), "APPLICATION_COMMAND_TOO_LARGE", (0,)),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_limit(name: str) -> None:
    good, bad, code, path = COMMANDS[name]
    assert check_commands(good) == []
    found = check_commands(bad)
    assert (code, path) in {(one.code, one.path) for one in found}, [str(one) for one in found]


def test_only_the_longest_translation_counts_towards_the_size() -> None:
    short = sized(7990)
    short[0]["name_localizations"] = {"de": "gross", "fr": "grand", "es-ES": "grande"}
    assert check_commands(short) == []
    short[0]["description_localizations"] = {"de": "d" * 9}
    assert [one.code for one in check_commands(short)] == ["APPLICATION_COMMAND_TOO_LARGE"]
