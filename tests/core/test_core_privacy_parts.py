"""The parts of what is told and forgotten of a member that need no bot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.database import CORE_SCHEMA
from core.privacy.files import TooLarge, files_of, jsonable
from core.privacy.paths import core_id_fields, id_fields
from core.privacy.scrubbing import Scrub


def test_every_id_of_the_core_is_sorted() -> None:
    """A new column must be either one of members' ids, which are replaced, or stand here."""
    others = {
        "channel_id", "afk_channel_id", "via_channel_id", "role_id", "previous_id", "session_id", "attempts",
        "deafened_us", "present_us", "afk_us", "stays", "estimated",
    }  # fmt: skip
    for model in CORE_SCHEMA.models:
        left = {field.column_name for field in id_fields(model)} - {
            field.column_name for field in core_id_fields(model)
        }
        assert left <= others, model


def test_a_scrub_reaches_every_depth() -> None:
    scrub = Scrub(123, 9, "Quartz", "former member #1")
    before = {
        "123": [123, 1234, "<@123> and 1234", {"n": "Quartz", "m": "Quartz Mining"}],
        "b": True,
        "f": 1.5,
    }
    assert scrub.value(before) == {
        "9": [9, 1234, "<@9> and 1234", {"n": "former member #1", "m": "Quartz Mining"}],
        "b": True,
        "f": 1.5,
    }
    assert Scrub(1, 9, "", "x").value({"a": "", "b": True, "c": 1}) == {"a": "", "b": True, "c": 9}


def test_files_are_split_and_hold_everything() -> None:
    document = {
        "a": [{"n": number, "text": "ä" * 40} for number in range(100)],
        "b": {"c": 1, "d": "e" * 500},
    }
    parts = files_of("all", document, 900)
    assert len(parts) > 3
    assert all(len(content) <= 900 for _name, content in parts)
    assert parts[0][0] == f"all-1-of-{len(parts)}.json"
    merged: dict[str, Any] = {"a": [], "b": {}}
    for _name, content in parts:
        part = json.loads(content)
        merged["a"] += part.get("a", [])
        merged["b"] |= part.get("b", {})
    assert merged == document
    assert files_of("all", document) == [("all.json", files_of("x", document)[0][1])]
    with pytest.raises(TooLarge):
        files_of("all", {"a": "x" * 2_000}, 900)


def test_ids_keep_all_their_digits() -> None:
    assert jsonable({1: 2**53 + 1, "n": 5}) == {"1": str(2**53 + 1), "n": 5}
    with pytest.raises(TypeError, match="object is no JSON value"):
        jsonable([object()])
