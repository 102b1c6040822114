"""Every example of docs/sandbox.md, tried: its programs run, its requests are answered."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from support.sandbox_process import SandboxProcess, sandbox_process

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"
WAIT = 60.0


def programs() -> dict[str, str]:
    """The Python programs of the guide, by the file name in their first line."""
    blocks = re.findall(r"```python\n(# (\w+\.py).*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return {name: code for code, name in blocks}


def requests() -> list[str]:
    """The curl lines of the guide, in order."""
    return re.findall(r"^\$ (curl .*)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


@asynccontextmanager
async def running(script: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the block ends; it is killed then."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def says(process: asyncio.subprocess.Process, words: str) -> None:
    """Wait until the program writes a line that ends with these words, whatever its library logs before."""
    assert process.stdout is not None
    while line := await asyncio.wait_for(process.stdout.readline(), WAIT):
        if line.decode().strip().endswith(words):
            return
    _, errors = await process.communicate()
    raise AssertionError(f"it never said {words!r}: {errors.decode()}")


def write(tmp_path: Path, sandbox: SandboxProcess) -> tuple[Path, dict[str, Path]]:
    """Write the sandbox's line and the guide's programs to files."""
    where = tmp_path / "where.json"
    where.write_text(json.dumps({"rest": sandbox.rest, "token": sandbox.token, "socket": sandbox.socket}))
    scripts = {}
    for name, code in programs().items():
        scripts[name] = tmp_path / name
        scripts[name].write_text(code)
    return where, scripts


async def answer(session: aiohttp.ClientSession, line: str, values: dict[str, str]) -> Any:
    """Do what a curl line says, with its variables filled in."""
    for name, value in values.items():
        line = line.replace(f"${name}", value)
    words = shlex.split(line)
    assert words[:2] == ["curl", "-s"]
    body = words[words.index("-d") + 1] if "-d" in words else None
    async with session.request("POST" if body else "GET", words[2], data=body) as reply:
        assert reply.status == 200, f"{line}: {await reply.text()}"
        return await (reply.json() if reply.content_type == "application/json" else reply.read())


async def test_the_bots_and_requests_of_the_guide_work(tmp_path: Path) -> None:
    async with sandbox_process() as sandbox, aiohttp.ClientSession() as session:
        where, scripts = write(tmp_path, sandbox)
        async with running(scripts["rabbit.py"], str(where)) as rabbit:
            await says(rabbit, "is ready")
        async with running(scripts["bot.py"], str(where)) as bot:
            await says(bot, "is ready")
            ember = (await sandbox.get("/guilds"))[0]
            channels = {one["name"]: one["id"] for one in ember["channels"]}
            values = {
                "CONTROL": sandbox.control,
                "GUILD": ember["id"],
                "OWNER": ember["owner_id"],
                "MEMBER": next(one["id"] for one in ember["members"] if one["username"] == "quartz"),
                "TEXT": channels["mining-ops"],
                "VOICE": channels["Dispatch"],
            }
            for line in requests():
                got = await answer(session, line, values)
                if "/slash" in line:
                    values["MESSAGE"] = got["message"]["id"]
                elif "/click" in line:
                    values["INTERACTION"] = got["interaction_id"]
                if isinstance(got, dict) and "kind" in got and "interaction_id" in got:
                    assert got["kind"] != "none", line
                if "/attachments/" in line:
                    assert got == b"nothing yet"


async def test_the_scene_of_the_guide_works(tmp_path: Path) -> None:
    script = tmp_path / "scene.py"
    script.write_text(programs()["scene.py"])
    async with running(script) as process:
        await says(process, "90.0")
        assert await process.wait() == 0


def test_the_guide_shows_every_verb() -> None:
    shown = " ".join(requests())
    for verb in (
        "voice",
        "slash",
        "autocomplete",
        "click",
        "choose",
        "submit",
        "messages",
        "react",
        "direct",
    ):
        assert f"$MEMBER/{verb} " in shown
    for verb in ("pin", "nick", "timeout", "channels"):
        assert f"$OWNER/{verb} " in shown
    for path in ("/guilds", "/channels/", "/messages/", "/clock", "/faults", "/truth", "/log", "/recording"):
        assert f"$CONTROL{path}" in shown
