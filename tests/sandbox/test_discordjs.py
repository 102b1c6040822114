"""discord.js plays examples/discordjs on the sandbox, its requests judged as everybody's."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
from support.foreign_env import cache

from sandbox.server import SandboxServer, World
from sandbox.stories import sunday

EXAMPLE = Path(__file__).parents[2] / "examples" / "discordjs"

pytestmark = [pytest.mark.red, pytest.mark.timeout(600)]


async def test_discordjs_passes_every_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = await asyncio.to_thread(_installed)
    world = World(seed=3)
    sunday(world, members=3)
    server = SandboxServer(world)
    await server.start()
    try:
        where = tmp_path / "where.json"
        where.write_text(json.dumps(asdict(server.addresses)))
        node = await asyncio.create_subprocess_exec(
            "node",
            "play.mjs",
            str(where),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(node.communicate(), 120)
        finally:
            if node.returncode is None:
                node.kill()
    finally:
        await server.close()
    assert node.returncode == 0, said.decode()
    with capsys.disabled():
        print(f"\n{said.decode()}")


def _installed() -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    folder = cache("discordjs", (EXAMPLE / "package.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    for each in EXAMPLE.iterdir():
        if each.is_file():
            shutil.copy(each, folder)
    if not (folder / "node_modules" / "discord.js").is_dir():
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
        subprocess.run(command, cwd=folder, check=True)
    return folder
