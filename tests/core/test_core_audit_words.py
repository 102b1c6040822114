"""What a plugin noted in the audit log, in words."""

from __future__ import annotations

from typing import Any

import pytest

from core.commands.audit_words import noted

BEGAN, ENDED = "2026-09-06T18:00:00+00:00", "2026-09-06T20:00:00.5+02:00"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        ({}, "nothing"),
        ([], "nothing"),
        (3, "`3`"),
        ({"name": "**Alpha** <@7>"}, "`name` `**Alpha** <@7>`"),
        (BEGAN, "<t:1788717600:f>"),
        ("2026-09-06T18:00:00", "`2026-09-06T18:00:00`"),
        ([BEGAN, ENDED], "<t:1788717600:f>–<t:1788717600:f>"),
        (
            {"windows": [[BEGAN, ENDED], [ENDED, None]]},
            "`windows` <t:1788717600:f>–<t:1788717600:f>, <t:1788717600:f>–…",
        ),
        (list(range(9)), "`0`, `1`, `2`, `3`, `4`, `5` and 3 more"),
    ],
)
def test_values_in_words(value: Any, words: str) -> None:
    assert noted(value) == words
