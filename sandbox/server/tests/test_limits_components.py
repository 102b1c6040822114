"""Each written limit of a message's components: one body just inside it, one just outside."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server.limits import check_message

V2 = 1 << 15


def button(custom_id: str = "go", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": custom_id, **more}


def link(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 5, "label": "Open", "url": "https://example.org/", **more}


def row(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(parts)}


def rows(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"content": "x", "components": list(parts)}


def select(count: int = 3, **more: Any) -> dict[str, Any]:
    options = [{"label": f"Ore {n}", "value": str(n)} for n in range(count)]
    return {"type": 3, "custom_id": "ore", "options": options, **more}


def text(content: str = "words") -> dict[str, Any]:
    return {"type": 10, "content": content}


def layout(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"flags": V2, "components": list(parts), **more}


def container(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": 17, "components": list(parts)}


def section(*texts: dict[str, Any], accessory: Any = None) -> dict[str, Any]:
    return {"type": 9, "components": list(texts), "accessory": accessory or button("side")}


# name: (good body, bad body, code of the violation, its path)
COMPONENTS: dict[str, tuple[Any, Any, str, tuple[str | int, ...]]] = {
    "rows": (
        rows(*[row(button(str(n))) for n in range(5)]),
        rows(*[row(button(str(n))) for n in range(6)]),
        "BASE_TYPE_MAX_LENGTH",
        ("components",),
    ),
    "row is empty": (
        rows(row(button())),
        rows(row()),
        "BASE_TYPE_BAD_LENGTH",
        ("components", 0, "components"),
    ),
    "buttons in a row": (
        rows(row(*[button(str(n)) for n in range(5)])),
        rows(row(*[button(str(n)) for n in range(6)])),
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        ("components", 0, "components", 5),
    ),
    "selects in a row": (
        rows(row(select()), row(select(custom_id="b"))),
        rows(row(select(), select(custom_id="b"))),
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        ("components", 0, "components", 1),
    ),
    "select beside a button": (
        rows(row(select()), row(button())),
        rows(row(button(), select())),
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        ("components", 0, "components", 1),
    ),
    "button without a row": (
        rows(row(button())),
        rows(button()),
        "BASE_TYPE_CHOICES",
        ("components", 0, "type"),
    ),
    "row in a row": (
        rows(row(button())),
        rows(row(row(button()))),
        "BASE_TYPE_CHOICES",
        ("components", 0, "components", 0, "type"),
    ),
    "same custom_id": (
        rows(row(button("a")), row(button("b"))),
        rows(row(button("a")), row(button("a"))),
        "COMPONENT_CUSTOM_ID_DUPLICATED",
        ("components", 1, "components", 0, "custom_id"),
    ),
    "same component id": (
        rows(row(button("a", id=1), button("b", id=2))),
        rows(row(button("a", id=1), button("b", id=1))),
        "COMPONENT_ID_DUPLICATED",
        ("components", 0, "components", 1, "id"),
    ),
    "custom_id length": (
        rows(row(button("c" * 100))),
        rows(row(button("c" * 101))),
        "BASE_TYPE_BAD_LENGTH",
        ("components", 0, "components", 0, "custom_id"),
    ),
    "button without custom_id": (
        rows(row(button())),
        rows(row({"type": 2, "style": 1, "label": "Go"})),
        "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED",
        ("components", 0, "components", 0, "custom_id"),
    ),
    "button with a url": (
        rows(row(link())),
        rows(row(button(url="https://example.org/"))),
        "BUTTON_COMPONENT_INVALID_URL",
        ("components", 0, "components", 0, "url"),
    ),
    "link with a custom_id": (
        rows(row(link())),
        rows(row(link(custom_id="go"))),
        "BUTTON_COMPONENT_INVALID_CUSTOM_ID",
        ("components", 0, "components", 0, "custom_id"),
    ),
    "link without a url": (
        rows(row(link())),
        rows(row(link(url=None))),
        "BUTTON_COMPONENT_URL_REQUIRED",
        ("components", 0, "components", 0, "url"),
    ),
    "link length": (
        rows(row(link(url="https://" + "u" * 504))),
        rows(row(link(url="https://" + "u" * 505))),
        "BASE_TYPE_BAD_LENGTH",
        ("components", 0, "components", 0, "url"),
    ),
    "link scheme": (
        rows(row(link(url="discord://-/settings"))),
        rows(row(link(url="ftp://example.org/"))),
        "URL_TYPE_INVALID_SCHEME",
        ("components", 0, "components", 0, "url"),
    ),
    "premium button": (
        rows(row({"type": 2, "style": 6, "sku_id": "1"})),
        rows(row({"type": 2, "style": 6})),
        "BUTTON_COMPONENT_SKU_ID_REQUIRED",
        ("components", 0, "components", 0, "sku_id"),
    ),
    "premium button with a label": (
        rows(row({"type": 2, "style": 6, "sku_id": "1"})),
        rows(row({"type": 2, "style": 6, "sku_id": "1", "label": "Buy"})),
        "BUTTON_COMPONENT_PREMIUM_LABEL",
        ("components", 0, "components", 0),
    ),
    "button style": (
        rows(row(button(style=4))),
        rows(row(button(style=7))),
        "BASE_TYPE_CHOICES",
        ("components", 0, "components", 0, "style"),
    ),
    "button label": (
        rows(row(button(label="l" * 80))),
        rows(row(button(label="l" * 81))),
        "BASE_TYPE_MAX_LENGTH",
        ("components", 0, "components", 0, "label"),
    ),
    "bare button": (
        rows(row(button(label=None, emoji={"name": "x"}))),
        rows(row(button(label=None))),
        "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
        ("components", 0, "components", 0),
    ),
    "select options": (
        rows(row(select(25))),
        rows(row(select(26))),
        "BASE_TYPE_BAD_LENGTH",
        ("components", 0, "components", 0, "options"),
    ),
    "select without options": (
        rows(row(select(1))),
        rows(row(select(0))),
        "BASE_TYPE_BAD_LENGTH",
        ("components", 0, "components", 0, "options"),
    ),
    "select min over max": (
        rows(row(select(min_values=2, max_values=2))),
        rows(row(select(min_values=2, max_values=1))),
        "SELECT_COMPONENT_MIN_VALUES_LESS_THAN_MAX_VALUES",
        ("components", 0, "components", 0, "min_values"),
    ),
    "select max over options": (
        rows(row(select(3, max_values=3))),
        rows(row(select(3, max_values=4))),
        "SELECT_COMPONENT_MAX_VALUES_TOO_HIGH",
        ("components", 0, "components", 0, "max_values"),
    ),
    "select max": (
        rows(row({"type": 5, "custom_id": "who", "max_values": 25})),
        rows(row({"type": 5, "custom_id": "who", "max_values": 26})),
        "NUMBER_TYPE_MAX",
        ("components", 0, "components", 0, "max_values"),
    ),
    "select defaults": (
        rows(
            row(select(options=[{"label": "a", "value": "a", "default": True}, {"label": "b", "value": "b"}]))
        ),
        rows(row(select(options=[{"label": v, "value": v, "default": True} for v in "ab"]))),
        "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
        ("components", 0, "components", 0),
    ),
    "select same values": (
        rows(row(select(options=[{"label": "a", "value": "a"}, {"label": "a", "value": "b"}]))),
        rows(row(select(options=[{"label": "a", "value": "a"}, {"label": "b", "value": "a"}]))),
        "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
        ("components", 0, "components", 0, "options", 1, "value"),
    ),
    "select placeholder": (
        rows(row(select(placeholder="p" * 150))),
        rows(row(select(placeholder="p" * 151))),
        "BASE_TYPE_MAX_LENGTH",
        ("components", 0, "components", 0, "placeholder"),
    ),
    "option label": (
        rows(row(select(options=[{"label": "l" * 100, "value": "a"}]))),
        rows(row(select(options=[{"label": "l" * 101, "value": "a"}]))),
        "BASE_TYPE_BAD_LENGTH",
        ("components", 0, "components", 0, "options", 0, "label"),
    ),
    "options of a user select": (
        rows(row({"type": 5, "custom_id": "who"})),
        rows(row(select(type=5))),
        "SELECT_COMPONENT_OPTIONS_NOT_ALLOWED",
        ("components", 0, "components", 0, "options"),
    ),
    "v2 with content": (
        layout(text()),
        layout(text(), content="x"),
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        ("content",),
    ),
    "v2 with embeds": (
        layout(text(), embeds=[]),
        layout(text(), embeds=[{"title": "t"}]),
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        ("embeds",),
    ),
    "v2 part without the flag": (
        layout(text()),
        rows(text()),
        "BASE_TYPE_CHOICES",
        ("components", 0, "type"),
    ),
    "v2 total": (
        layout(*[container(*[text()] * 19)] * 2),
        layout(*[container(*[text()] * 19)] * 2, text()),
        "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
        ("components",),
    ),
    "v2 text": (
        layout(text("x" * 2000), container(text("x" * 2000))),
        layout(text("x" * 2000), container(text("x" * 2001))),
        "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
        ("components",),
    ),
    "v2 empty text": (
        layout(text("x")),
        layout(text("")),
        "BASE_TYPE_REQUIRED",
        ("components", 0, "content"),
    ),
    "section texts": (
        layout(section(text(), text(), text())),
        layout(section(text(), text(), text(), text())),
        "BASE_TYPE_BAD_LENGTH",
        ("components", 0, "components"),
    ),
    "section accessory": (
        layout(section(text(), accessory={"type": 11, "media": {"url": "https://example.org/p.png"}})),
        layout(section(text(), accessory=text())),
        "BASE_TYPE_CHOICES",
        ("components", 0, "accessory", "type"),
    ),
    "container in a container": (
        layout(container(text())),
        layout(container(container(text()))),
        "BASE_TYPE_CHOICES",
        ("components", 0, "components", 0, "type"),
    ),
    "gallery": (
        layout({"type": 12, "items": [{"media": {"url": "https://example.org/p.png"}}] * 10}),
        layout({"type": 12, "items": [{"media": {"url": "https://example.org/p.png"}}] * 11}),
        "BASE_TYPE_BAD_LENGTH",
        ("components", 0, "items"),
    ),
    "file part": (
        layout(
            {"type": 13, "file": {"url": "attachment://a.pdf"}}, attachments=[{"id": 0, "filename": "a.pdf"}]
        ),
        layout({"type": 13, "file": {"url": "attachment://a.pdf"}}),
        "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
        ("components", 0, "file", "url"),
    ),
    "file part from afar": (
        layout(
            {"type": 13, "file": {"url": "attachment://a.pdf"}}, attachments=[{"id": 0, "filename": "a.pdf"}]
        ),
        layout({"type": 13, "file": {"url": "https://example.org/a.pdf"}}),
        "URL_TYPE_INVALID_SCHEME",
        ("components", 0, "file", "url"),
    ),
    "separator": (
        layout({"type": 14, "spacing": 2}),
        layout({"type": 14, "spacing": 3}),
        "BASE_TYPE_CHOICES",
        ("components", 0, "spacing"),
    ),
}


@pytest.mark.parametrize("name", COMPONENTS)
def test_component_limit(name: str) -> None:
    good, bad, code, path = COMPONENTS[name]
    assert check_message(good) == []
    found = check_message(bad)
    assert (code, path) in {(one.code, one.path) for one in found}, [str(one) for one in found]


def test_a_v2_message_that_is_edited_keeps_its_parts() -> None:
    assert check_message({"components": [text()]}, editing=True, v2=True) == []
    assert check_message({"components": [text()]}, editing=True)
