"""Each written limit of the values inside components: one body just inside it, one just outside."""

from __future__ import annotations

from typing import Any

import pytest
from test_limits_components import button, layout, row, rows, select, text

from sandbox.server.limits import check_message

# name: (good body, bad body, code of the violation, its path)
VALUES: dict[str, tuple[Any, Any, str, tuple[str | int, ...]]] = {
    "emoji without a name": (
        rows(row(button(emoji={"name": "🪨"}))),
        rows(row(button(emoji={}))),
        "BASE_TYPE_REQUIRED",
        ("components", 0, "components", 0, "emoji", "name"),
    ),
    "emoji of a guild": (
        rows(row(button(emoji={"id": "7", "name": "ore"}))),
        rows(row(button(emoji={"id": "ore", "name": "ore"}))),
        "NUMBER_TYPE_COERCE",
        ("components", 0, "components", 0, "emoji", "id"),
    ),
    "disabled": (
        rows(row(button(disabled=True))),
        rows(row(button(disabled="yes"))),
        "BOOLEAN_TYPE_CONVERT",
        ("components", 0, "components", 0, "disabled"),
    ),
    "shop": (
        rows(row({"type": 2, "style": 6, "sku_id": "7"})),
        rows(row({"type": 2, "style": 6, "sku_id": "seven"})),
        "NUMBER_TYPE_COERCE",
        ("components", 0, "components", 0, "sku_id"),
    ),
    "default values of a kind": (
        rows(row({"type": 5, "custom_id": "who", "default_values": [{"id": "1", "type": "user"}]})),
        rows(row({"type": 5, "custom_id": "who", "default_values": [{"id": "1", "type": "role"}]})),
        "BASE_TYPE_CHOICES",
        ("components", 0, "components", 0, "default_values", 0, "type"),
    ),
    "default values of nobody": (
        rows(row({"type": 6, "custom_id": "role", "default_values": [{"id": "1", "type": "role"}]})),
        rows(row({"type": 6, "custom_id": "role", "default_values": [{"type": "role"}]})),
        "BASE_TYPE_REQUIRED",
        ("components", 0, "components", 0, "default_values", 0, "id"),
    ),
    "default values beyond the range": (
        rows(row({"type": 7, "custom_id": "x", "default_values": [{"id": "1", "type": "role"}]})),
        rows(
            row(
                {
                    "type": 7,
                    "custom_id": "x",
                    "default_values": [{"id": str(n), "type": "role"} for n in "12"],
                }
            )
        ),
        "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
        ("components", 0, "components", 0),
    ),
    "default values below the range": (
        rows(row({"type": 8, "custom_id": "x", "default_values": [{"id": "1", "type": "channel"}]})),
        rows(
            row(
                {
                    "type": 8,
                    "custom_id": "x",
                    "min_values": 2,
                    "max_values": 3,
                    "default_values": [{"id": "1", "type": "channel"}],
                }
            )
        ),
        "SELECT_COMPONENT_TOO_FEW_DEFAULT_VALUES",
        ("components", 0, "components", 0, "default_values"),
    ),
    "default values of texts": (
        rows(row(select())),
        rows(row(select(default_values=[{"id": "1", "type": "user"}]))),
        "SELECT_COMPONENT_DEFAULT_VALUES_NOT_ALLOWED",
        ("components", 0, "components", 0, "default_values"),
    ),
    "channel types": (
        rows(row({"type": 8, "custom_id": "x", "channel_types": [0, 2]})),
        rows(row({"type": 8, "custom_id": "x", "channel_types": [99]})),
        "BASE_TYPE_CHOICES",
        ("components", 0, "components", 0, "channel_types", 0),
    ),
    "channel types twice": (
        rows(row({"type": 8, "custom_id": "x", "channel_types": [2]})),
        rows(row({"type": 8, "custom_id": "x", "channel_types": [2, 2]})),
        "SET_TYPE_ALREADY_CONTAINS_VALUE",
        ("components", 0, "components", 0, "channel_types"),
    ),
    "spoiler": (
        layout({"type": 17, "spoiler": True, "components": [text()]}),
        layout({"type": 17, "spoiler": 1, "components": [text()]}),
        "BOOLEAN_TYPE_CONVERT",
        ("components", 0, "spoiler"),
    ),
    "divider": (
        layout({"type": 14, "divider": False}),
        layout({"type": 14, "divider": 0}),
        "BOOLEAN_TYPE_CONVERT",
        ("components", 0, "divider"),
    ),
    "negative number": (
        layout({"type": 10, "id": 0, "content": "x"}),
        layout({"type": 10, "id": -1, "content": "x"}),
        "NUMBER_TYPE_MIN",
        ("components", 0, "id"),
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_value_limit(name: str) -> None:
    good, bad, code, path = VALUES[name]
    assert check_message(good) == []
    found = check_message(bad)
    assert (code, path) in {(one.code, one.path) for one in found}, [str(one) for one in found]
