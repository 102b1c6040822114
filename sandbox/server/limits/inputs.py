"""The limits of the parts that a person uses: buttons, selects, text inputs, groups, uploads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.server.limits.scalars import CHANNEL_TYPES, check_emoji, check_flag, check_id, check_kinds
from sandbox.server.limits.violation import Path, Report, shorten

BUTTON, STRING_SELECT, TEXT_INPUT = 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 19, 21, 22, 23
SELECTS = (STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT)

_DEFAULTS: dict[int, tuple[str, ...]] = {
    USER_SELECT: ("user",),
    ROLE_SELECT: ("role",),
    MENTIONABLE_SELECT: ("user", "role"),
    CHANNEL_SELECT: ("channel",),
}
_LINK, _PREMIUM = 5, 6
_LEADS_BY = {_LINK: "url", _PREMIUM: "sku_id"}


def check_custom_id(report: Report, path: Path, part: dict[str, Any]) -> None:
    """Check that a part carries a custom_id of 1 to 100 characters."""
    report.text((*path, "custom_id"), part.get("custom_id"), 1, 100, required=True)


def check_button(report: Report, path: Path, part: dict[str, Any]) -> None:
    """Check a button: custom_id for styles 1 to 4, url for a link, sku_id for a premium one, never two."""
    style: Any = part.get("style")
    if style not in range(1, 7) or isinstance(style, bool):
        report.choice((*path, "style"), style, tuple(range(1, 7)))
        return
    report.text((*path, "label"), part.get("label"), 0, 80)
    check_emoji(report, (*path, "emoji"), part.get("emoji"))
    check_flag(report, (*path, "disabled"), part.get("disabled"))
    check_id(report, (*path, "sku_id"), part.get("sku_id"))
    has = {name: part.get(name) is not None for name in ("custom_id", "url", "sku_id")}
    needed = _LEADS_BY.get(style, "custom_id")
    if not has[needed]:
        words = {
            "url": "A url is required",
            "sku_id": "A sku id is required",
            "custom_id": "A custom id is required",
        }
        code = "BUTTON_COMPONENT_" + needed.upper() + "_REQUIRED"
        report.add((*path, needed), code, words[needed])
    for name, given in has.items():
        if name != needed and given:
            report.add(
                (*path, name),
                f"BUTTON_COMPONENT_INVALID_{name.upper()}",
                f"A button of style {style} takes {needed}, so it must not have {name}",
            )
    if needed == "custom_id" and has["custom_id"]:
        check_custom_id(report, path, part)
    if needed == "url" and has["url"]:
        url = report.text((*path, "url"), part.get("url"), 1, 512)
        if url is not None and not url.startswith(("http://", "https://", "discord://")):
            report.add(
                (*path, "url"),
                "URL_TYPE_INVALID_SCHEME",
                f"Scheme {shorten(url.split(':', 1)[0])} is not supported. Scheme must be one of "
                "('http', 'https', 'discord').",
            )
    named = bool(part.get("label")) or bool(part.get("emoji"))
    if style != _PREMIUM and not named:
        report.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button needs a label or an emoji")
    if style == _PREMIUM and named:
        report.add(path, "BUTTON_COMPONENT_PREMIUM_LABEL", "A premium button takes neither label nor emoji")


def check_select(report: Report, path: Path, part: dict[str, Any], *, modal: bool = False) -> None:
    """Check a select menu of any kind: ranges, options, defaults."""
    check_custom_id(report, path, part)
    report.text((*path, "placeholder"), part.get("placeholder"), 0, 150)
    if modal and part.get("disabled"):
        report.add(
            (*path, "disabled"), "COMPONENT_DISABLED_IN_MODAL", "A select in a modal cannot be disabled"
        )
    options: Sequence[dict[str, Any]] | None = None
    if part.get("type") == STRING_SELECT:
        options = check_options(report, (*path, "options"), part.get("options"), 1, 25)
    elif part.get("options"):
        report.add(
            (*path, "options"), "SELECT_COMPONENT_OPTIONS_NOT_ALLOWED", "Only a string select has options"
        )
    chosen = [one for one in options or () if one.get("default")]
    defaults = _check_defaults(report, (*path, "default_values"), part)
    check_flag(report, (*path, "disabled"), part.get("disabled"))
    if part.get("type") == CHANNEL_SELECT:
        check_kinds(report, (*path, "channel_types"), part.get("channel_types"), CHANNEL_TYPES)
    _check_range(report, path, part, ceiling=25, options=options, chosen=max(len(chosen), len(defaults)))


def _check_defaults(report: Report, path: Path, part: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """Check the values that are chosen before anybody chooses: of the select's own kind, enough of them."""
    values = report.items(path, part.get("default_values"), 0, 25)
    if not values:
        return values
    kinds = _DEFAULTS.get(part.get("type") or 0)
    if kinds is None:
        report.add(path, "SELECT_COMPONENT_DEFAULT_VALUES_NOT_ALLOWED", "A string select marks its options")
        return ()
    for index, one in enumerate(values):
        check_id(report, (*path, index, "id"), one.get("id"), required=True)
        if one.get("type") not in kinds:
            report.choice((*path, index, "type"), one.get("type"), kinds)
    least = part.get("min_values")
    if isinstance(least, int) and len(values) < least:
        report.add(
            path,
            "SELECT_COMPONENT_TOO_FEW_DEFAULT_VALUES",
            f"{len(values)} values are chosen by default, but min_values is {least}",
        )
    return values


def check_options(report: Report, path: Path, value: Any, low: int, high: int) -> Sequence[dict[str, Any]]:
    """Check the options of a select or a group: how many, lengths, values that differ."""
    options = report.items(path, value, low, high, required=True)
    seen: set[str] = set()
    for index, option in enumerate(options):
        here = (*path, index)
        report.text((*here, "label"), option.get("label"), 1, 100, required=True)
        report.text((*here, "description"), option.get("description"), 0, 100)
        check_emoji(report, (*here, "emoji"), option.get("emoji"))
        check_flag(report, (*here, "default"), option.get("default"))
        key = report.text((*here, "value"), option.get("value"), 1, 100, required=True)
        if key is None:
            continue
        if key in seen:
            report.add(
                (*here, "value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        seen.add(key)
    return options


def _check_range(
    report: Report,
    path: Path,
    part: dict[str, Any],
    *,
    ceiling: int,
    options: Sequence[dict[str, Any]] | None = None,
    chosen: int = 0,
) -> None:
    low = report.number((*path, "min_values"), part.get("min_values"), 0, ceiling)
    high = report.number((*path, "max_values"), part.get("max_values"), 1, ceiling)
    most = 1 if high is None else high
    if (low if low is not None else 0) > most:
        report.add(
            (*path, "min_values"),
            "SELECT_COMPONENT_MIN_VALUES_LESS_THAN_MAX_VALUES",
            f"min_values ({low}) must not be greater than max_values ({most})",
        )
    if options is not None and high is not None and options and high > len(options):
        report.add(
            (*path, "max_values"),
            "SELECT_COMPONENT_MAX_VALUES_TOO_HIGH",
            f"max_values ({high}) must not be greater than the number of options ({len(options)})",
        )
    if chosen > most:
        report.add(
            path,
            "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
            f"{chosen} values are chosen by default, but max_values is {most}",
        )


def check_text_input(report: Report, path: Path, part: dict[str, Any], *, labelled: bool) -> None:
    """Check a text input; `labelled` says that a label component around it names it."""
    check_custom_id(report, path, part)
    if part.get("style") not in (1, 2):
        report.choice((*path, "style"), part.get("style"), (1, 2))
    if not labelled:
        report.text((*path, "label"), part.get("label"), 1, 45, required=True)
    elif part.get("label") is not None:
        report.add(
            (*path, "label"),
            "TEXT_INPUT_LABEL_NOT_ALLOWED",
            "A text input inside a label component takes its name from there",
        )
    report.text((*path, "placeholder"), part.get("placeholder"), 0, 100)
    value = report.text((*path, "value"), part.get("value"), 0, 4000)
    low = report.number((*path, "min_length"), part.get("min_length"), 0, 4000)
    high = report.number((*path, "max_length"), part.get("max_length"), 1, 4000)
    if low is not None and high is not None and low > high:
        report.add(
            (*path, "min_length"),
            "TEXT_INPUT_COMPONENT_MIN_LENGTH_TOO_HIGH",
            f"min_length ({low}) must not be greater than max_length ({high})",
        )
    if value and high is not None and len(value) > high:
        report.add((*path, "value"), "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")


def check_modal_control(report: Report, path: Path, part: dict[str, Any]) -> None:
    """Check what only modals have: file uploads, radio groups, checkbox groups, checkboxes."""
    check_custom_id(report, path, part)
    kind = part.get("type")
    if kind == FILE_UPLOAD:
        _check_range(report, path, part, ceiling=10)
    elif kind in (RADIO_GROUP, CHECKBOX_GROUP):
        lowest = 2 if kind == RADIO_GROUP else 1
        options = check_options(report, (*path, "options"), part.get("options"), lowest, 10)
        chosen = sum(1 for one in options if one.get("default"))
        # A checkbox group without max_values lets people tick every box, unlike a select.
        spread = {"max_values": len(options) or 1, **part} if kind == CHECKBOX_GROUP else {}
        _check_range(report, path, spread, ceiling=10, options=options, chosen=chosen)
