"""What keeps failing in a guild is left alone for a while there, and told to look again afterwards."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from support.plugin_folder import PluginFolder

from core.clock import SteppedClock
from core.context import Context
from core.dispatch import BreakerOpen, DeliveryDropped, Dispatcher, limits
from core.events import Resync
from core.plugins import PluginManager

LISTENER = """
DOING = None

@hookimpl
async def on_member_left(ctx, event):
    await DOING(ctx.guild_id, event)

@hookimpl
async def on_guild_enabled(ctx):
    await DOING(ctx.guild_id, "enabled")
"""
RESYNC = """
@hookimpl
async def on_resync(ctx, event):
    await DOING(ctx.guild_id, event)
"""


class Play:
    """One dispatcher on a clock that is turned, with plugins that fail while they are told to."""

    def __init__(self, folder: PluginFolder) -> None:
        folder.write("alpha", LISTENER + RESYNC)
        folder.write("bravo", LISTENER)
        self.clock = SteppedClock(datetime(2026, 3, 1, 18, tzinfo=UTC))
        self.manager = PluginManager(folder.names, [folder.path])
        self.failing: set[str] = set()
        self.heard: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for plugin in self.manager.loaded.values():
            plugin.module.DOING = self._doing(plugin.name)  # type: ignore[attr-defined]
        self.made = Dispatcher(
            self.manager, lambda plugin, guild: Context(cast(Any, None), plugin, guild), clock=self.clock
        )
        self.made.set_plugins(1, frozenset({"alpha", "bravo"}))

    def _doing(self, plugin: str) -> Any:
        async def doing(guild_id: int, event: Any) -> None:
            self.heard[plugin, guild_id].append(event)
            if plugin in self.failing:
                raise ValueError(event)

        return doing

    async def still(self) -> None:
        async with asyncio.timeout(60):
            while workers := list(self.made.workers()):
                await asyncio.wait(workers)

    async def deliver(self, *events: Any, guild_id: int = 1) -> None:
        for event in events:
            self.made.deliver(guild_id, "on_member_left", event)
        await self.still()

    async def advance(self, seconds: float) -> None:
        await self.clock.advance(seconds, self.still)

    def states(self) -> dict[str, str]:
        return {one.plugin: one.state for one in self.made.breakers()}


@pytest.fixture
async def play(folder: PluginFolder) -> AsyncIterator[Play]:
    made = Play(folder)
    yield made
    await made.made.close(within=1)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "breakers"]


async def test_it_opens_after_failures_in_a_row_only(play: Play) -> None:
    play.failing = {"alpha"}
    await play.deliver(1, 2, 3, 4)
    play.failing = set()
    await play.deliver(5)
    play.failing = {"alpha"}
    await play.deliver(6, 7, 8, 9)
    assert play.states() == {}
    await play.deliver(10)
    assert play.states() == {"alpha": "open"}
    (state,) = play.made.breakers()
    assert (state.plugin, state.guild_id, state.failures) == ("alpha", 1, 5)
    assert state.opens_again == play.clock.now() + timedelta(seconds=30)
    await play.deliver(11, 12)
    assert play.heard["alpha", 1] == list(range(1, 11))
    assert play.heard["bravo", 1] == list(range(1, 13)), "nobody else is touched"
    assert play.made.dropped == {("alpha", "on_member_left"): 2}


async def test_what_another_hook_does_well_hides_no_failing_hook(play: Play) -> None:
    async def failing(_guild_id: int, event: Any) -> None:
        if event != "enabled":
            raise ValueError(event)

    for plugin in play.manager.loaded.values():
        plugin.module.DOING = failing  # type: ignore[attr-defined]
    for number in range(4):
        await play.deliver(number)
        play.made.deliver(1, "on_guild_enabled", "enabled")
        await play.still()
        assert play.states() == {}, number
    await play.deliver(4)
    assert play.states() == {"alpha": "open", "bravo": "open"}
    assert [state.failures for state in play.made.breakers()] == [5, 5]


async def test_two_hooks_that_fail_now_and_then_are_not_counted_together(play: Play) -> None:
    """Each hook has a row of its own; together they count only while nothing goes well."""
    play.failing = {"alpha"}
    for event in range(4):
        play.failing = {"alpha"}
        await play.deliver(event)
        play.failing = set()
        play.made.deliver(1, "on_guild_enabled", "enabled")
        await play.still()
    play.failing = {"alpha"}
    play.made.deliver(1, "on_guild_enabled", "enabled")
    await play.still()
    assert play.states() == {}
    await play.deliver(4)
    assert play.states() == {"alpha": "open"}, "the fifth in a row of on_member_left"


async def test_it_closes_with_one_look_at_the_world(play: Play) -> None:
    play.failing = {"alpha"}
    await play.deliver(*range(5))
    await play.deliver("lost")
    await play.advance(29)
    assert play.states() == {"alpha": "open"}
    play.failing = set()
    await play.advance(2)
    assert play.states() == {}
    await play.deliver("after")
    assert play.heard["alpha", 1][5:] == [Resync(1, "breaker"), "after"]


async def test_it_waits_twice_as_long_each_time_up_to_half_an_hour(play: Play) -> None:
    play.failing = {"alpha"}
    await play.deliver(*range(5))
    for delay in (30, 60, 120, 240, 480, 960, 1800, 1800):
        before = len(play.heard["alpha", 1])
        await play.advance(delay - 1)
        assert len(play.heard["alpha", 1]) == before
        await play.advance(1)
        assert play.heard["alpha", 1][before:] == [Resync(1, "breaker")]
        assert play.states() == {"alpha": "open"}


async def test_soon_after_closing_it_does_not_begin_with_the_shortest_delay_again(play: Play) -> None:
    play.failing = {"alpha"}
    await play.deliver(*range(5))
    play.failing = set()
    await play.advance(30)
    play.failing = {"alpha"}
    await play.deliver(*range(5))
    assert play.made.breakers()[0].opens_again == play.clock.now() + timedelta(seconds=60)
    play.failing = set()
    await play.advance(60)
    await play.advance(120)
    await play.deliver("well")
    play.failing = {"alpha"}
    await play.deliver(*range(5))
    assert play.made.breakers()[0].opens_again == play.clock.now() + timedelta(seconds=30)


async def test_one_without_on_resync_is_tried_with_the_next_event(play: Play) -> None:
    play.failing = {"bravo"}
    await play.deliver(*range(5))
    await play.advance(30)
    assert play.states() == {"bravo": "half-open"}
    await play.deliver("fails")
    assert play.states() == {"bravo": "open"}
    play.failing = set()
    await play.advance(60)
    await play.deliver("works")
    assert play.states() == {}
    assert play.heard["bravo", 1][5:] == ["fails", "works"]


async def test_what_waits_when_it_opens_is_dropped_and_whoever_waits_for_it_is_told(play: Play) -> None:
    play.failing = {"alpha"}
    for event in range(8):
        play.made.deliver(1, "on_member_left", event)
    waiting = asyncio.ensure_future(play.made.deliver_and_wait("alpha", 1, "on_member_left", "outbox"))
    await play.still()
    with pytest.raises(BreakerOpen):
        await waiting
    assert play.heard["alpha", 1] == [0, 1, 2, 3, 4]
    with pytest.raises(BreakerOpen, match="alpha keeps failing in guild 1"):
        await play.made.deliver_and_wait("alpha", 1, "on_member_left", "outbox")


async def test_switching_off_and_on_or_a_reset_starts_afresh(play: Play) -> None:
    play.failing = {"alpha"}
    await play.deliver(*range(5))
    play.made.deliver_to("alpha", 1, "on_guild_enabled")
    await play.still()
    assert play.heard["alpha", 1][5:] == ["enabled"], "its own coming and going reaches it all the same"
    play.made.set_plugins(1, frozenset({"bravo"}))
    play.failing = set()
    assert play.states() == {}
    play.made.set_plugins(1, frozenset({"alpha", "bravo"}))
    await play.deliver("fresh")
    assert play.heard["alpha", 1][6:] == ["fresh"]

    play.failing = {"alpha"}
    await play.deliver(*range(5))
    play.failing = set()
    assert play.made.reset_breaker("alpha", 1)
    await play.still()
    assert play.heard["alpha", 1][-1] == Resync(1, "breaker")
    assert not play.made.reset_breaker("alpha", 1)


async def test_failing_in_many_guilds_is_said_once_to_the_owner(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    play.failing = {"alpha"}
    for guild_id in range(1, 19):
        play.made.set_plugins(guild_id, frozenset({"alpha"}))
    for guild_id in range(1, 19):
        assert ("owner alert" in caplog.text) is (guild_id > 10)
        await play.deliver(*range(5), guild_id=guild_id)
    alerts = [record for record in caplog.records if "owner alert" in record.getMessage()]
    assert [record.levelno for record in alerts] == [logging.ERROR]
    assert "alpha keeps failing in 10 of the 18 guilds" in alerts[0].getMessage()


async def test_a_flood_counts_as_a_failure_and_is_named_once_with_numbers(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "LANE_LIMIT", 10)
    waiting = asyncio.ensure_future(play.made.deliver_and_wait("bravo", 1, "on_member_left", "money"))
    await asyncio.sleep(0)
    # All in one tick: no lane can do anything meanwhile.
    for event in range(32):
        play.made.deliver(1, "on_member_left", event)
    play.made.deliver_to("bravo", 1, "on_guild_enabled")
    await play.still()
    with pytest.raises(DeliveryDropped, match="more than 10 events waited"):
        await waiting
    assert play.heard["bravo", 1][-1] == "enabled", "its own coming is never lost"
    said = [r.getMessage() for r in caplog.records if "is too slow" in r.getMessage()]
    assert sorted(line.partition(" ")[0] for line in said) == ["alpha", "bravo"]
    assert any("11 on_member_left dropped; it has no on_resync" in line for line in said)
    assert "bravo in guild 1 has lost 33 events" in caplog.text
    assert play.made.dropped["bravo", "on_member_left"] == 33
    assert play.made.dropped["alpha", "on_member_left"] == 31
    assert [e for e in play.heard["alpha", 1] if isinstance(e, Resync)] == [Resync(1, "overflow")]
