"""Events reach plugins in order, one lane per (plugin, guild), and no plugin can hurt another."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.plugin_folder import PluginFolder

from core import tasks
from core.context import Context
from core.dispatch import Dispatcher, limits
from core.events import Resync
from core.plugins import PluginManager

NOISY = """
DOING = None

@hookimpl
async def on_member_left(ctx, event):
    await DOING("{name}", ctx.guild_id, event)

@hookimpl
async def on_resync(ctx, event):
    await DOING("{name}", ctx.guild_id, event)
"""

Doing = Callable[[str, int, Any], Any]


def context(plugin: str, guild_id: int) -> Context:
    return Context(cast(Any, None), plugin, guild_id)


@pytest.fixture
def manager(folder: PluginFolder) -> PluginManager:
    for name in ("alpha", "bravo", "charlie"):
        folder.write(name, NOISY.format(name=name))
    return PluginManager(folder.names, [folder.path])


def dispatcher(manager: PluginManager, doing: Doing, *, guilds: tuple[int, ...] = (1, 2)) -> Dispatcher:
    for plugin in manager.loaded.values():
        plugin.module.DOING = doing  # type: ignore[attr-defined]
    made = Dispatcher(manager, context)
    for guild in guilds:
        made.set_plugins(guild, frozenset(manager.loaded))
    return made


async def done(made: Dispatcher) -> None:
    async with asyncio.timeout(60):
        while workers := list(made.workers()):
            await asyncio.wait(workers)


#: What one delivery does: turns of the loop that it takes, and what it raises then.
acts = st.tuples(
    st.integers(0, 4),
    st.sampled_from([None, None, None, ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError]),
)
NAMES = ("alpha", "bravo", "charlie")
deliveries = st.tuples(
    st.just("deliver"), st.sampled_from([1, 2, 3]), st.lists(acts, min_size=3, max_size=3), st.integers(0, 2)
)
#: What else happens meanwhile: a plugin is switched, a lane is drained, a worker is cancelled by somebody.
others = st.tuples(
    st.sampled_from(["switch", "drain", "cancel"]),
    st.sampled_from([1, 2]),
    st.sampled_from(NAMES),
    st.integers(0, 2),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(deliveries, deliveries, others), max_size=30))
def test_each_lane_finishes_in_the_order_of_events(steps: list[tuple[str, int, Any, int]]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, int, Any, int]]) -> None:
    finished: dict[tuple[str, int], list[int]] = defaultdict(list)
    expected: dict[tuple[str, int], list[int]] = defaultdict(list)
    running: set[tuple[str, int]] = set()
    on = {guild_id: set(NAMES) for guild_id in (1, 2)}

    async def doing(plugin: str, guild_id: int, number: int) -> None:
        lane = (plugin, guild_id)
        assert lane not in running, "a lane runs one delivery at a time"
        running.add(lane)
        turns, error = steps[number][2][NAMES.index(plugin)]
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
        finally:
            running.discard(lane)
            finished[lane].append(number)
        if error is not None:
            raise error

    made = dispatcher(_MANAGERS[0], doing, guilds=(1, 2))
    for number, (what, guild_id, chosen, pause) in enumerate(steps):
        match what:
            case "deliver":
                made.deliver(guild_id, "on_member_left", number)
                for plugin in on.get(guild_id, ()):
                    expected[plugin, guild_id].append(number)
            case "switch":
                on[guild_id] ^= {chosen}
                made.set_plugins(guild_id, frozenset(on[guild_id]))
            case "drain":
                await made.drain(chosen, guild_id, within=60)
                assert finished.get((chosen, guild_id)) == expected.get((chosen, guild_id))
            case "cancel":
                for worker in made.workers():
                    if worker.get_name() == f"lane {chosen} {guild_id}":
                        worker.cancel()
        for _ in range(pause):
            await asyncio.sleep(0)
    await done(made)
    assert finished == {lane: numbers for lane, numbers in expected.items() if numbers}
    assert made.depths() == {}
    assert len(asyncio.all_tasks()) == 1


_MANAGERS: list[PluginManager] = []


@pytest.fixture(autouse=True)
def _one_manager(manager: PluginManager) -> None:
    # Hypothesis runs many examples in one test: they share the plugins.
    _MANAGERS[:] = [manager]
    logging.getLogger("core.dispatch").setLevel(logging.CRITICAL)


@pytest.fixture(autouse=True)
def _loud_again(monkeypatch: pytest.MonkeyPatch) -> Any:
    # Breakers have a file of their own.
    monkeypatch.setattr(limits, "BREAKER_FAILURES", 1_000)
    yield
    logging.getLogger("core.dispatch").setLevel(logging.NOTSET)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
async def test_one_that_raises_hurts_nobody(manager: PluginManager, error: type[BaseException]) -> None:
    heard: list[tuple[str, int, int]] = []

    async def doing(plugin: str, guild_id: int, event: int) -> None:
        if plugin == "alpha" and guild_id == 1 and event == 1:
            raise error
        heard.append((plugin, guild_id, event))

    made = dispatcher(manager, doing)
    for event in (1, 2):
        for guild_id in (1, 2):
            made.deliver(guild_id, "on_member_left", event)
    await done(made)
    everything = {(p, g, e) for p in manager.loaded for g in (1, 2) for e in (1, 2)}
    assert everything - set(heard) == {("alpha", 1, 1)}
    assert made.delivered["bravo", "on_member_left"] == 4
    if error is not asyncio.CancelledError:
        assert made.failed == {("alpha", "on_member_left"): 1}


async def test_one_that_hangs_is_stopped_at_the_deadline(
    manager: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DEADLINE", 0.5)
    heard: list[tuple[str, int, int]] = []
    others = asyncio.Event()

    async def doing(plugin: str, guild_id: int, event: int) -> None:
        if plugin == "alpha" and guild_id == 1 and event == 1:
            await asyncio.Event().wait()
        heard.append((plugin, guild_id, event))
        if len(heard) == 10:
            others.set()

    made = dispatcher(manager, doing)
    for event in (1, 2):
        for guild_id in (1, 2):
            made.deliver(guild_id, "on_member_left", event)
    await asyncio.wait_for(others.wait(), 60)
    assert ("alpha", 1, 2) not in heard, "its own lane waits for it"
    await done(made)
    assert heard[-1] == ("alpha", 1, 2)
    assert made.failed == {("alpha", "on_member_left"): 1}


async def test_a_guild_with_nothing_on_costs_no_task(manager: PluginManager) -> None:
    async def doing(plugin: str, guild_id: int, event: int) -> None:
        raise AssertionError

    made = dispatcher(manager, doing)
    made.set_plugins(1, frozenset())
    before = asyncio.all_tasks()
    for guild_id in (1, 77):
        made.deliver(guild_id, "on_member_left", 1)
    made.deliver(2, "on_channel_deleted", 1)
    made.deliver_to("no_such_plugin", 2, "on_resync")
    assert asyncio.all_tasks() == before
    assert list(made.workers()) == []


async def test_only_those_that_are_on_hear(manager: PluginManager) -> None:
    heard: list[tuple[str, int]] = []

    async def doing(plugin: str, guild_id: int, event: int) -> None:
        heard.append((plugin, guild_id))

    made = dispatcher(manager, doing)
    made.set_plugins(1, frozenset({"bravo"}))
    made.deliver(1, "on_member_left", 1)
    await done(made)
    assert heard == [("bravo", 1)]
    # A plugin that goes or comes is told by name, on or not.
    made.deliver_to("alpha", 1, "on_resync", Resync(1, "enabled"))
    await done(made)
    assert heard[1:] == [("alpha", 1)]


async def test_a_full_lane_is_emptied_and_told_to_look_again_once(
    manager: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LANE_LIMIT", 5)
    heard: dict[tuple[str, int], list[Any]] = defaultdict(list)
    go = asyncio.Event()

    async def doing(plugin: str, guild_id: int, event: Any) -> None:
        if plugin == "alpha":
            await go.wait()
        heard[plugin, guild_id].append(event)

    made = dispatcher(manager, doing)
    made.deliver(1, "on_member_left", 0)
    await asyncio.sleep(0)
    for event in range(1, 9):
        made.deliver(1, "on_member_left", event)
        await asyncio.sleep(0)
    go.set()
    await done(made)
    assert heard["alpha", 1] == [0, Resync(1, "overflow"), 7, 8]
    assert heard["bravo", 1] == list(range(9))


async def test_draining_waits_and_then_drops(manager: PluginManager, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    go = asyncio.Event()

    async def doing(plugin: str, guild_id: int, event: int) -> None:
        if plugin == "alpha":
            await go.wait()
            heard.append(event)

    made = dispatcher(manager, doing)
    for event in range(3):
        made.deliver(1, "on_member_left", event)
    await made.drain("alpha", 1, within=0.02)
    assert heard == []
    assert all("alpha" not in worker.get_name() for worker in made.workers())
    go.set()
    await done(made)
    assert heard == [], "what was dropped stays dropped"
    for event in range(3):
        made.deliver(1, "on_member_left", event)
    await made.drain("alpha", 1, within=60)
    assert heard == [0, 1, 2]
    await made.drain("alpha", 99, within=60)


async def test_one_that_cannot_be_cancelled_keeps_its_lane_shut_and_does_not_hold_up_the_end(
    manager: PluginManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks, "CANCEL_GRACE", 0.02)
    logging.getLogger("core.dispatch").setLevel(logging.NOTSET)
    heard: list[Any] = []
    go = asyncio.Event()

    async def doing(plugin: str, guild_id: int, event: Any) -> None:
        while plugin == "alpha" and event == 1 and not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                continue
        heard.append((plugin, event))

    made = dispatcher(manager, doing)
    made.deliver(1, "on_member_left", 1)
    try:
        await asyncio.wait_for(made.drain("alpha", 1, within=0.01), 60)
        assert "alpha.on_member_left in guild 1 did not stop when it was cancelled" in caplog.text
        assert [(one.plugin, one.guild_id, one.waits_for) for one in made.hung()] == [("alpha", 1, ())]
        made.deliver_to("alpha", 1, "on_resync", 2)
        made.deliver_to("bravo", 1, "on_resync", 2)
        await asyncio.wait_for(made.drain("bravo", 1, within=600), 60)
        assert ("bravo", 2) in heard
        assert ("alpha", 2) not in heard, "what comes next waits until it has ended"
    finally:
        go.set()
    await done(made)
    assert [event for plugin, event in heard if plugin == "alpha"] == [1, 2]
    assert made.hung() == []

    go.clear()
    made.deliver(1, "on_member_left", 1)
    await asyncio.sleep(0)
    try:
        await asyncio.wait_for(made.close(within=0.01), 60)
        await asyncio.wait_for(made.close(within=600), 60)
    finally:
        go.set()
    assert "alpha in guild 1 is left behind" in caplog.text


async def test_draining_outlives_a_worker_that_was_cancelled_from_within(manager: PluginManager) -> None:
    heard: list[int] = []

    async def doing(plugin: str, guild_id: int, event: int) -> None:
        if event == 0:
            raise asyncio.CancelledError
        await asyncio.sleep(0)
        if plugin == "alpha":
            heard.append(event)

    made = dispatcher(manager, doing)
    for event in range(4):
        made.deliver(1, "on_member_left", event)
    await made.drain("alpha", 1, within=60)
    assert heard == [1, 2, 3]


async def test_hooks_of_a_plugins_own_are_delivered(folder: PluginFolder) -> None:
    offering = "from crews import hookspecs\n@hookimpl\ndef register_hookspecs():\n    return hookspecs"
    folder.write("crews", offering)
    (folder.path / "crews" / "hookspecs.py").write_text(
        "from redlegion import hookspec\n@hookspec\nasync def on_crew_left(ctx, event): ...\n",
        encoding="utf-8",
    )
    hearing = "HEARD = []\n@hookimpl\nasync def on_crew_left({}):\n    HEARD.append({})"
    folder.write("hearer", hearing.format("event, ctx", "(ctx.plugin, ctx.guild_id, event)"), after=["crews"])
    folder.write("brief", hearing.format("", "'left'"), requires=["crews"])
    manager = PluginManager(["crews", "hearer", "brief"], [folder.path])
    made = Dispatcher(manager, context)
    made.set_plugins(1, frozenset(manager.loaded))
    made.deliver(1, "on_crew_left", "Alpha")
    await done(made)
    assert folder.module("hearer").HEARD == [("hearer", 1, "Alpha")]
    assert folder.module("brief").HEARD == ["left"]
