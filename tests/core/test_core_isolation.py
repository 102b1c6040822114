"""One bad plugin of each kind beside a sound one: contained, named, and shown to who can do something."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from support.isolation import SOON, Play, write_sound
from support.plugin_folder import PluginFolder
from support.waiting import until

from core.plugin_tasks import plugin_tasks
from sandbox.stage import Stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]

#: Seconds that a call may take where a plugin does not end by itself; nine of those are longer than SOON.
SHORT_DEADLINE = 1.0
#: Real seconds in which somebody else's call has its turn, on a busy machine too; the statement has no end.
OTHERS_WAIT = 10.0
FAILED = "failed 5 times in a row and gets no events"
SHUT = "something that it began does not end"


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to be bad in a hook.

    :param does: what it does at each voice session that starts.
    :param log: what the log says of it, as a pattern.
    :param outcome: how the trace says that its calls ended.
    :param info: what /plugins info says of it, and /plugins list.
    :param ready: what /readyz notes, as a pattern.
    :param more: further code of the plugin.
    :param soon: real seconds in which the sound plugin must have done its part beside it.
    :param deadline: seconds that a call of a plugin may take.
    """

    does: str
    log: str
    outcome: str
    info: str | None = None
    ready: str | None = None
    more: str = ""
    soon: float = SOON
    deadline: float = 5.0


GETS_NO_EVENTS = r"plugin bad gets no events in guild \d+ after 5 failures in a row"
#: A statement of more than 30 seconds.
FOR_EVER = """
def for_ever():
    Row._meta.database.execute_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000) "
        "SELECT COUNT(*) FROM n"
    ).fetchall()
"""
KINDS = {
    "raises": Kind(
        "raise RuntimeError('the drill broke')",
        r"bad\.on_voice_session_started failed(.|\n)*the drill broke",
        "failed",
        FAILED,
        GETS_NO_EVENTS,
    ),
    "leaves": Kind(
        "raise SystemExit(3)", r"bad\.on_voice_session_started failed", "failed", FAILED, GETS_NO_EVENTS
    ),
    "interrupts": Kind(
        "raise KeyboardInterrupt", r"bad\.on_voice_session_started failed", "failed", FAILED, GETS_NO_EVENTS
    ),
    "cancels itself": Kind(
        "raise asyncio.CancelledError",
        r"bad\.on_voice_session_started failed",
        "failed",
        FAILED,
        GETS_NO_EVENTS,
    ),
    "hangs": Kind(
        "await asyncio.Event().wait()",
        r"bad\.on_voice_session_started took longer than 1\.0 s and was stopped",
        "timed out",
        FAILED,
        GETS_NO_EVENTS,
        deadline=SHORT_DEADLINE,
    ),
    "is deaf": Kind(
        """
        while not RELEASED.is_set():
            try:
                await RELEASED.wait()
            except asyncio.CancelledError:
                pass
        """,
        r"bad\.on_voice_session_started in guild \d+ did not stop when it was cancelled; its lane stays shut",
        "timed out",
        SHUT,
        r"bad\.on_voice_session_started in guild \d+ was stopped after its deadline and does not end",
        deadline=SHORT_DEADLINE,
    ),
    "hangs in a thread": Kind(
        "await ctx.to_thread(THREAD_RELEASED.wait, 60)",
        r"bad\.on_voice_session_started has ended, but .*wait still runs in a thread; its lane stays shut",
        "timed out",
        SHUT,
        r"its lane waits for .*wait",
        deadline=SHORT_DEADLINE,
    ),
    "blocks the loop": Kind(
        "time.sleep(0.3)",
        r"the event loop stood still for \d+ ms: plugin bad",
        "done",
        ready=r"plugin bad held up the event loop \d+ times",
        # Nobody else can run meanwhile; what counts is that all runs when it is over.
        soon=SOON + 9 * 0.3,
    ),
    "leaks tasks": Kind(
        "for _ in range(200): asyncio.create_task(asyncio.sleep(3600))",
        r"bad left tasks behind in guild \d+, which are cancelled: \d+ x sleep of on_voice_session_started",
        "done",
        ready=r"plugin bad has 1200 tasks in guild \d+ that nothing waits for",
    ),
    "emits more than it takes": Kind(
        "for _ in range(6000): ctx.emit('on_bad_echo', None)",
        r"bad in guild \d+ is too slow: \d+ on_bad_echo.* dropped",
        "done",
        FAILED,
        GETS_NO_EVENTS,
        more="@hookimpl\nasync def on_bad_echo(ctx, event):\n    await asyncio.sleep(0)\n",
    ),
    "emits for ever": Kind(
        "ctx.emit('on_bad_echo', None)",
        r"bad in guild \d+ is too slow: \d+ on_bad_echo.* dropped",
        "done",
        FAILED,
        GETS_NO_EVENTS,
        more=(
            "@hookimpl\nasync def on_bad_echo(ctx, event):\n"
            "    await asyncio.sleep(0)\n"
            "    for _ in range(20): ctx.emit('on_bad_echo', None)\n"
        ),
    ),
    "answers nonsense": Kind(
        "return [object()]",
        r"bad\.on_voice_session_started returned list; an on_\* hook returns nothing",
        "nonsense",
    ),
    "floods a channel": Kind(
        "for number in range(100): await ctx.guild.text_channels[0].send(f'spam {number}')",
        r"bad\.on_voice_session_started took longer than 1\.0 s and was stopped",
        "timed out",
        FAILED,
        GETS_NO_EVENTS,
        deadline=SHORT_DEADLINE,
    ),
    "writes for ever": Kind(
        "await ctx.write(for_ever)",
        r"bad\.for_ever was stopped after \d+ ms, since others wait; it runs again (later|in a thread)",
        "failed",
        FAILED,
        GETS_NO_EVENTS,
        more=FOR_EVER,
        # Until a write of the sound one in the same guild has had its turn behind each of the bad one's; in
        # other guilds nobody waits.
        soon=20.0,
    ),
}
BAD = """
import threading
import time
import types
from redlegion.database import BaseModel

RELEASED = asyncio.Event()
THREAD_RELEASED = threading.Event()

class Row(BaseModel):
    pass

@hookspec
async def on_bad_echo(ctx, event):
    pass

specs = types.ModuleType("specs")
specs.on_bad_echo = on_bad_echo
del on_bad_echo

@hookimpl
def register_hookspecs():
    return specs

@hookimpl
async def on_voice_session_started(ctx, event):
    {does}

{more}
"""


def bad(kind: Kind) -> str:
    does = "\n    ".join(line.removeprefix("        ") for line in kind.does.strip().splitlines())
    return BAD.format(does=does, more=kind.more)


@pytest.mark.parametrize("name", [name for name in KINDS if name != "writes for ever"])
async def test_a_bad_hook_is_contained_named_and_shown(  # noqa: PLR0917 - fixtures
    name: str,
    lite: str,
    folder: PluginFolder,
    on_stage: Opener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await play(KINDS[name], lite, folder, on_stage, monkeypatch, caplog)


async def test_a_write_without_end_holds_up_its_own_guild_only_so_long(
    database_url: str,
    folder: PluginFolder,
    on_stage: Opener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The sound plugin of the same guild, with the same key, misses no event, on either database."""
    await play(KINDS["writes for ever"], database_url, folder, on_stage, monkeypatch, caplog)


async def test_a_write_without_end_holds_up_no_other_guild(
    database_url: str, folder: PluginFolder, on_stage: Opener
) -> None:
    write_sound(folder)
    folder.write("bad", bad(KINDS["writes for ever"]), records_voice=True)
    selection = folder.selection("bad", "sound", load=("bad", "sound"))
    async with on_stage(database_url, selection, members=6) as stage:
        second, runtime = stage.scene.second, stage.runtime
        await stage.slash(second.owner, "plugins disable", {"plugin": "bad"})
        await stage.scene.members[0].join(stage.scene.voice_channels[0])
        await until(lambda: any("for_ever" in name for name, _ in runtime.db.running()))
        longest = 0.0
        for person in second.members[:3] * 10:
            began = asyncio.get_running_loop().time()
            outcome = await person.slash("sound count", second.text)
            assert (await outcome.final())["content"] == "counted"
            longest = max(longest, asyncio.get_running_loop().time() - began)
        assert longest < OTHERS_WAIT
        assert len(await runtime.db.read(folder.module("sound").rows, second.guild.id)) == 30


async def play(  # noqa: PLR0917 - fixtures
    kind: Kind,
    url: str,
    folder: PluginFolder,
    on_stage: Opener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("core.dispatch.limits.DEADLINE", kind.deadline)
    write_sound(folder)
    # Before the sound one in every table, so that what is not contained reaches it.
    folder.write("bad", bad(kind), records_voice=True)
    selection = folder.selection("bad", "sound", load=("bad", "sound"))
    async with on_stage(url, selection, members=6) as stage:
        caplog.set_level(logging.WARNING)
        stage.world.rate_limits.limit("POST", "/channels/{channel_id}/messages", 5, 5.0)
        runtime, guild_id = stage.runtime, stage.scene.guild.id
        module: Any = folder.module("bad")
        action = Play(stage, folder, kind.soon)
        await action.ask()
        await action.come()
        await action.ask()
        # Until the bad one has done its worst, or has been stopped.
        async with asyncio.timeout(60):
            while not found(kind, caplog, await notes(stage), await info(stage)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        module.RELEASED.set()
        module.THREAD_RELEASED.set()
        await stage.advance(2)
        await action.go()
        await action.ask()
        await stage.settle()
        await action.check()
        assert kind.outcome in action.outcomes("bad")
        if kind.outcome in {"failed", "timed out"}:
            assert any(line.failed for line in runtime.dispatcher.figures() if line.plugin == "bad")

        await stage.slash(stage.scene.owner, "plugins disable", {"plugin": "bad"})
        assert plugin_tasks().of("bad", guild_id) == []
        assert re.search(kind.log, caplog.text)
        await action.come()
        await stage.settle()
        await action.check()


def found(kind: Kind, caplog: pytest.LogCaptureFixture, ready: str, shown: str) -> bool:
    """Say whether all is said of a bad plugin that is to be said while it is on."""
    named = re.search(kind.log, caplog.text) or "left tasks behind" in kind.log
    return bool(
        named
        and (kind.info is None or (kind.info in shown and "🟠 **Bad**" in shown))
        and (kind.ready is None or re.search(kind.ready, ready))
    )


async def notes(stage: Stage) -> str:
    """What /readyz tells of a bot that does its work all the same."""
    report = await stage.runtime.health.readiness.look()
    assert report.ready, report.problems
    return "\n".join(report.notes)


async def info(stage: Stage) -> str:
    """What an admin is shown of the bad plugin, in detail and in the list."""
    text = stage.scene.text
    both = []
    for command, options in (("plugins info", {"plugin": "bad"}), ("plugins list", {})):
        outcome = await stage.scene.owner.slash(command, text, options)
        both.append(str((await outcome.final())["embeds"]))
    return "\n".join(both)
