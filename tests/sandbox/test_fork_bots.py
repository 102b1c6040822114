"""Three libraries that went their own ways from discord.py: each in an environment of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from support import fork_bots
from support.foreign_bot import ask, foreign_bot, refused_requests
from support.foreign_env import foreign_python

from sandbox.server import SandboxServer, World
from sandbox.stories import sunday

HERE = Path(fork_bots.__path__[0])

pytestmark = [pytest.mark.red, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("script", "requirement"),
    [
        ("nextcord_bot.py", "nextcord==2.6.0"),
        ("disnake_bot.py", "disnake==2.12.2"),
        ("pycord_bot.py", "py-cord==2.8.1"),
    ],
)
async def test_it_logs_in_answers_and_resumes(
    tmp_path: Path, script: str, requirement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = requirement.partition("==")[0]
    python = await asyncio.to_thread(foreign_python, name, requirement)
    world = World(seed=3)
    scene = sunday(world, members=2)
    server = SandboxServer(world)
    await server.start()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    arguments = [str(HERE / script), str(server.addresses.socket), world.token]
    try:
        async with foreign_bot(python, *arguments, environment=environment, folder=tmp_path) as bot:
            ready = await bot.printed("ready, 2 guilds")
            quartz = scene.members[0]
            assert await ask(world, quartz, scene.text, "!ping") == "Pong."

            typed = await quartz.autocomplete("echo", scene.text, {"word": "ore"}, focused="word")
            assert typed.choices == [{"name": "ore!", "value": "ore!"}]
            said = await quartz.slash("echo", scene.text, {"word": "ore", "times": 2})
            assert said.message is not None
            assert said.message["content"] == "ore ore"
            opened = await quartz.click(said.message["id"], "form")
            assert opened.kind == "modal"
            sent = await quartz.submit(str(opened.interaction_id), {"amount": "12"})
            assert sent.message is not None
            assert sent.message["content"] == "12 SCU"

            await quartz.join(scene.voice_channels[0])
            assert world.faults.drop_gateway() == 1
            await quartz.leave()
            await bot.printed("resumed")
            again = await quartz.slash("echo", scene.text, {"word": "back"})
            assert again.message is not None
            assert again.message["content"] == "back"
            await bot.stop(signal.SIGKILL)
        assert refused_requests(world) == []
    finally:
        await server.close()
    with capsys.disabled():
        print(f"\n{ready.strip()}: login, prefix and slash command, autocomplete, button, modal, resume")
