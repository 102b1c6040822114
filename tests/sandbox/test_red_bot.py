"""A public bot written by others: Red-DiscordBot, as its own registry gives it, lives on the sandbox."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from support import red_bot
from support.foreign_bot import ForeignBot, ask, foreign_bot, refused_requests
from support.foreign_env import foreign_python

from sandbox.server import SandboxServer, World
from sandbox.stories import Scene, sunday

REQUIREMENT = "Red-DiscordBot==3.5.24"
HERE = Path(red_bot.__path__[0])
SLASHES = 200
BUNDLED = """
admin alias cleanup customcom downloader economy filter general image mod modlog mutes permissions reports
streams trivia warnings
"""

pytestmark = [pytest.mark.red, pytest.mark.timeout(900)]


@dataclass(slots=True)
class Stage:
    """A running Red, and the world it runs in."""

    bot: ForeignBot
    world: World
    scene: Scene
    seconds: float

    async def owner(self, text: str) -> str:
        """Let the bot's owner write a message, and return Red's answer."""
        return await ask(self.world, self.scene.owner, self.scene.text, text)


@asynccontextmanager
async def red(folder: Path, permissions: int = 0) -> AsyncIterator[Stage]:
    """Set a new Red up, start it, and at the end let it shut down; none of its requests may be refused."""
    python = await asyncio.to_thread(foreign_python, "red", REQUIREMENT, newest=(3, 11))
    environment = {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "COLUMNS": "120",
    }
    await _set_up(python, environment, folder)
    world = World(seed=3)
    scene = sunday(world, members=3)
    if permissions:
        role = scene.guild.create_role("Red", permissions=permissions)
        scene.guild.members[world.bot_user.id].roles.append(role.id)
    server = SandboxServer(world)
    await server.start()
    arguments = [str(HERE / "launch.py"), str(server.addresses.socket), "sandbox", "--no-prompt"]
    arguments += ["--token", world.token, "--owner", str(scene.owner.id), "--prefix", "!"]
    arguments += ["--cog-path", str(HERE / "cogs")]
    try:
        began = time.perf_counter()
        async with foreign_bot(python, *arguments, environment=environment, folder=folder) as bot:
            await bot.printed("Invite URL")
            yield Stage(bot, world, scene, time.perf_counter() - began)
            assert await bot.stop() == 0, "".join(bot.lines)
        assert refused_requests(world) == []
    finally:
        await server.close()


async def test_red_starts_and_answers_a_slash_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with red(tmp_path) as stage:
        scene = stage.scene
        assert await stage.owner("!ping") == "Pong."
        assert "Loaded `assay`" in await stage.owner("!load assay")
        assert "Enabled" in await stage.owner("!slash enable assay")
        assert await stage.owner("!slash sync") == "Synced 1 commands."

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

        assert stage.world.faults.drop_gateway() == 1
        await stage.world.hub.all_back()
        again = await quartz.slash("assay", scene.text, {"ore": "tin", "amount": 2})
        assert again.message is not None
        assert again.message["content"] == "2 tin: 300 aUEC"
        memory = psutil.Process(stage.bot.process.pid).memory_info().rss / 2**20
    with capsys.disabled():
        print(
            f"\n{REQUIREMENT}: ready {stage.seconds:.2f} s after its start, {memory:.0f} MB; {SLASHES} slash"
            f" commands one by one: median {statistics.median(times):.2f} ms, worst {max(times):.2f} ms"
        )


async def test_its_bundled_cogs_moderate_bank_and_chat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with red(tmp_path, permissions=1 << 3) as stage:
        scene = stage.scene
        quartz, beryl, garnet = scene.members
        commands = {
            f"!load {' '.join(BUNDLED.split())}": "Loaded `admin`",
            "!choose gold gold": "gold",
            "!cc create simple hey Hello there": "Custom command successfully added.",
            "!hey": "Hello there",
            "!alias add pong ping": "has been created",
            "!pong": "Pong.",
            "!payday": "Here, take some credits",
            "!bank balance": "Opal's balance is",
            "!filter add grief": "successfully added",
            f"!modlogset modlog <#{scene.general.id}>": "Mod events will be sent",
            f"!rename <@{quartz.id}> Loud": "Done.",
            "!slowmode 10 seconds": "Slowmode interval is now 10 seconds",
            "!selfroleset add Officer": "Added 1 selfrole",
            f"!mute <@{quartz.id}> 10m noisy": "has been muted",
            f"!unmute <@{quartz.id}>": "unmuted",
            f"!kick <@{beryl.id}> bye": "Done.",
            f"!ban <@{garnet.id}> 0 gone": "Done.",
            "!set status dnd": "Status changed to dnd",
            "!contact hello": "Your message has been sent",
            "!cleanup messages 3": "3 messages were deleted",
        }
        for text, words in commands.items():
            assert words in await stage.owner(text), text
        members = {one.user.username for one in scene.guild.members.values()}
        assert "quartz" in members
        assert not members & {"beryl", "garnet"}
        assert quartz.member.nick == "Loud"
        assert scene.text.rate_limit == 10
        cases = [one["content"] or str(one["embeds"]) for one in stage.world.messages(scene.general.id)]
        assert len(cases) >= 4, cases
    with capsys.disabled():
        print(f"\n{REQUIREMENT}: {len(BUNDLED.split())} bundled cogs, {len(commands)} commands")


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
