"""Two bots on one database with the same shard are noticed by both; a restart never looks like that."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from support.bot_process import BotProcess, bot_process, write_plugins_file
from support.plugin_folder import PluginFolder

from core.address import Address
from core.cli.running import Said, ask
from core.clock import SteppedClock
from core.database import Database
from core.voice.beats import HEARTBEAT_SECONDS, ShardBeats
from core.voice.store import last_beat
from sandbox.server import SandboxServer, World, WorldClock
from sandbox.stories import sunday


class Bots:
    """Processes that beat for shard 0 of one database, as a test says."""

    def __init__(self, db: Database, clock: SteppedClock) -> None:
        self.db, self.clock = db, clock

    async def start(self) -> ShardBeats:
        beats = ShardBeats(self.db, self.clock)
        await beats.first(0)
        return beats

    async def go_on(self, *running: ShardBeats, rounds: int = 1) -> None:
        for _ in range(rounds):
            for number, beats in enumerate(running):
                await self.clock.advance(1 if number else HEARTBEAT_SECONDS)
                await beats.now(0)


@pytest.fixture
def bots(database: Database, stepped_clock: SteppedClock) -> Bots:
    return Bots(database, stepped_clock)


async def test_two_that_go_on_are_noticed_by_both_until_one_ends(
    bots: Bots, caplog: pytest.LogCaptureFixture
) -> None:
    old = await bots.start()
    await bots.go_on(old, rounds=3)
    new = await bots.start()
    await bots.go_on(old, new, rounds=2)
    assert (old.rivals(), new.rivals()) == ([], [])
    await bots.go_on(old, new, rounds=2)
    [seen_by_old], [seen_by_new] = old.rivals(), new.rivals()
    assert (seen_by_old.owner, seen_by_new.owner) == (new.owner, old.owner)
    assert "runs on this database and has shard 0 too" in str(seen_by_old)
    await bots.go_on(old, new, rounds=5)
    assert caplog.text.count("has shard 0 too") == 2
    await bots.go_on(new, rounds=6)
    assert new.rivals() == []
    assert caplog.text.count("beats no more") == 1


async def test_a_restart_is_no_second_bot(bots: Bots, caplog: pytest.LogCaptureFixture) -> None:
    last = await bots.start()
    for pause in (0, 1, 5, 14, 0, 0):
        await bots.go_on(last, rounds=3)
        killed, last = last, await bots.start()
        await bots.clock.advance(pause)
        await last.now(0)
        # The killed one's last beat was under way to the server, which stores it all the same.
        await killed.now(0)
        await bots.go_on(last, rounds=3)
        assert last.rivals() == []
    assert not caplog.records


async def test_one_whose_clock_is_behind_is_noticed_and_turns_no_beat_back(
    database: Database, stepped_clock: SteppedClock
) -> None:
    behind = SteppedClock(stepped_clock.now())
    await stepped_clock.advance(3_600)
    right, wrong = ShardBeats(database, stepped_clock), ShardBeats(database, behind)
    for _ in range(4):
        await stepped_clock.advance(15)
        await behind.advance(15)
        await right.now(0)
        await wrong.now(0)
    assert right.rivals()
    assert wrong.rivals()
    assert await database.read(last_beat, 0) == stepped_clock.now()


async def test_a_beat_that_was_not_stored_accuses_nobody(
    database: Database, stepped_clock: SteppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    bots = Bots(database, stepped_clock)
    one, other = await bots.start(), await bots.start()
    await bots.go_on(one, rounds=2)

    class Refusing:
        write = staticmethod(_refuse)
        read = database.read

    one._db = Refusing()
    for _ in range(3):
        await one.now(0)
        await other.now(0)
    one._db = database
    await one.now(0)
    assert one.rivals() == []
    assert caplog.text.count("storing the heartbeat of shard 0 failed") == 3


async def _refuse(*_: object, key: int) -> None:
    raise ConnectionError(f"away for {key}")


async def _found(bot: BotProcess) -> list[Said]:
    where = urlsplit(await bot.health())
    assert where.port is not None
    return await asyncio.to_thread(lambda: list(ask(Address("127.0.0.1", where.port))))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_real_processes(tmp_path: Path, database_url: str) -> None:
    folder = PluginFolder(tmp_path / "plugins")
    name = folder.write("ears", "@hookimpl\nasync def on_voice_session_started(ctx, event):\n    pass\n")
    write_plugins_file(tmp_path, folder.path, name)
    settings = {"DATABASE_URL": database_url}
    world = World(clock=WorldClock(None), seed=1, bot_name="red-legion")
    sunday(world, members=2, channels=1, seed=1)
    server = SandboxServer(world)
    await server.start()
    try:
        control = server.addresses.control
        async with bot_process(control, tmp_path, settings) as first:
            await world.clock.advance(20)
            async with bot_process(control, tmp_path, settings) as second:
                await world.clock.advance(60)
                for bot in (first, second):
                    await bot.said(r"ERROR .*runs on this database and has shard 0 too")
                    fails = [words for level, words in await _found(bot) if level == "FAIL"]
                    assert len(fails) == 1
                    assert "stop one of them" in fails[0]
                async with aiohttp.ClientSession() as session:
                    answer = await session.get(f"{await second.health()}/readyz")
                    assert answer.status == 503
                first.process.kill()
                await first.ended()
                await world.clock.advance(90)
                await second.said("the other bot with shard 0 beats no more")
                # Killed and started again within one heartbeat.
                second.process.kill()
                await second.ended()
            async with bot_process(control, tmp_path, settings) as third:
                await world.clock.advance(90)
                assert [level for level, _ in await _found(third)] == ["ok"]
                assert "has shard 0 too" not in third.log
    finally:
        await server.close()
