"""Each written limit of messages: one body just inside it, one just outside."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.server.limits import Violation, check_callback, check_commands, check_message, error_body


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
    "embed without anything": (
        {"embeds": [{"title": "Haul", "color": 1}]},
        {"embeds": [{"color": 1}]},
        "BASE_TYPE_REQUIRED",
        ("embeds", 0, "description"),
    ),
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
        {"content": "x", "allowed_mentions": {"users": [str(n) for n in range(100)]}},
        {"content": "x", "allowed_mentions": {"users": [str(n) for n in range(101)]}},
        "BASE_TYPE_MAX_LENGTH",
        ("allowed_mentions", "users"),
    ),
    "mentioned twice": (
        {"content": "x", "allowed_mentions": {"users": ["1", "2"]}},
        {"content": "x", "allowed_mentions": {"users": ["1", "1"]}},
        "SET_TYPE_ALREADY_CONTAINS_VALUE",
        ("allowed_mentions", "users"),
    ),
    "kinds of mentions": (
        {"content": "x", "allowed_mentions": {"parse": ["users", "roles", "everyone"]}},
        {"content": "x", "allowed_mentions": {"parse": ["here"]}},
        "BASE_TYPE_CHOICES",
        ("allowed_mentions", "parse", 0),
    ),
    "ids of mentions": (
        {"content": "x", "allowed_mentions": {"roles": ["1"]}},
        {"content": "x", "allowed_mentions": {"roles": ["officers"]}},
        "NUMBER_TYPE_COERCE",
        ("allowed_mentions", "roles", 0),
    ),
    "replied user": (
        {"content": "x", "allowed_mentions": {"replied_user": False}},
        {"content": "x", "allowed_mentions": {"replied_user": "no"}},
        "BOOLEAN_TYPE_CONVERT",
        ("allowed_mentions", "replied_user"),
    ),
    "reply to nothing": (
        {"content": "x", "message_reference": {"message_id": "1", "fail_if_not_exists": False}},
        {"content": "x", "message_reference": {"fail_if_not_exists": False}},
        "BASE_TYPE_REQUIRED",
        ("message_reference", "message_id"),
    ),
    "kind of reference": (
        {"content": "x", "message_reference": {"type": 0, "message_id": "1", "fail_if_not_exists": False}},
        {"content": "x", "message_reference": {"type": 2, "message_id": "1", "fail_if_not_exists": False}},
        "BASE_TYPE_CHOICES",
        ("message_reference", "type"),
    ),
    "tts": ({"content": "x", "tts": False}, {"content": "x", "tts": "yes"}, "BOOLEAN_TYPE_CONVERT", ("tts",)),
    "embed time": (
        embed(timestamp="2026-03-01T18:00:00+00:00"),
        embed(timestamp="Sunday"),
        "DATE_TIME_TYPE_PARSE",
        ("embeds", 0, "timestamp"),
    ),
    "embed link": (
        embed(url="https://example.org/"),
        embed(url="javascript:alert(1)"),
        "URL_TYPE_INVALID_SCHEME",
        ("embeds", 0, "url"),
    ),
    "embed author link": (
        embed(author={"name": "a", "url": "https://example.org/a"}),
        embed(author={"name": "a", "url": "https://exa mple.org/"}),
        "URL_TYPE_INVALID_URL",
        ("embeds", 0, "author", "url"),
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
