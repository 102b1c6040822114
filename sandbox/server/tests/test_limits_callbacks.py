"""Each written limit of interaction callbacks: messages, choices, modals."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server.limits import check_callback, error_body


def message(**data: Any) -> dict[str, Any]:
    return {"type": 4, "data": data}


def choices(count: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": 8, "data": {"choices": [{"name": f"Ore {n}", "value": n, **more} for n in range(count)]}}


def entry(custom_id: str = "note", **more: Any) -> dict[str, Any]:
    return {"type": 4, "custom_id": custom_id, "style": 1, **more}


def label(inner: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": 18, "label": "Note", "component": inner or entry(), **more}


def modal(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": 9, "data": {"custom_id": "m", "title": "Haul", "components": list(parts), **more}}


def row(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(parts)}


def select(**more: Any) -> dict[str, Any]:
    options = [{"label": one, "value": one} for one in "abc"]
    return {"type": 3, "custom_id": "ore", "options": options, **more}


def group(kind: int, count: int, **more: Any) -> dict[str, Any]:
    options = [{"label": str(n), "value": str(n)} for n in range(count)]
    return {"type": kind, "custom_id": "g", "options": options, **more}


INNER = ("data", "components", 0, "component")

CALLBACKS: dict[str, tuple[Any, Any, str, tuple[str | int, ...]]] = {
    "body": ({"type": 1}, [], "DICT_TYPE_CONVERT", ()),
    "type": ({"type": 6}, {"type": 3}, "BASE_TYPE_CHOICES", ("type",)),
    "type missing": ({"type": 5}, {}, "BASE_TYPE_CHOICES", ("type",)),
    "empty data": (message(content="x"), message(), "EMPTY_MESSAGE", ("data",)),
    "no data": (message(content="x"), {"type": 4}, "EMPTY_MESSAGE", ("data",)),
    "content": (
        message(content="x" * 2000),
        message(content="x" * 2001),
        "BASE_TYPE_MAX_LENGTH",
        ("data", "content"),
    ),
    "deferral flags": (
        {"type": 5, "data": {"flags": 64}},
        {"type": 5, "data": {"flags": "64"}},
        "NUMBER_TYPE_COERCE",
        ("data", "flags"),
    ),
    "update": (
        {"type": 7, "data": {"content": "x" * 2000}},
        {"type": 7, "data": {"content": "x" * 2001}},
        "BASE_TYPE_MAX_LENGTH",
        ("data", "content"),
    ),
    "choices": (choices(25), choices(26), "BASE_TYPE_MAX_LENGTH", ("data", "choices")),
    "choices missing": (choices(0), {"type": 8, "data": {}}, "BASE_TYPE_REQUIRED", ("data", "choices")),
    "choices without data": (choices(), {"type": 8}, "BASE_TYPE_REQUIRED", ("data",)),
    "choice name": (
        choices(name="n" * 100),
        choices(name="n" * 101),
        "BASE_TYPE_BAD_LENGTH",
        ("data", "choices", 0, "name"),
    ),
    "choice without name": (
        choices(),
        choices(name=""),
        "BASE_TYPE_REQUIRED",
        ("data", "choices", 0, "name"),
    ),
    "choice value": (
        choices(value="v" * 100),
        choices(value="v" * 101),
        "BASE_TYPE_MAX_LENGTH",
        ("data", "choices", 0, "value"),
    ),
    "choice locale": (
        choices(name_localizations={"de": "Erz"}),
        choices(name_localizations={"xx": "Erz"}),
        "APPLICATION_COMMAND_INVALID_LOCALE",
        ("data", "choices", 0, "name_localizations", "xx"),
    ),
    "modal parts": (
        modal(*[label(entry(str(n))) for n in range(5)]),
        modal(*[label(entry(str(n))) for n in range(6)]),
        "BASE_TYPE_BAD_LENGTH",
        ("data", "components"),
    ),
    "modal is empty": (modal(label()), modal(), "BASE_TYPE_BAD_LENGTH", ("data", "components")),
    "modal title": (
        modal(label(), title="t" * 45),
        modal(label(), title="t" * 46),
        "BASE_TYPE_BAD_LENGTH",
        ("data", "title"),
    ),
    "modal without title": (
        modal(label()),
        modal(label(), title=None),
        "BASE_TYPE_REQUIRED",
        ("data", "title"),
    ),
    "modal custom_id": (
        modal(label(), custom_id="c" * 100),
        modal(label(), custom_id="c" * 101),
        "BASE_TYPE_BAD_LENGTH",
        ("data", "custom_id"),
    ),
    "modal with a button": (
        modal({"type": 10, "content": "Read me"}, label()),
        modal({"type": 2, "style": 1, "label": "Go", "custom_id": "go"}),
        "BASE_TYPE_CHOICES",
        ("data", "components", 0, "type"),
    ),
    "row of two inputs": (
        modal(row(entry(label="Note"))),
        modal(row(entry("a", label="A"), entry("b", label="B"))),
        "BASE_TYPE_BAD_LENGTH",
        ("data", "components", 0, "components"),
    ),
    "select in a row": (
        modal(label(select())),
        modal(row(select())),
        "BASE_TYPE_CHOICES",
        ("data", "components", 0, "components", 0, "type"),
    ),
    "input in a row without label": (
        modal(row(entry(label="l" * 45))),
        modal(row(entry())),
        "BASE_TYPE_REQUIRED",
        ("data", "components", 0, "components", 0, "label"),
    ),
    "label of a labelled input": (
        modal(label(entry())),
        modal(label(entry(label="Again"))),
        "TEXT_INPUT_LABEL_NOT_ALLOWED",
        (*INNER, "label"),
    ),
    "label length": (
        modal(label(label="l" * 45)),
        modal(label(label="l" * 46)),
        "BASE_TYPE_BAD_LENGTH",
        ("data", "components", 0, "label"),
    ),
    "label description": (
        modal(label(description="d" * 100)),
        modal(label(description="d" * 101)),
        "BASE_TYPE_MAX_LENGTH",
        ("data", "components", 0, "description"),
    ),
    "label without a part": (
        modal(label()),
        modal({"type": 18, "label": "Note"}),
        "BASE_TYPE_REQUIRED",
        INNER,
    ),
    "label around a button": (
        modal(label(select())),
        modal(label({"type": 2, "style": 1, "label": "Go", "custom_id": "go"})),
        "BASE_TYPE_CHOICES",
        (*INNER, "type"),
    ),
    "input style": (
        modal(label(entry(style=2))),
        modal(label(entry(style=3))),
        "BASE_TYPE_CHOICES",
        (*INNER, "style"),
    ),
    "input range": (
        modal(label(entry(min_length=2, max_length=2))),
        modal(label(entry(min_length=3, max_length=2))),
        "TEXT_INPUT_COMPONENT_MIN_LENGTH_TOO_HIGH",
        (*INNER, "min_length"),
    ),
    "input max_length": (
        modal(label(entry(max_length=4000))),
        modal(label(entry(max_length=4001))),
        "NUMBER_TYPE_MAX",
        (*INNER, "max_length"),
    ),
    "input value": (
        modal(label(entry(value="v" * 10, max_length=10))),
        modal(label(entry(value="v" * 11, max_length=10))),
        "BASE_TYPE_MAX_LENGTH",
        (*INNER, "value"),
    ),
    "input placeholder": (
        modal(label(entry(placeholder="p" * 100))),
        modal(label(entry(placeholder="p" * 101))),
        "BASE_TYPE_MAX_LENGTH",
        (*INNER, "placeholder"),
    ),
    "same custom_id": (
        modal(label(entry("a")), label(entry("b"))),
        modal(label(entry("a")), label(entry("a"))),
        "COMPONENT_CUSTOM_ID_DUPLICATED",
        ("data", "components", 1, "component", "custom_id"),
    ),
    "disabled select": (
        modal(label(select(required=False))),
        modal(label(select(disabled=True))),
        "COMPONENT_DISABLED_IN_MODAL",
        (*INNER, "disabled"),
    ),
    "radio group": (
        modal(label(group(21, 2))),
        modal(label(group(21, 1))),
        "BASE_TYPE_BAD_LENGTH",
        (*INNER, "options"),
    ),
    "checkbox group": (
        modal(label(group(22, 10))),
        modal(label(group(22, 11))),
        "BASE_TYPE_BAD_LENGTH",
        (*INNER, "options"),
    ),
    "checkbox group range": (
        modal(label(group(22, 3, max_values=3))),
        modal(label(group(22, 3, max_values=4))),
        "SELECT_COMPONENT_MAX_VALUES_TOO_HIGH",
        (*INNER, "max_values"),
    ),
    "upload": (
        modal(label({"type": 19, "custom_id": "u", "max_values": 10})),
        modal(label({"type": 19, "custom_id": "u", "max_values": 11})),
        "NUMBER_TYPE_MAX",
        (*INNER, "max_values"),
    ),
    "numbers of parts": (
        modal(label(id=5), label(entry("other"), id=6)),
        modal(label(id=5), label(entry("other"), id=5)),
        "COMPONENT_ID_DUPLICATED",
        ("data", "components", 1, "id"),
    ),
    "radio group presets": (
        modal(label(group(21, 2))),
        modal(
            label(
                {
                    "type": 21,
                    "custom_id": "g",
                    "options": [{"label": n, "value": n, "default": True} for n in "ab"],
                }
            )
        ),
        "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
        INNER,
    ),
    "radio group values": (
        modal(label(group(21, 2))),
        modal(label({"type": 21, "custom_id": "g", "options": [{"label": n, "value": "a"} for n in "ab"]})),
        "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
        (*INNER, "options", 1, "value"),
    ),
    "label in a label": (
        modal(label()),
        modal(label(label())),
        "BASE_TYPE_CHOICES",
        (*INNER, "type"),
    ),
    "button in a modal": (
        modal(label()),
        modal(row({"type": 2, "style": 1, "label": "x", "custom_id": "x"})),
        "BASE_TYPE_CHOICES",
        ("data", "components", 0, "components", 0, "type"),
    ),
    "checkbox": (
        modal(label({"type": 23, "custom_id": "c"})),
        modal(label({"type": 23})),
        "BASE_TYPE_REQUIRED",
        (*INNER, "custom_id"),
    ),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_callback_limit(name: str) -> None:
    good, bad, code, path = CALLBACKS[name]
    assert check_callback(good) == []
    found = check_callback(bad)
    assert (code, path) in {(one.code, one.path) for one in found}, [str(one) for one in found]


def test_files_and_flags_of_a_callback() -> None:
    assert check_callback(message(flags=64), ["payroll.pdf"]) == []
    shown = message(embeds=[{"image": {"url": "attachment://p.png"}}])
    assert check_callback(shown, ["p.png"]) == []
    assert error_body(check_callback(shown))["code"] == 50035
    assert check_callback({"type": 7, "data": {"components": [{"type": 10, "content": "x"}]}}, v2=True) == []
    assert check_callback({"type": 7}) == []
