"""The limits of application commands: how many, names, nesting, options, 8,000 characters."""

from __future__ import annotations

from typing import Any

from sandbox.server.limits.scalars import CHANNEL_TYPES, check_flag, check_id, check_kinds
from sandbox.server.limits.values import (
    INTEGER,
    MAX_EXACT,
    NUMBER,
    STRING,
    check_choices,
    check_localizations,
    check_name,
    localized_size,
)
from sandbox.server.limits.violation import Path, Report, Violation

CHAT_INPUT, USER, MESSAGE, ENTRY_POINT = 1, 2, 3, 4
SUBCOMMAND, GROUP, CHANNEL = 1, 2, 7
MAX_OF_TYPE = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15, ENTRY_POINT: 1}
MAX_SIZE = 8000
MAX_OPTIONS = 25
_CHOOSING = (STRING, INTEGER, NUMBER)


def check_commands(commands: Any) -> list[Violation]:
    """Check the whole list of commands of one scope (global, or one guild) against Discord's limits.

    For a single command pass a list of one, and drop the leading 0 of each path.
    Returns every violation, an empty list for a good list.
    """
    report = Report()
    # The limit of the list as a whole is told per type below.
    listed = report.items((), commands, 0, 10_000)
    counts: dict[int, int] = {}
    names: set[tuple[int, str]] = set()
    for index, command in enumerate(listed):
        path: Path = (index,)
        kind = command.get("type") or CHAT_INPUT
        if isinstance(kind, bool) or not isinstance(kind, int) or kind not in MAX_OF_TYPE:
            report.choice((*path, "type"), kind, tuple(MAX_OF_TYPE))
            continue
        counts[kind] = counts.get(kind, 0) + 1
        name = _check_command(report, path, command, kind)
        if name is None:
            continue
        if (kind, name) in names:
            report.add(
                (*path, "name"),
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                f"Application command names must be unique: {name!r} is there twice",
            )
        names.add((kind, name))
    for kind, count in counts.items():
        if count > MAX_OF_TYPE[kind]:
            report.add(
                (),
                "MAX_APPLICATION_COMMANDS_REACHED",
                f"Maximum number of application commands of type {kind} reached "
                f"({MAX_OF_TYPE[kind]}): {count}",
            )
    return report.violations


def _check_command(report: Report, path: Path, command: dict[str, Any], kind: int) -> str | None:
    name: str | None
    if kind == CHAT_INPUT:
        name = check_name(report, (*path, "name"), command.get("name"))
        _check_description(report, path, command)
        check_localizations(report, path, command, "name", 32, pattern=True)
        _check_options(report, (*path, "options"), command.get("options"), (SUBCOMMAND, GROUP), depth=0)
    else:
        name = report.text((*path, "name"), command.get("name"), 1, 32, required=True)
        check_localizations(report, path, command, "name", 32, pattern=False)
        if kind != ENTRY_POINT:
            _refuse_on_context_menu(report, path, command)
    check_kinds(report, (*path, "contexts"), command.get("contexts"), (0, 1, 2))
    check_kinds(report, (*path, "integration_types"), command.get("integration_types"), (0, 1))
    check_flag(report, (*path, "nsfw"), command.get("nsfw"))
    # The bits of permissions are digits that fit into 64 bits, like an id's.
    check_id(report, (*path, "default_member_permissions"), command.get("default_member_permissions"))
    size = _size(command)
    if size > MAX_SIZE:
        report.add(
            path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({MAX_SIZE}): {size}"
        )
    return name


def _refuse_on_context_menu(report: Report, path: Path, command: dict[str, Any]) -> None:
    if command.get("description"):
        report.add(
            (*path, "description"),
            "APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED",
            "Context menu commands cannot have description",
        )
    if command.get("options"):
        report.add(
            (*path, "options"),
            "APPLICATION_COMMAND_OPTIONS_NOT_ALLOWED",
            "Context menu commands cannot have options",
        )


def _check_description(report: Report, path: Path, owner: dict[str, Any]) -> None:
    report.text((*path, "description"), owner.get("description"), 1, 100, required=True)
    check_localizations(report, path, owner, "description", 100, pattern=False)


def _check_options(report: Report, path: Path, value: Any, branches: tuple[int, ...], *, depth: int) -> None:
    """Check the options at one level; `branches` are the kinds of sub-command that may stand here."""
    options = report.items(path, value, 0, MAX_OPTIONS)
    names: set[str] = set()
    optional_seen = False
    nested = [one for one in options if one.get("type") in (SUBCOMMAND, GROUP)]
    for index, option in enumerate(options):
        here = (*path, index)
        kind = option.get("type")
        name = check_name(report, (*here, "name"), option.get("name"))
        check_localizations(report, here, option, "name", 32, pattern=True)
        _check_description(report, here, option)
        if name is not None and name in names:
            report.add(
                (*here, "name"),
                "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                f"Option name already exists: {name!r}",
            )
        if name is not None:
            names.add(name)
        if kind not in range(1, 12) or isinstance(kind, bool):
            report.choice((*here, "type"), kind, tuple(range(1, 12)))
        elif kind in (SUBCOMMAND, GROUP):
            if kind not in branches:
                report.add(
                    (*here, "type"),
                    "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
                    "Sub-command and sub-command group option types are mutually exclusive to all other "
                    "types: a group holds subcommands, a subcommand holds plain options",
                )
            else:
                deeper = (SUBCOMMAND,) if kind == GROUP else ()
                _check_options(report, (*here, "options"), option.get("options"), deeper, depth=depth + 1)
        else:
            if nested or (depth and SUBCOMMAND in branches):
                report.add(
                    (*here, "type"),
                    "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
                    "Plain options cannot stand beside subcommands or directly in a group",
                )
            if option.get("required") and optional_seen:
                report.add(
                    here,
                    "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                    "Required options must be placed before non-required options",
                )
            optional_seen = optional_seen or not option.get("required")
            _check_plain(report, here, option)


def _check_plain(report: Report, path: Path, option: dict[str, Any]) -> None:
    kind = option["type"]
    choices = option.get("choices")
    if choices and option.get("autocomplete"):
        report.add(
            (*path, "autocomplete"),
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
            "Autocomplete cannot be enabled for an option that has choices",
        )
    if kind in _CHOOSING:
        check_choices(report, (*path, "choices"), choices, kind)
    else:
        for name in ("choices", "autocomplete"):
            if option.get(name):
                report.add(
                    (*path, name),
                    "APPLICATION_COMMAND_OPTIONS_FIELD_INVALID",
                    f"Only string, integer and number options take {name}",
                )
    for fields, kinds, words in (
        (("min_value", "max_value"), (INTEGER, NUMBER), "integer and number options take"),
        (("min_length", "max_length"), (STRING,), "string options take"),
        (("channel_types",), (CHANNEL,), "channel options take"),
    ):
        for name in fields:
            if option.get(name) is not None and kind not in kinds:
                report.add((*path, name), "APPLICATION_COMMAND_OPTIONS_FIELD_INVALID", f"Only {words} {name}")
    if kind == CHANNEL:
        check_kinds(report, (*path, "channel_types"), option.get("channel_types"), CHANNEL_TYPES)
    for name in ("required", "autocomplete"):
        check_flag(report, (*path, name), option.get(name))
    if kind == STRING:
        low = report.number((*path, "min_length"), option.get("min_length"), 0, 6000)
        high = report.number((*path, "max_length"), option.get("max_length"), 1, 6000)
        _check_order(report, path, "length", low, high)
    elif kind in (INTEGER, NUMBER):
        _check_order(
            report,
            path,
            "value",
            _bound(report, path, option, "min_value"),
            _bound(report, path, option, "max_value"),
        )


def _bound(report: Report, path: Path, option: dict[str, Any], name: str) -> float | None:
    value = option.get(name)
    if value is None:
        return None
    whole = option["type"] == INTEGER
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        kind = "int" if whole else "float"
        report.add((*path, name), "NUMBER_TYPE_COERCE", f"Value {value!r} is not {kind}.")
        return None
    if abs(value) > MAX_EXACT:
        report.add((*path, name), "NUMBER_TYPE_MAX", f"Must lie between -{MAX_EXACT} and {MAX_EXACT}.")
    return float(value)


def _check_order(report: Report, path: Path, what: str, low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        report.add(
            (*path, f"min_{what}"),
            "APPLICATION_COMMAND_OPTIONS_RANGE_INVALID",
            f"min_{what} ({low:g}) must not be greater than max_{what} ({high:g})",
        )


def _size(owner: Any) -> int:
    """The characters that count towards 8,000: names, descriptions and choice values, all the way down."""
    if not isinstance(owner, dict):
        return 0
    total = localized_size(owner, "name") + localized_size(owner, "description")
    value = owner.get("value")
    total += len(value) if isinstance(value, str) else 0
    for name in ("options", "choices"):
        inner = owner.get(name)
        if isinstance(inner, list):
            total += sum(_size(one) for one in inner)
    return total
