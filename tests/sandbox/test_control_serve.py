"""A served sandbox: its first line, its end, its words when it cannot be; and the scene it is set with."""

from __future__ import annotations

import io
import json
import signal
from pathlib import Path

import pytest
from support.sandbox_process import sandbox_process

from sandbox.serve import SandboxError, serve
from sandbox.server import SandboxServer, World
from sandbox.stories import sunday


def is_there(path: str) -> bool:
    return Path(path).exists()


async def test_says_where_it_is_and_ends_when_interrupted() -> None:
    async with sandbox_process() as sandbox:
        assert sandbox.rest.startswith("http://127.0.0.1:")
        assert sandbox.rest.endswith("/api/v10")
        assert sandbox.gateway.startswith("ws://127.0.0.1:")
        assert sandbox.socket is not None
        assert is_there(sandbox.socket)
        guilds = await sandbox.get("/guilds")
        assert [one["id"] for one in guilds] == sandbox.guilds
        assert all(one["voice_channel_id"] is None for guild in guilds for one in guild["members"])
        sandbox.process.send_signal(signal.SIGINT)
        await sandbox.process.wait()
    assert not is_there(sandbox.socket)


async def test_an_empty_world_has_no_guild() -> None:
    async with sandbox_process(None) as sandbox:
        assert sandbox.guilds == []


@pytest.mark.parametrize(
    ("story", "members", "channels", "words"),
    [
        ("monday", 24, 7, "There is no story 'monday'; choose one of: sunday."),
        ("sunday", 201, 7, "members must be between 0 and 200, not 201"),
        ("sunday", 24, 0, "channels must be between 1 and 40, not 0"),
    ],
)
async def test_says_why_a_scene_cannot_be_set(story: str, members: int, channels: int, words: str) -> None:
    out = io.StringIO()
    with pytest.raises(SandboxError) as caught:
        await serve(0, story, members=members, channels=channels, out=out)
    assert words in str(caught.value)
    assert out.getvalue() == ""


async def test_says_when_the_port_is_taken() -> None:
    server = SandboxServer(World())
    await server.start()
    try:
        port = int(server.addresses.control.split(":")[2].split("/")[0])
        with pytest.raises(SandboxError, match=f"Port {port} cannot be used") as caught:
            await serve(port, None, out=io.StringIO())
        assert "--port 0" in str(caught.value) or "or 0 for any free one" in str(caught.value)
        with pytest.raises(SandboxError, match="Port 70000 cannot be used"):
            await serve(70000, None, out=io.StringIO())
    finally:
        await server.close()


def test_the_scene_of_a_sunday() -> None:
    scene = sunday(World(), members=30, channels=9)
    assert [one.name for one in scene.voice_channels[:3]] == ["Dispatch", "Alpha", "Bravo"]
    assert [one.name for one in scene.voice_channels[7:]] == ["Golf", "Hotel"]
    assert len({one.id for one in scene.members}) == 30
    assert (scene.owner.username, scene.officer.username) == ("opal", "topaz")
    assert scene.guild.afk_channel_id == scene.afk.id
    assert {scene.hub.id, scene.lounge.id, scene.afk.id}.isdisjoint({one.id for one in scene.voice_channels})
    second = scene.second
    assert second.guild is scene.second_guild
    assert (second.owner.username, second.officer.username) == ("obsidian", "jasper")
    assert len(second.members) == 3
    assert len(second.voice_channels) == 7
    assert scene.officer.id not in second.guild.members


def test_scenes_of_one_seed_are_alike() -> None:
    def nicks(seed: int) -> str:
        scene = sunday(World(seed=seed), seed=seed)
        return json.dumps([[one.username, one.member.nick] for one in scene.members])

    assert nicks(1) == nicks(1) != nicks(2)


def test_there_are_two_hundred_different_people() -> None:
    scene = sunday(World(), members=200, channels=40)
    assert len({one.username for one in scene.members}) == 200
    assert scene.voice_channels[-1].name == "Crew 13"
