"""The limits of interaction callbacks: messages, deferrals, autocomplete choices, modals."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sandbox.server.limits.components import ACTION_ROW, TEXT_DISPLAY, check_unique_ids
from sandbox.server.limits.inputs import (
    CHECKBOX,
    CHECKBOX_GROUP,
    FILE_UPLOAD,
    RADIO_GROUP,
    SELECTS,
    TEXT_INPUT,
    check_modal_control,
    check_select,
    check_text_input,
)
from sandbox.server.limits.messages import check_message_parts
from sandbox.server.limits.values import check_choices
from sandbox.server.limits.violation import Path, Report, Violation

PONG, MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 1, 4, 5, 6, 7, 8, 9
CALLBACK_TYPES = (PONG, MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL, 10, 12)
LABEL = 18
MAX_MODAL_PARTS = 5
_CONTROLS = (FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX)


def check_callback(
    body: Any, files: Collection[str] = (), *, v2: bool = False, option_type: int | None = None
) -> list[Violation]:
    """Check an interaction callback against Discord's written limits.

    `files` are the names of the files that come along; `v2` says that the message an update (type 7)
    changes has the V2 flag already; `option_type` is the kind of option that choices (type 8) are for: 3,
    4 or 10, None when it is not known. Returns every violation, an empty list for a good body.
    """
    report = Report()
    callback = report.mapping((), body, required=True)
    if callback is None:
        return report.violations
    kind, data = callback.get("type"), callback.get("data")
    if kind not in CALLBACK_TYPES or isinstance(kind, bool):
        report.choice(("type",), kind, CALLBACK_TYPES)
    elif kind == MESSAGE:
        check_message_parts(report, ("data",), data, files, editing=False)
    elif kind == DEFERRED_MESSAGE:
        deferral = report.mapping(("data",), data)
        if deferral is not None:
            report.number(("data", "flags"), deferral.get("flags"), 0, 2**31 - 1)
    elif kind == UPDATE:
        if data is not None:
            check_message_parts(report, ("data",), data, files, editing=True, v2=v2)
    elif kind == CHOICES:
        answer = report.mapping(("data",), data, required=True)
        if answer is not None:
            if answer.get("choices") is None:
                report.missing(("data", "choices"))
            check_choices(report, ("data", "choices"), answer.get("choices"), option_type)
    elif kind == MODAL:
        modal = report.mapping(("data",), data, required=True)
        if modal is not None:
            _check_modal(report, ("data",), modal)
    return report.violations


def _check_modal(report: Report, path: Path, modal: dict[str, Any]) -> None:
    report.text((*path, "custom_id"), modal.get("custom_id"), 1, 100, required=True)
    report.text((*path, "title"), modal.get("title"), 1, 45, required=True)
    where = (*path, "components")
    parts = report.items(where, modal.get("components"), 1, MAX_MODAL_PARTS, required=True)
    for index, part in enumerate(parts):
        here = (*where, index)
        kind = part.get("type")
        if kind == ACTION_ROW:
            _check_row(report, here, part)
        elif kind == LABEL:
            _check_label(report, here, part)
        elif kind == TEXT_DISPLAY:
            report.text((*here, "content"), part.get("content"), 1, 4000, required=True)
        else:
            report.choice((*here, "type"), kind, (ACTION_ROW, TEXT_DISPLAY, LABEL))
    check_unique_ids(report, where, parts)


def _check_row(report: Report, path: Path, row: dict[str, Any]) -> None:
    where = (*path, "components")
    for index, part in enumerate(report.items(where, row.get("components"), 1, 1, required=True)):
        here = (*where, index)
        if part.get("type") == TEXT_INPUT:
            check_text_input(report, here, part, labelled=False)
        else:
            report.choice((*here, "type"), part.get("type"), (TEXT_INPUT,))


def _check_label(report: Report, path: Path, part: dict[str, Any]) -> None:
    report.text((*path, "label"), part.get("label"), 1, 45, required=True)
    report.text((*path, "description"), part.get("description"), 0, 100)
    here = (*path, "component")
    inner = report.mapping(here, part.get("component"), required=True)
    if inner is None:
        return
    kind = inner.get("type")
    if kind == TEXT_INPUT:
        check_text_input(report, here, inner, labelled=True)
    elif kind in SELECTS:
        check_select(report, here, inner, modal=True)
    elif kind in _CONTROLS:
        check_modal_control(report, here, inner)
    else:
        report.choice((*here, "type"), kind, (TEXT_INPUT, *SELECTS, *_CONTROLS))
