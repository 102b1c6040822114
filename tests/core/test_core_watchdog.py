"""The watchdog: who holds the event loop is named, once per stall, and nobody else is."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.plugin_folder import PluginFolder
from support.waiting import until

from core.clock import SystemClock
from core.health.watchdog import Stall, Watchdog
from core.scope import Scope, running

#: Blocks the loop for 400 ms in a helper of its own, called by a hook.
BLOCKER = """
import time

def dig(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass

@hookimpl
async def on_voice_session_started(ctx, event):
    await asyncio.sleep(0)
    dig(0.4)

@hookimpl
async def on_voice_session_ended(ctx, event):
    asyncio.get_running_loop().call_soon(dig, 0.4)
"""


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    made = Watchdog({"shop": "shop"}, SystemClock())
    yield made
    made.close()


async def test_a_plugin_that_blocks_the_loop_is_named(
    lite: str, folder: PluginFolder, on_stage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write("blocker", BLOCKER, records_voice=True)
    folder.write("bystander", "", records_voice=True)
    async with on_stage(lite, folder.selection("blocker", "bystander")) as stage:
        watchdog, guild = stage.runtime.health.watchdog, stage.scene.guild
        before = len(watchdog.recent)
        person = stage.scene.members[0]
        await person.join(stage.scene.voice_channels[0])
        await until(lambda: watchdog.stalls["blocker"] == 1)
        stall = watchdog.recent[-1]
        assert (stall.plugin, stall.guild_id) == ("blocker", guild.id)
        assert 0.2 <= stall.seconds < 5
        assert "dig(0.4)" in stall.stack
        lines = [line for line in caplog.text.splitlines() if "plugin blocker" in line]
        assert len(lines) == 1
        assert "the event loop stood still for" in lines[0]
        # A callback of the plugin's runs in no task: only its frames tell.
        await stage.settle()
        await person.leave()
        await until(lambda: watchdog.stalls["blocker"] == 2)
        assert watchdog.stalled_seconds["blocker"] >= 0.4
        assert watchdog.stalls["bystander"] == 0
        assert len(watchdog.recent) >= before + 2


async def test_a_loop_that_turns_is_left_alone(watchdog: Watchdog, caplog: pytest.LogCaptureFixture) -> None:
    watchdog.start()
    await asyncio.sleep(0.5)
    assert not [stall for stall in watchdog.recent if stall.stack]
    assert watchdog.still() < 1.0


async def test_code_that_is_no_plugins_is_said_to_be_nobodys(watchdog: Watchdog) -> None:
    watchdog.start()
    await asyncio.sleep(0)
    with running(Scope("shop", 7, "on_something")):
        pass
    time.sleep(0.4)  # noqa: ASYNC251 - what is tested
    await until(lambda: watchdog.recent)
    (stall,) = watchdog.recent
    assert (stall.plugin, stall.guild_id, stall.hook) == (None, None, None)
    assert str(stall) == "no plugin's code"
    assert "time.sleep(0.4)" in stall.stack


async def test_a_stall_without_end_is_told_while_it_lasts(
    watchdog: Watchdog, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.health.watchdog.ENDLESS", 0.3)
    told = threading.Event()

    class Waker(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "has stood still" in record.getMessage():
                told.set()

    log, waker = logging.getLogger("core.health.watchdog"), Waker()
    log.addHandler(waker)
    try:
        watchdog.start()
        # Only the watchdog's thread can end this wait of the loop's.
        assert told.wait(60)
        assert watchdog.still() > 0.25
    finally:
        log.removeHandler(waker)
    await until(lambda: watchdog.recent)
    assert watchdog.still() < 0.25


async def test_closing_ends_the_thread_at_once(watchdog: Watchdog) -> None:
    watchdog.start()
    watchdog.close()
    assert "watchdog" not in {thread.name for thread in threading.enumerate()}
    watchdog.close()


def test_a_stall_says_what_is_known() -> None:
    stall = Stall(datetime(2026, 3, 1, tzinfo=UTC), "shop", 7, "on_sale", 0.5, "")
    assert str(stall) == "plugin shop, guild 7, hook on_sale"
