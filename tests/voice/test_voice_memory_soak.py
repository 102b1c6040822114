"""A million voice events through our bot as a process: its memory stays as it is, and every row is right."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psutil
import pytest
from support.bot_process import bot_process, write_plugins_file
from support.plugin_folder import PluginFolder
from support.voice_throng import Throng

from sandbox.server import SandboxServer, World, WorldClock

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
GUILDS, PEOPLE, CHANNELS = 10, 100, 5
EVERY = 50_000
MOST_GROWTH = 4 * 1024 * 1024
"""Bytes between the least and the most that is resident in the last third. Each of the database's connections
fills a cache of 2 MiB of its own in the course of a run; 13 bytes an event would be more than this."""
MOST_BLOCKS = 20_000
"""Blocks of Python's own memory between the least and the most there: one for 17 events would be more."""


@pytest.fixture
def judged_worlds() -> None:
    """Nothing is judged here: a validator would take all of the time."""


def swing(marks: Sequence[int]) -> int:
    """Return how far the last third of the marks lies apart."""
    last = marks[-len(marks) // 3 :]
    return max(last) - min(last)


async def begin_operation(throng: Throng) -> None:
    """Let an operation run in one guild, which tracks two of its channels."""
    guild = throng.guilds[0]
    owner, text = throng.world.person(guild.id, guild.owner_id), guild.create_channel("mining", type=0)
    commands = [("mining channels add", {"channel": str(each.id)}) for each in throng.people[0].channels[:2]]
    for command, options in [*commands, ("mining start", {})]:
        outcome = await owner.slash(command, channel=text, options=options)
        await throng.world.clock.advance(10)
    started = await outcome.final()
    assert not started["flags"] & 64, f"only a refusal is private: {started['content']}"


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_memory_is_flat_and_rows_are_right(
    database_url: str, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    events = 1_000_000 if database_url.startswith("sqlite") else 300_000
    world = World(clock=WorldClock(START), seed=1)
    world.log.enabled = False
    throng = Throng(world, guilds=GUILDS, people=PEOPLE, channels=CHANNELS, seed=1)
    plugins = PluginFolder(tmp_path / "own")
    plugins.write(
        "ears",
        f"""
        import sys
        moves = 0

        @hookimpl
        async def on_voice_session_moved(ctx: Context) -> None:
            global moves
            moves += 1
            if moves % {EVERY} == 0:
                ctx.log.info("Python holds %d blocks", sys.getallocatedblocks())
        """,
        records_voice=True,
    )
    write_plugins_file(tmp_path, plugins.path, "operations", "sunday_mining", "ears")
    server = SandboxServer(world)
    await server.start()
    marks: list[int] = []
    try:
        async with bot_process(server.addresses.control, tmp_path, {"DATABASE_URL": database_url}) as bot:
            await begin_operation(throng)
            process = psutil.Process(bot.process.pid)
            cpu, began, done = process.cpu_times(), time.perf_counter(), 0
            while done < events:
                done += await throng.turn()
                if done % EVERY == 0:
                    marks.append(process.memory_info().rss)
            seconds, used = time.perf_counter() - began, process.cpu_times()
            status, _ = await bot.stop()
            troubles = [line for line in bot.lines if " ERROR " in line]
        wrong = list(islice(throng.wrongs(database_url), 5))
    finally:
        await server.close()
    spent = (used.user + used.system - cpu.user - cpu.system) * 1e6 / done
    megabytes = [round(mark / 2**20, 1) for mark in marks]
    record_property("megabytes", megabytes)
    print(
        f"\n{done:,} events in {seconds:.0f} s, {spent:.0f} us of the bot's CPU each: {dict(throng.events)}"
    )
    blocks = [int(found) for found in re.findall(r"Python holds (\d+) blocks", bot.log)]
    record_property("blocks", blocks)
    print(f"resident MiB every {EVERY:,}: {megabytes}; Python's blocks: {blocks}")
    assert not wrong
    assert (status, troubles) == (0, [])
    assert swing(marks) < MOST_GROWTH, megabytes
    assert len(blocks) == throng.events["moves"] // EVERY
    assert swing(blocks) < MOST_BLOCKS, blocks
