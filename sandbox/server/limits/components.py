"""The limits of a message's components, old rows and the newer layout parts (V2) alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sandbox.server.limits.inputs import BUTTON, SELECTS, check_button, check_select
from sandbox.server.limits.media import check_media
from sandbox.server.limits.scalars import check_flag
from sandbox.server.limits.violation import Path, Report

ACTION_ROW, SECTION, TEXT_DISPLAY, THUMBNAIL = 1, 9, 10, 11
MEDIA_GALLERY, FILE, SEPARATOR, CONTAINER = 12, 13, 14, 17

MAX_ROWS = 5
MAX_V2_PARTS = 40
MAX_V2_TEXT = 4000
LAYOUT = (ACTION_ROW, SECTION, TEXT_DISPLAY, MEDIA_GALLERY, FILE, SEPARATOR, CONTAINER)
_IN_CONTAINER = (ACTION_ROW, SECTION, TEXT_DISPLAY, MEDIA_GALLERY, FILE, SEPARATOR)


def check_components(report: Report, path: Path, value: Any, files: Collection[str], *, v2: bool) -> None:
    """Check the components of one message; `v2` says whether it carries the V2 flag (1 << 15)."""
    parts = report.items(path, value, 0, MAX_V2_PARTS if v2 else MAX_ROWS)
    allowed = LAYOUT if v2 else (ACTION_ROW,)
    for index, part in enumerate(parts):
        _check_part(report, (*path, index), part, files, allowed)
    check_unique_ids(report, path, parts)
    if v2:
        _check_totals(report, path, parts)


def walk(parts: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every component in a tree, parents first, with its path."""
    if not isinstance(parts, list | tuple):
        return
    for index, part in enumerate(parts):
        if not isinstance(part, dict):
            continue
        here = (*path, index)
        yield here, part
        yield from walk(part.get("components"), (*here, "components"))
        for name in ("accessory", "component"):
            inner = part.get(name)
            if isinstance(inner, dict):
                yield (*here, name), inner


def check_unique_custom_ids(report: Report, path: Path, parts: Any) -> None:
    """Check that no two components of one message or modal share a custom_id."""
    seen: set[str] = set()
    for here, part in walk(parts, path):
        custom_id = part.get("custom_id")
        if not isinstance(custom_id, str):
            continue
        if custom_id in seen:
            report.add(
                (*here, "custom_id"),
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        seen.add(custom_id)


def check_unique_ids(report: Report, path: Path, parts: Any) -> None:
    """Check that no two components share a custom_id or a number, and that the numbers are ones."""
    check_unique_custom_ids(report, path, parts)
    seen: set[int] = set()
    for here, part in walk(parts, path):
        number = report.number((*here, "id"), part.get("id"), 0, 2**31 - 1)
        if not number:
            continue
        if number in seen:
            report.add((*here, "id"), "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
        seen.add(number)


def _check_totals(report: Report, path: Path, parts: Any) -> None:
    every = [part for _, part in walk(parts, path)]
    if len(every) > MAX_V2_PARTS:
        report.add(
            path,
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            f"The maximum number of components per message is {MAX_V2_PARTS}, nested ones included; "
            f"this has {len(every)}",
        )
    texts = [part.get("content") for part in every if part.get("type") == TEXT_DISPLAY]
    total = sum(len(text) for text in texts if isinstance(text, str))
    if total > MAX_V2_TEXT:
        report.add(
            path,
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            f"The total text of a message's components is at most {MAX_V2_TEXT} characters; this has {total}",
        )


def _check_part(
    report: Report, path: Path, part: dict[str, Any], files: Collection[str], allowed: tuple[int, ...]
) -> None:
    kind = part.get("type")
    if kind not in allowed:
        report.choice((*path, "type"), kind, allowed)
        return
    if kind == ACTION_ROW:
        _check_row(report, path, part)
    elif kind == SECTION:
        _check_section(report, path, part, files)
    elif kind == TEXT_DISPLAY:
        report.text((*path, "content"), part.get("content"), 1, MAX_V2_TEXT, required=True)
    elif kind == MEDIA_GALLERY:
        for index, item in enumerate(report.items((*path, "items"), part.get("items"), 1, 10, required=True)):
            _check_picture(report, (*path, "items", index), item, files)
    elif kind == FILE:
        media = report.mapping((*path, "file"), part.get("file"), required=True)
        if media is not None:
            where = (*path, "file", "url")
            check_media(report, where, media.get("url"), files, required=True, attachment_only=True)
        check_flag(report, (*path, "spoiler"), part.get("spoiler"))
    elif kind == SEPARATOR:
        check_flag(report, (*path, "divider"), part.get("divider"))
        if part.get("spacing") not in (None, 1, 2):
            report.choice((*path, "spacing"), part.get("spacing"), (1, 2))
    else:
        check_flag(report, (*path, "spoiler"), part.get("spoiler"))
        report.number((*path, "accent_color"), part.get("accent_color"), 0, 0xFFFFFF)
        where = (*path, "components")
        for index, inner in enumerate(
            report.items(where, part.get("components"), 1, MAX_V2_PARTS, required=True)
        ):
            _check_part(report, (*where, index), inner, files, _IN_CONTAINER)


def _check_row(report: Report, path: Path, row: dict[str, Any]) -> None:
    where = (*path, "components")
    parts = report.items(where, row.get("components"), 1, 5, required=True)
    width = 0
    for index, part in enumerate(parts):
        here = (*where, index)
        kind = part.get("type")
        if kind == BUTTON:
            width += 1
            check_button(report, here, part)
        elif kind in SELECTS:
            width += 5
            check_select(report, here, part)
        else:
            report.choice((*here, "type"), kind, (BUTTON, *SELECTS))
        if width > 5 and kind in (BUTTON, *SELECTS):
            report.add(
                here,
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                "The specified component exceeds the maximum width: a row holds five buttons or one select",
            )


def _check_section(report: Report, path: Path, part: dict[str, Any], files: Collection[str]) -> None:
    where = (*path, "components")
    for index, inner in enumerate(report.items(where, part.get("components"), 1, 3, required=True)):
        _check_part(report, (*where, index), inner, files, (TEXT_DISPLAY,))
    accessory = report.mapping((*path, "accessory"), part.get("accessory"), required=True)
    if accessory is None:
        return
    here = (*path, "accessory")
    if accessory.get("type") == BUTTON:
        check_button(report, here, accessory)
    elif accessory.get("type") == THUMBNAIL:
        _check_picture(report, here, accessory, files)
    else:
        report.choice((*here, "type"), accessory.get("type"), (BUTTON, THUMBNAIL))


def _check_picture(report: Report, path: Path, part: dict[str, Any], files: Collection[str]) -> None:
    report.text((*path, "description"), part.get("description"), 0, 1024)
    check_flag(report, (*path, "spoiler"), part.get("spoiler"))
    media = report.mapping((*path, "media"), part.get("media"), required=True)
    if media is not None:
        check_media(report, (*path, "media", "url"), media.get("url"), files, required=True)
