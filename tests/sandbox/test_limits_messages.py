"""Each written limit of messages: one body just inside it, one just outside."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.server.limits import Violation, check_callback, check_commands, check_message, error_body

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


def embed(**more: Any) -> dict[str, Any]:
    return {"embeds": [{"title": "Haul", **more}]}


def embed_field(name: str = "n", value: str = "v") -> dict[str, Any]:
    return {"name": name, "value": value}


def poll(question: str = "When?", answers: int = 2, answer: str = "Sunday") -> dict[str, Any]:
    media = [{"poll_media": {"text": answer}} for _ in range(answers)]
    return {"poll": {"question": {"text": question}, "answers": media}}


LONG_EMBEDS = [{"description": "d" * 2000} for _ in range(3)]
BOTH = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"

# name: (good body, bad body, code of the violation, its path)
MESSAGES: dict[str, tuple[Any, Any, str, tuple[str | int, ...]]] = {
    "content length": (
        {"content": "x" * 2000},
        {"content": "x" * 2001},
        "BASE_TYPE_MAX_LENGTH",
        ("content",),
    ),
    "content type": ({"content": "x"}, {"content": 7}, "STRING_TYPE_CONVERT", ("content",)),
    "empty": ({"content": "x"}, {}, "EMPTY_MESSAGE", ()),
    "only spaces": ({"content": " x "}, {"content": " \n "}, "EMPTY_MESSAGE", ()),
    "body type": ({"content": "x"}, ["x"], "DICT_TYPE_CONVERT", ()),
    "forward has no content": (
        {"message_reference": {"type": 1, "message_id": "1", "channel_id": "2"}},
        {"message_reference": {"type": 0, "message_id": "1"}},
        "EMPTY_MESSAGE",
        (),
    ),
    "nonce": (
        {"content": "x", "nonce": "n" * 25},
        {"content": "x", "nonce": "n" * 26},
        "BASE_TYPE_MAX_LENGTH",
        ("nonce",),
    ),
    "stickers": (
        {"sticker_ids": ["1"] * 3},
        {"sticker_ids": ["1"] * 4},
        "BASE_TYPE_MAX_LENGTH",
        ("sticker_ids",),
    ),
    "embeds": (
        {"embeds": [{"title": "t"}] * 10},
        {"embeds": [{"title": "t"}] * 11},
        "BASE_TYPE_MAX_LENGTH",
        ("embeds",),
    ),
    "embed title": (
        embed(title="t" * 256),
        embed(title="t" * 257),
        "BASE_TYPE_MAX_LENGTH",
        ("embeds", 0, "title"),
    ),
    "embed description": (
        embed(description="d" * 4096),
        embed(description="d" * 4097),
        "BASE_TYPE_MAX_LENGTH",
        ("embeds", 0, "description"),
    ),
    "embed footer": (
        embed(footer={"text": "f" * 2048}),
        embed(footer={"text": "f" * 2049}),
        "BASE_TYPE_MAX_LENGTH",
        ("embeds", 0, "footer", "text"),
    ),
    "embed author": (
        embed(author={"name": "a" * 256}),
        embed(author={"name": "a" * 257}),
        "BASE_TYPE_MAX_LENGTH",
        ("embeds", 0, "author", "name"),
    ),
    "embed fields": (
        embed(fields=[embed_field()] * 25),
        embed(fields=[embed_field()] * 26),
        "BASE_TYPE_MAX_LENGTH",
        ("embeds", 0, "fields"),
    ),
    "embed field name": (
        embed(fields=[embed_field("n" * 256)]),
        embed(fields=[embed_field("n" * 257)]),
        "BASE_TYPE_BAD_LENGTH",
        ("embeds", 0, "fields", 0, "name"),
    ),
    "embed field value": (
        embed(fields=[embed_field(value="v" * 1024)]),
        embed(fields=[embed_field(value="v" * 1025)]),
        "BASE_TYPE_BAD_LENGTH",
        ("embeds", 0, "fields", 0, "value"),
    ),
    "embed field empty": (
        embed(fields=[embed_field()]),
        embed(fields=[embed_field(value="")]),
        "BASE_TYPE_REQUIRED",
        ("embeds", 0, "fields", 0, "value"),
    ),
    "embed colour": (
        embed(color=0xFFFFFF),
        embed(color=0x1000000),
        "NUMBER_TYPE_MAX",
        ("embeds", 0, "color"),
    ),
    "embed total": (
        {"embeds": LONG_EMBEDS},
        {"embeds": [*LONG_EMBEDS, {"title": "t"}]},
        "MAX_EMBED_SIZE_EXCEEDED",
        ("embeds",),
    ),
    "embed picture": (
        embed(image={"url": "https://example.org/p.png"}),
        embed(image={"url": "attachment://p.png"}),
        "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
        ("embeds", 0, "image", "url"),
    ),
    "embed picture scheme": (
        embed(image={"url": "http://example.org/p.png"}),
        embed(image={"url": "ftp://example.org/p.png"}),
        "URL_TYPE_INVALID_SCHEME",
        ("embeds", 0, "image", "url"),
    ),
    "attachments": (
        {"attachments": [{"id": 0, "filename": "a"}] * 10, "content": "x"},
        {"attachments": [{"id": 0, "filename": "a"}] * 11, "content": "x"},
        "BASE_TYPE_MAX_LENGTH",
        ("attachments",),
    ),
    "poll question": (poll("q" * 300), poll("q" * 301), "BASE_TYPE_BAD_LENGTH", ("poll", "question", "text")),
    "poll answers": (poll(answers=10), poll(answers=11), "BASE_TYPE_BAD_LENGTH", ("poll", "answers")),
    "poll answer": (
        poll(answer="a" * 55),
        poll(answer="a" * 56),
        "BASE_TYPE_BAD_LENGTH",
        ("poll", "answers", 0, "poll_media", "text"),
    ),
    "mentions": (
        {"content": "x", "allowed_mentions": {"parse": ["roles"], "users": ["1"]}},
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        BOTH,
        ("allowed_mentions",),
    ),
    "mentioned users": (
        {"content": "x", "allowed_mentions": {"users": ["1"] * 100}},
        {"content": "x", "allowed_mentions": {"users": ["1"] * 101}},
        "BASE_TYPE_MAX_LENGTH",
        ("allowed_mentions", "users"),
    ),
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


@pytest.mark.parametrize("name", MESSAGES)
def test_message_limit(name: str) -> None:
    good, bad, code, path = MESSAGES[name]
    assert check_message(good) == []
    found = check_message(bad)
    assert (code, path) in {(one.code, one.path) for one in found}, [str(one) for one in found]


def test_files_make_a_message_and_can_be_referred_to() -> None:
    assert check_message({}, files=["a.png"]) == []
    assert check_message(embed(image={"url": "attachment://a.png"}), files=["a.png"]) == []
    names = [f"{n}.png" for n in range(11)]
    assert [one.path for one in check_message({}, files=names)] == [("attachments",)]


def test_edits_may_name_only_what_changes() -> None:
    assert check_message({"embeds": []}, editing=True) == []
    assert check_message({"components": []}, editing=True) == []
    cleared = {"content": "", "embeds": [], "components": [], "attachments": []}
    assert [one.code for one in check_message(cleared, editing=True)] == ["EMPTY_MESSAGE"]
    assert check_message({"components": [text()]}, editing=True, v2=True) == []
    assert check_message({"components": [text()]}, editing=True)


def test_ephemeral_and_silent_flags_are_allowed() -> None:
    assert check_message({"content": "x", "flags": 64 | 4096 | 4}) == []


def test_error_body_has_discords_shape() -> None:
    body = error_body(
        [Violation(("embeds", 0, "title"), "A", "a"), Violation(("embeds", 0, "title"), "B", "b")]
    )
    both = [{"code": "A", "message": "a"}, {"code": "B", "message": "b"}]
    assert body == {
        "code": 50035,
        "message": "Invalid Form Body",
        "errors": {"embeds": {"0": {"title": {"_errors": both}}}},
    }
    assert error_body(check_message({})) == {"code": 50006, "message": "Cannot send an empty message"}
    with pytest.raises(ValueError, match="at least one"):
        error_body([])


_NAMES = """
type content embeds components custom_id options choices name value label flags data poll sticker_ids
allowed_mentions parse users style url items media file accessory component title fields name_localizations
min_values max_values min_value description attachments filename required nonce
"""
_KEYS = st.sampled_from(_NAMES.split())
_LEAVES = st.none() | st.booleans() | st.integers(-2, 60) | st.floats(allow_nan=False) | st.text(max_size=6)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(_JSON)
def test_no_body_however_odd_makes_a_check_fail(body: Any) -> None:
    check_message(body)
    check_message(body, editing=True, v2=True)
    check_commands(body)
    for kind in (4, 7, 8, 9):
        check_callback({"type": kind, "data": body})
