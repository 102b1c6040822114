"""The stop of a real process: in order, within ten seconds, whatever hangs."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from support.bot_process import BotProcess, bot_process, write_plugins_file
from support.plugin_folder import PluginFolder
from support.postgres import PostgresServer, start_postgres
from support.sandbox_process import sandbox_process

from sandbox.server import SandboxServer, World, WorldClock
from sandbox.stories import Scene, sunday

#: The promise, and what a busy machine may add to it.
WITHIN, GRACE = 10.0, 3.0

LOG = "import logging\nlog = logging.getLogger(__name__)\n"
TRAP = """
@hookimpl
async def on_voice_session_started(ctx, event):
    ctx.log.warning("heard it")
    {trap}
"""
QUIT = """
@hookimpl
async def on_shutdown():
    {trap}
"""
DEAF = """
async def deaf():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
"""
SIT_DOWN = """
    await ctx.seat.claim(event.session.channel_id)
    while not ctx.runtime.seats.status(ctx.guild_id).seated:
        await asyncio.sleep(0.01)
    ctx.log.warning("sits there")
"""
THREAD = 'threading.Thread(target=time.sleep, args=(3600,), name="digger").start()'
#: Plugins of which each would hang for ever, and what the log says of them.
TRAPS = {
    "hanging": (TRAP.format(trap="await asyncio.Event().wait()"), "hanging in guild"),
    "deaf_to_cancel": (DEAF + TRAP.format(trap="await deaf()"), "the task lane deaf_to_cancel"),
    "in_a_thread": (
        "import time\n" + TRAP.format(trap="await ctx.to_thread(time.sleep, 3600)"),
        "the thread thread_0",
    ),
    "leaking": (
        f"{DEAF}kept = []\n" + TRAP.format(trap="kept.append(asyncio.create_task(deaf(), name='mole'))"),
        "the task mole",
    ),
    "digging": ("import threading, time\n" + TRAP.format(trap=THREAD), "the thread digger"),
    "never_done": (QUIT.format(trap="await asyncio.Event().wait()"), "never_done.on_shutdown took longer"),
    "never_at_all": (DEAF + QUIT.format(trap="await deaf()"), "never_at_all.on_shutdown took longer"),
    "leaving": (QUIT.format(trap="raise SystemExit(9)"), "leaving.on_shutdown failed"),
    "well_behaved": (QUIT.format(trap="log.warning('said goodbye')"), "said goodbye"),
}


class House:
    """A sandbox in the test's process, and a folder to run bots in."""

    def __init__(self, scene: Scene, server: SandboxServer, folder: Path, plugins: PluginFolder) -> None:
        self.scene, self.server, self.folder, self.plugins = scene, server, folder, plugins

    def bot(
        self, code: str, database: str = "sqlite:///bot.sqlite3"
    ) -> AbstractAsyncContextManager[BotProcess]:
        """Run a bot with a plugin `trap`, beside those that were written before."""
        self.plugins.write("trap", code, records_voice=True)
        write_plugins_file(self.folder, self.plugins.path, *self.plugins.names)
        return bot_process(self.server.addresses.control, self.folder, {"DATABASE_URL": database})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the bot's SQLite file, after its end."""
        with closing(sqlite3.connect(self.folder / "bot.sqlite3")) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
async def house(tmp_path: Path, folder: PluginFolder) -> AsyncIterator[House]:
    scene = sunday(World(clock=WorldClock(), bot_name="red-legion"), members=24, channels=3)
    server = SandboxServer(scene.world)
    await server.start()
    yield House(scene, server, tmp_path, folder)
    await server.close()


def in_time(bot: BotProcess, ended: tuple[int, float], status: int = 0) -> None:
    """Check exit status and duration."""
    assert ended[0] == status, bot.log
    assert ended[1] < WITHIN + GRACE, bot.log


async def test_no_plugin_holds_up_the_stop(house: House) -> None:
    for name, (code, _) in TRAPS.items():
        house.plugins.write(name, LOG + code, records_voice=True)
    async with house.bot(TRAP.format(trap="await asyncio.sleep(0)")) as bot:
        await house.scene.members[0].join(house.scene.voice_channels[0])
        for name in ("hanging", "deaf_to_cancel", "in_a_thread", "leaking", "digging", "trap"):
            await bot.said(f"plugins.{name} .*heard it")
        in_time(bot, await bot.stop())
        for _, named in TRAPS.values():
            assert named in bot.log
    assert len(house.rows("SELECT id FROM voice_sessions WHERE status = 'active'")) == 1


async def test_a_plugin_that_blocks_the_loop_is_cut_off_and_named(house: House) -> None:
    async with house.bot("import time\n" + TRAP.format(trap="time.sleep(3600)")) as bot:
        await house.scene.members[0].join(house.scene.voice_channels[0])
        await bot.said("heard it")
        in_time(bot, await bot.stop(), status=1)
        assert "the stop took longer than 10 s and was cut off" in bot.log
        assert "time.sleep(3600)" in bot.log


async def test_nothing_that_discord_said_is_lost(house: House) -> None:
    async with house.bot(TRAP.format(trap="")) as bot:
        scene = house.scene
        for _ in range(5):
            for person in scene.members:
                await person.join(scene.voice_channels[0])
                await person.join(scene.voice_channels[1])
        for person in scene.members[:10]:
            await person.leave()
        in_time(bot, await bot.stop())
        assert "Traceback" not in bot.log
        assert " ERROR " not in bot.log
    there = {person.id for person in scene.members[10:]}
    active = "SELECT user_id, channel_id FROM voice_sessions WHERE status = 'active'"
    assert {tuple(row) for row in house.rows(active)} == {(id_, scene.voice_channels[1].id) for id_ in there}


async def test_the_bot_leaves_its_voice_channel(house: House) -> None:
    async with house.bot(TRAP.format(trap=SIT_DOWN)) as bot:
        scene, me = house.scene, house.scene.world.bot_user.id
        await scene.members[0].join(scene.voice_channels[0])
        await bot.said("sits there")
        assert me in scene.guild.voice_states
        in_time(bot, await bot.stop())
        assert me not in scene.guild.voice_states
        assert " ERROR " not in bot.log


@pytest.mark.parametrize(
    ("number", "status", "trap"),
    [
        (signal.SIGTERM, 143, "await asyncio.Event().wait()"),
        (signal.SIGINT, 130, "await asyncio.Event().wait()"),
        (signal.SIGTERM, 143, "import time; time.sleep(3600)"),
    ],
)
async def test_a_second_signal_ends_it_at_once(
    house: House, number: signal.Signals, status: int, trap: str
) -> None:
    async with house.bot(TRAP.format(trap=trap)) as bot:
        await house.scene.members[0].join(house.scene.voice_channels[0])
        await bot.said("heard it")
        bot.process.send_signal(number)
        await bot.said("stopping in order; the same again stops at once")
        ended, took = await bot.stop(number)
        assert ended == status, bot.log
        assert took < 8.0, "less than a stop in order has"
        assert f"{number.name} again: stopping at once" in bot.log


async def test_a_stop_while_it_starts(house: House) -> None:
    start = QUIT.replace("on_shutdown", "on_startup").format(trap="log.warning('starting'); await deaf()")
    house.plugins.write("trap", LOG + DEAF + start)
    write_plugins_file(house.folder, house.plugins.path, "trap")
    control = house.server.addresses.control
    async with bot_process(control, house.folder, {}, ready=False) as bot:
        await bot.said("starting")
        in_time(bot, await bot.stop())


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    server = start_postgres()
    yield server
    server.stop()


@pytest.mark.parametrize("way", ["stopped", "frozen"])
async def test_a_database_that_is_away(house: House, own_postgres: PostgresServer, way: str) -> None:
    async with house.bot(TRAP.format(trap=""), own_postgres.url()) as bot:
        scene = house.scene
        await scene.members[0].join(scene.voice_channels[0])
        await bot.said("heard it")
        server = psutil.Process(own_postgres._process.pid)
        everything = [server, *server.children(recursive=True)]
        if way == "stopped":
            own_postgres.stop()
        else:
            for process in everything:
                process.suspend()
        try:
            await scene.members[1].join(scene.voice_channels[0])
            in_time(bot, await bot.stop())
        finally:
            if way == "frozen":
                for process in everything:
                    process.resume()
        assert "Traceback" not in bot.log.partition("stopping in order")[2]
    if way == "frozen":
        with psycopg.connect(own_postgres.url()) as connection:
            found = connection.execute("SELECT user_id FROM voice_sessions").fetchall()
        assert (scene.members[0].id,) in found


@asynccontextmanager
async def frozen(process: psutil.Process) -> AsyncIterator[None]:
    """Let a process stand still inside the block."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def test_a_discord_that_does_not_answer(tmp_path: Path, folder: PluginFolder) -> None:
    folder.write("trap", TRAP.format(trap=SIT_DOWN), records_voice=True)
    write_plugins_file(tmp_path, folder.path, "trap")
    async with (
        sandbox_process(members=3) as sandbox,
        bot_process(sandbox.control, tmp_path, {"DATABASE_URL": "sqlite:///bot.sqlite3"}) as bot,
    ):
        guild = (await sandbox.get("/guilds"))[0]
        channel = next(one for one in guild["channels"] if one["name"] == "Alpha")
        person = next(one for one in guild["members"] if one["username"] == "quartz")
        await sandbox.post(
            f"/guilds/{guild['id']}/members/{person['id']}/voice", {"channel_id": channel["id"]}
        )
        await bot.said("sits there")
        async with frozen(psutil.Process(sandbox.process.pid)):
            in_time(bot, await bot.stop())
    with closing(sqlite3.connect(tmp_path / "bot.sqlite3")) as connection:
        assert len(connection.execute("SELECT id FROM voice_sessions").fetchall()) == 1
