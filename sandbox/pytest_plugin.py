"""A pytest plugin: a failing test that used a sandbox leaves its recording behind, to be played again."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import pytest

if TYPE_CHECKING:
    from sandbox.server.world import World

_MODULE = "sandbox.server.recording"
_WORLDS = pytest.StashKey["list[World]"]()
_KNOWN = pytest.StashKey["WeakSet[World]"]()
_WRITTEN = pytest.StashKey[bool]()
_LONGEST_NAME = 150


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where recordings go: an option, and a setting of the ini file."""
    words = "folder for the recordings of failing tests that used a sandbox; empty: none is written"
    parser.addini("sandbox_recordings", words, default="sandbox-recordings")
    group = parser.getgroup("sandbox")
    group.addoption("--sandbox-recordings", metavar="DIR", default=None, help=words)


def _recent() -> list[World]:
    # Tests that use no sandbox should not pay for importing one.
    module: Any = sys.modules.get(_MODULE)
    return module.recent_worlds() if module is not None else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """Tell the worlds of this test from those before it."""
    # Not by id: a world of this test may get that of one that is gone.
    item.stash[_KNOWN] = WeakSet(_recent())
    try:
        return (yield)
    finally:
        item.stash[_WORLDS] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write the recordings of a test that failed, once, and say in its report where they are."""
    report = yield
    # Held on to until the test is over: a check in a fixture's end may fail when the test itself has passed.
    worlds = item.stash[_WORLDS] = worlds_of(item)
    if report.failed and worlds and not item.stash.get(_WRITTEN, False):
        item.stash[_WRITTEN] = True
        for words in _write(item, worlds):
            report.sections.append(("sandbox", words))
    return report


def worlds_of(item: pytest.Item) -> list[World]:
    """Return the sandboxes' worlds that a running test has made, oldest first."""
    held = item.stash.get(_WORLDS, [])
    known: WeakSet[World] = item.stash.get(_KNOWN, WeakSet())
    fresh = (each for each in _recent() if each not in known and not any(each is one for one in held))
    return [*held, *fresh]


@pytest.fixture
def sandbox_worlds(request: pytest.FixtureRequest) -> Any:
    """A function that returns the worlds which the test has made so far, oldest first."""
    return lambda: worlds_of(request.node)


def _folder(config: pytest.Config) -> Path | None:
    given = config.getoption("--sandbox-recordings")
    if given is None:
        given = config.getini("sandbox_recordings")
    return config.rootpath / given if given else None


def _write(item: pytest.Item, worlds: list[World]) -> Generator[str, None, None]:
    folder = _folder(item.config)
    worlds = [each for each in worlds if len(each.log)]
    for number, world in enumerate(worlds, 1):
        yield from (str(plan) for plan in world.plans)
        if folder is None:
            continue
        path = folder / f"{_file_name(item.nodeid)}{f'-{number}' if len(worlds) > 1 else ''}.jsonl"
        try:
            world.log.export(path)
        except OSError as error:
            yield f"the recording could not be written: {error}"
        else:
            root = item.config.rootpath
            shown = path.relative_to(root) if path.is_relative_to(root) else path
            yield f"recording, to be played again with redlegion sandbox --replay: {shown}"


def _file_name(test: str) -> str:
    """Return a test's name as one that every file system takes."""
    name = re.sub(r"[^\w.\-]+", "-", test.replace(".py::", "-").replace("/", ".")).strip("-.")
    return name[-_LONGEST_NAME:]
