"""A public bot written by others: Red-DiscordBot, as its own registry gives it, lives on the sandbox."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from pathlib import Path

import psutil
import pytest
from support import red_bot
from support.foreign_bot import ask, foreign_bot, refused_requests
from support.foreign_env import foreign_python

from sandbox.server import SandboxServer, World
from sandbox.stories import sunday

REQUIREMENT = "Red-DiscordBot==3.5.24"
HERE = Path(red_bot.__path__[0])
SLASHES = 200

pytestmark = [pytest.mark.red, pytest.mark.timeout(900)]


async def test_red_starts_and_answers_a_slash_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = await asyncio.to_thread(foreign_python, "red", REQUIREMENT, newest=(3, 11))
    environment = {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "COLUMNS": "120",
    }
    await _set_up(python, environment, tmp_path)

    world = World(seed=3)
    scene = sunday(world, members=3)
    server = SandboxServer(world)
    await server.start()
    arguments = [str(HERE / "launch.py"), str(server.addresses.socket), "sandbox", "--no-prompt"]
    arguments += ["--token", world.token, "--owner", str(scene.owner.id), "--prefix", "!"]
    arguments += ["--cog-path", str(HERE / "cogs")]
    try:
        began = time.perf_counter()
        async with foreign_bot(python, *arguments, environment=environment, folder=tmp_path) as red:
            await red.printed("Invite URL")
            started = time.perf_counter() - began

            async def owner(text: str) -> str:
                return await ask(world, scene.owner, scene.text, text)

            assert await owner("!ping") == "Pong."
            assert "Loaded `assay`" in await owner("!load assay")
            assert "Enabled" in await owner("!slash enable assay")
            assert await owner("!slash sync") == "Synced 1 commands."

            quartz = scene.members[0]
            typed = await quartz.autocomplete("assay", scene.text, {"ore": "g"}, focused="ore")
            assert typed.choices == [{"name": "gold", "value": "gold"}]
            times = []
            for amount in range(1, SLASHES + 1):
                before = time.perf_counter()
                outcome = await quartz.slash("assay", scene.text, {"ore": "gold", "amount": amount % 100 + 1})
                times.append((time.perf_counter() - before) * 1000)
                assert outcome.kind == "message"
            assert outcome.message is not None
            assert outcome.message["content"] == "1 gold: 6000 aUEC"

            assert world.faults.drop_gateway() == 1
            await world.hub.all_back()
            again = await quartz.slash("assay", scene.text, {"ore": "tin", "amount": 2})
            assert again.message is not None
            assert again.message["content"] == "2 tin: 300 aUEC"
            memory = psutil.Process(red.process.pid).memory_info().rss / 2**20
            assert await red.stop() == 0, "".join(red.lines)
        assert refused_requests(world) == []
    finally:
        await server.close()
    with capsys.disabled():
        print(
            f"\n{REQUIREMENT}: ready {started:.2f} s after its start, {memory:.0f} MB; {SLASHES} slash"
            f" commands one by one: median {statistics.median(times):.2f} ms, worst {max(times):.2f} ms"
        )


async def _set_up(python: Path, environment: dict[str, str], folder: Path) -> None:
    setup = await asyncio.create_subprocess_exec(
        str(python.parent / "redbot-setup"),
        "--no-prompt",
        *("--instance-name", "sandbox", "--data-path", str(folder / "instance"), "--backend", "json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    said, _ = await asyncio.wait_for(setup.communicate(), 60)
    assert setup.returncode == 0, said.decode()
