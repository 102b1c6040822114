"""Whatever passes through any sandbox of any test is judged by Discord's API description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.openapi_judge import Findings, Judge, attach

from sandbox.server import World


@pytest.fixture(autouse=True)
def judged_worlds(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Findings]]:
    """Judge every world that a test makes, and fail the test for what was found.

    Yields the findings of each world, in the order the worlds were made.
    """
    found: list[Findings] = []
    if Judge.load() is None:
        yield found
        return
    make = World.__init__

    def judged(self: World, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        found.append(attach(self))

    monkeypatch.setattr(World, "__init__", judged)
    yield found
    problems = [problem for findings in found for problem in findings]
    if problems:
        pytest.fail("Discord's API description disagrees:\n" + "\n".join(problems), pytrace=False)
