"""The pytest plugin: what a failing test leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.server.recording import Recording
from sandbox.server.replay import Replay

pytest_plugins = ["pytester"]

TESTS = """
import pytest
from sandbox.server import World

def test_passes():
    World(seed=1).create_guild("Ember")

@pytest.mark.parametrize("name", ["a b/c"])
def test_fails(name):
    world = World(seed=2)
    world.create_guild("Ember")
    world.faults.plan(7, count=2)
    assert name == ""

def test_two_worlds():
    worlds = [World(seed=3), World(seed=4), World(seed=5)]
    for world in worlds[:2]:
        world.create_guild("Ember")
    raise RuntimeError

def test_without_a_sandbox():
    assert False

@pytest.fixture
def judge(sandbox_worlds):
    yield
    assert [world.seed for world in sandbox_worlds()] == []

def test_judged_at_the_end(judge):
    World(seed=5).create_guild("Basalt")
"""


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test_them=TESTS)
    options = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:asyncio")
    named = () if _registered(pytester) else ("-p", "sandbox.pytest_plugin")
    return pytester.runpytest_subprocess(*named, *options, *arguments)


def _registered(pytester: pytest.Pytester) -> bool:
    from importlib.metadata import entry_points

    return any(each.value == "sandbox.pytest_plugin" for each in entry_points(group="pytest11"))


def test_a_failing_test_leaves_its_recording(pytester: pytest.Pytester) -> None:
    result = run(pytester)
    result.assert_outcomes(passed=2, failed=3, errors=1)
    folder = pytester.path / "sandbox-recordings"
    assert sorted(each.name for each in folder.iterdir()) == [
        "test_them-test_fails-a-b.c.jsonl",
        "test_them-test_judged_at_the_end.jsonl",
        "test_them-test_two_worlds-1.jsonl",
        "test_them-test_two_worlds-2.jsonl",
    ]
    result.stdout.fnmatch_lines(
        ["*fault plan: seed=7*", "recording, *: sandbox-recordings/*test_fails-a-b.c.jsonl"]
    )
    recording = Recording.load(folder / "test_them-test_fails-a-b.c.jsonl")
    assert recording.header["seed"] == 2
    assert recording.header["plans"][0].startswith("fault plan: seed=7")
    assert [each["verb"] for each in recording.acts] == ["create_guild", "plan"]


def test_folder_is_chosen_or_none(pytester: pytest.Pytester) -> None:
    run(pytester, "--sandbox-recordings", "elsewhere/deep", "-k", "two_worlds")
    assert len(list((pytester.path / "elsewhere" / "deep").iterdir())) == 2
    pytester.makeini("[pytest]\nsandbox_recordings =\n")
    result = run(pytester, "-k", "test_fails")
    result.stdout.fnmatch_lines(["*fault plan: seed=7*"])
    assert not (pytester.path / "sandbox-recordings").exists()


async def test_the_recording_of_a_failing_test_can_be_played(pytester: pytest.Pytester) -> None:
    run(pytester, "-k", "judged")
    [path] = (pytester.path / "sandbox-recordings").iterdir()
    world = await Replay(Recording.load(path)).set_scene()
    assert [guild.name for guild in world.guilds.values()] == ["Basalt"]


def test_the_plugin_alone_imports_no_server() -> None:
    code = (
        "import sys, sandbox.pytest_plugin; print([m for m in sys.modules if m.startswith('sandbox.server')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"
