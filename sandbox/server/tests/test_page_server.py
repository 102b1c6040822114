"""What the page stands on: its files, a guild as one member sees it, the log in lines, the events."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.loopback import LoopbackBot, Place

from sandbox.server import SandboxServer, World, page
from sandbox.server.messages import Upload
from sandbox.server.permissions import VIEW_CHANNEL

FOLDER = Path(page.__file__).parent
FILES = sorted(
    each.relative_to(FOLDER).as_posix()
    for each in FOLDER.rglob("*")
    if each.is_file() and each.suffix in {".html", ".js", ".css", ".svg"}
)
WAIT = 60.0


class Watcher:
    """One listener on /control/events."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.now: dict[str, Any] = {}
        self.guilds: set[str] = set()
        self.channels: set[str] = set()

    async def next(self) -> bool:
        """Take in the next event; false when there are no more."""
        while line := await asyncio.wait_for(self._answer.content.readline(), WAIT):
            if line.startswith(b"data: "):
                self.now = json.loads(line[6:])
                self.guilds |= set(self.now["guilds"])
                self.channels |= set(self.now["channels"])
                return True
        return False

    async def hears(self, *, guild: int | None = None, channel: int | None = None) -> None:
        """Take in events until one told of this."""
        while (guild and str(guild) not in self.guilds) or (channel and str(channel) not in self.channels):
            assert await self.next()


@asynccontextmanager
async def watching(place: Place) -> AsyncIterator[Watcher]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{place.server.addresses.control}/events") as answer,
    ):
        assert answer.content_type == "text/event-stream"
        watcher = Watcher(answer)
        assert await watcher.next()
        yield watcher


async def ask(place: Place, path: str, status: int = 200) -> Any:
    """Get something from the control address."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(place.server.addresses.control + path) as answer,
    ):
        told = await answer.json()
        assert answer.status == status, told
        return told


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Where the page of an empty world is."""
    server = SandboxServer(World(), page=True)
    await server.start()
    assert server.addresses.page is not None
    yield server.addresses.page
    await server.close()


async def test_its_files_are_served_and_nothing_else(address: str) -> None:
    kinds = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    async with aiohttp.ClientSession() as session:
        for name in ("", *FILES):
            async with session.get(address + name) as answer:
                assert answer.status == 200
                assert answer.content_type == kinds[(name or "index.html").rpartition(".")[2]]
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert "http" not in policy
        for name in ("routes.py", "js/none.js", "js", "%2e%2e/app.py", "..%2fapp.py", "/etc/hostname.html"):
            async with session.get(address + name) as answer:
                assert answer.status == 404, name
        async with session.get(address, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        async with session.get(address[:-1]) as answer:
            assert str(answer.url) == address


async def test_there_is_no_page_unless_it_is_asked_for(place: Place) -> None:
    assert place.server.addresses.page is None
    base = place.server.addresses.control.removesuffix("/control")
    async with aiohttp.ClientSession() as session, session.get(f"{base}/page/") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("name", FILES)
def test_no_file_reaches_out_or_writes_markup(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    addresses = set(re.findall(r"""["'`(](?:https?:)?//[\w.-]+""", text))
    assert {each for each in addresses if "www.w3.org" not in each} == set()
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
        == []
    )
    assert len(text.splitlines()) <= 200


async def test_a_guild_through_a_members_eyes(place: Place) -> None:
    secret = place.guild.create_channel("secret", overwrites={place.guild.id: (0, VIEW_CHANNEL)})
    await place.quartz.join(place.alpha)
    await place.quartz.set_voice(self_mute=True)
    path = f"/guilds/{place.guild.id}/sight?as="
    mine = await ask(place, f"{path}{place.beryl.id}")
    assert {each["name"] for each in mine["channels"]} == {
        "Drill",
        "drill-ops",
        "Dispatch",
        "Alpha",
        "robot",
    }
    [direct] = [each for each in mine["channels"] if each["type"] == 1]
    assert (direct["id"], direct["may"]) == ("direct", ["write"])
    [seated] = [each["voice"] for each in mine["members"] if each["voice"]]
    assert seated["channel_id"] == str(place.alpha.id)
    assert seated["self_mute"] is True
    assert mine["bot"] == {"id": str(place.world.bot_user.id), "member": True, "connected": False}
    await place.beryl.send_direct("hello")
    mine = await ask(place, f"{path}{place.beryl.id}")
    [direct] = [each for each in mine["channels"] if each["type"] == 1]
    [said] = await ask(place, f"/channels/{direct['id']}/messages?as={place.beryl.id}")
    assert said["content"] == "hello"
    theirs = await ask(place, f"{path}{place.guild.owner_id}")
    assert str(secret.id) in {each["id"] for each in theirs["channels"]}
    assert "is not a member" in (await ask(place, f"{path}77", 404))["error"]
    await ask(place, path.removesuffix("?as="), 400)


async def test_the_bot_is_seen_to_come_and_go(place: Place, bot: LoopbackBot) -> None:
    path = f"/guilds/{place.guild.id}/sight?as={place.quartz.id}"
    seen = await ask(place, path)
    assert seen["bot"]["connected"] is True
    assert "drill start" in {each["command"] for each in seen["menu"]}
    async with watching(place) as watcher:
        await bot.close()
        await watcher.hears(guild=place.guild.id)
    assert (await ask(place, path))["bot"]["connected"] is False


async def test_events_tell_where_to_look_again(place: Place, bot: LoopbackBot) -> None:
    async with watching(place) as watcher:
        assert watcher.now["now"] == place.world.clock.now().isoformat()
        await place.quartz.join(place.alpha)
        await watcher.hears(guild=place.guild.id)
        await place.quartz.send(place.text, "hello")
        await watcher.hears(channel=place.text.id)
        watcher.channels.clear()
        outcome = await place.quartz.slash("drill start", channel=place.text, options={"crew": 3})
        assert outcome.message is not None
        assert outcome.message["flags"] & 64
        await watcher.hears(channel=place.text.id)
        await place.world.clock.advance(60)
        while watcher.now["now"] != place.world.clock.now().isoformat():
            assert await watcher.next()
        while watcher.now["log"] != place.world.log.total:
            assert await watcher.next()
        watcher.guilds.clear()
        place.guild.create_channel("new")
        await watcher.hears(guild=place.guild.id)
        place.world.changes.end()
        while await watcher.next():
            pass


async def test_changes_close_together_are_told_together(place: Place) -> None:
    async with watching(place) as watcher:
        for number in range(50):
            await place.quartz.send(place.text, str(number))
        await watcher.hears(channel=place.text.id)
        assert watcher.now["log"] == place.world.log.total
    found = await ask(place, f"/channels/{place.text.id}/messages?as={place.quartz.id}&limit=2")
    assert [each["content"] for each in found] == ["48", "49"]


async def test_a_server_closes_with_watchers_at_the_door(place: Place) -> None:
    async with watching(place) as watcher:
        await place.server.close()
        while await watcher.next():
            pass


async def test_the_log_in_lines(place: Place) -> None:
    log = place.world.log
    first = log.total
    log.note("one")
    log.add("voice", "in", op=3, data={"a": 1})
    lines = await ask(place, f"/log/lines?after={first - 1}" if first else "/log/lines")
    assert [(each["number"], each["kind"]) for each in lines] == [(first, "note"), (first + 1, "voice")]
    assert "data" not in lines[1]
    whole = await ask(place, f"/log/{first + 1}")
    assert whole["data"] == {"a": 1}
    assert await ask(place, f"/log/lines?after={first + 1}") == []
    assert [each["number"] for each in await ask(place, "/log/lines?limit=1")] == [first + 1]
    assert "the log keeps the entries" in (await ask(place, "/log/9999999", 404))["error"]


async def test_files_of_messages_cannot_act(place: Place) -> None:
    path = place.server.addresses.control.removesuffix("/control")
    message = place.world.messages_room.create(
        place.text,
        place.world.bot_user,
        {"content": "file"},
        [Upload("0", "a.html", b"<script>alert(1)</script>")],
    )
    [stored] = message.attachments
    async with aiohttp.ClientSession() as session:
        for url in (
            f"{path}/attachments/{place.text.id}/{stored.id}/a.html",
            f"{path}/control/messages/{message.id}/attachments/a.html",
        ):
            async with session.get(url) as answer:
                assert answer.status == 200
                assert answer.headers["Content-Security-Policy"].startswith("sandbox")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
