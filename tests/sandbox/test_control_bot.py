"""The control address with a real discord.py bot behind it: every act that a bot answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from support.sample_bot import running_bot

from sandbox.server import SandboxServer, World, WorldClock
from sandbox.stories import Scene, sunday


class Stage:
    """A scene with a bot, seen through its control address as one member, quartz."""

    def __init__(self, scene: Scene, control: str, session: aiohttp.ClientSession) -> None:
        self.scene, self.control, self.session = scene, control, session
        self.channel = str(scene.text.id)
        self.quartz = scene.members[0].id

    async def act(self, verb: str, status: int = 200, **body: Any) -> Any:
        path = f"{self.control}/guilds/{self.scene.guild.id}/members/{self.quartz}/{verb}"
        async with self.session.post(path, json=body) as answer:
            result = await answer.json()
            assert answer.status == status, result
            return result

    async def get(self, path: str) -> Any:
        async with self.session.get(self.control + path) as answer:
            assert answer.status == 200
            return await (answer.json() if answer.content_type == "application/json" else answer.read())


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    scene = sunday(World(clock=WorldClock()), members=3)
    server = SandboxServer(scene.world)
    await server.start()
    there = server.addresses
    try:
        async with (
            running_bot(str(there.socket), there.token, scene.guild.id),
            aiohttp.ClientSession() as session,
        ):
            yield Stage(scene, there.control, session)
    finally:
        await server.close()


async def test_slash_autocomplete_and_what_the_menu_says(stage: Stage) -> None:
    menu = {one["name"]: one for one in (await stage.get("/guilds"))[0]["menu"]}
    assert sorted(menu) == ["mining start", "page", "payroll"]
    assert [one["name"] for one in menu["mining start"]["options"]][:2] == ["title", "hours"]
    typed = await stage.act(
        "autocomplete",
        channel_id=stage.channel,
        command="mining start",
        options={"title": "S"},
        focused="title",
    )
    assert (typed["kind"], typed["choices"]) == ("choices", [{"name": "S run", "value": "run"}])
    shown = await stage.act("slash", channel_id=stage.channel, command="mining start", options={"title": "S"})
    assert (shown["kind"], shown["message"]["content"]) == ("message", "S")
    missing = await stage.act("slash", 400, channel_id=stage.channel, command="mining start")
    assert missing["error"] == "option title is required"
    unknown = await stage.act("slash", 400, channel_id=stage.channel, command="page", options={"x": 1})
    assert "there is no option x" in unknown["error"]


async def test_click_choose_and_submit(stage: Stage) -> None:
    shown = await stage.act("slash", channel_id=stage.channel, command="mining start", options={"title": "S"})
    message_id = shown["message"]["id"]
    opened = await stage.act("click", message_id=message_id, custom_id="form")
    assert (opened["kind"], opened["modal"]["title"]) == ("modal", "Haul")
    ore, amount = (part["component"]["custom_id"] for part in opened["modal"]["components"])
    values = {ore: ["Gold"], amount: "12"}
    sent = await stage.act("submit", interaction_id=opened["interaction_id"], values=values)
    assert (sent["kind"], sent["message"]["content"]) == ("message", "12 Gold")
    again = await stage.act("submit", 409, interaction_id=opened["interaction_id"], values=values)
    assert "sent already" in again["error"]
    chosen = await stage.act("choose", message_id=message_id, custom_id="ore", values=["Tin"])
    assert chosen["message"]["content"] == "Tin"
    wrong = await stage.act("choose", 400, message_id=message_id, custom_id="ore", values=["Coal"])
    assert "it has: Gold, Tin" in wrong["error"]
    changed = await stage.act("click", message_id=message_id, custom_id="change")
    assert (changed["kind"], changed["message"]["content"]) == ("update", "Changed")
    off = await stage.act("click", 409, message_id=message_id, custom_id="change")
    assert off["error"] == "change is disabled"


async def test_ephemeral_messages_are_for_one_member_and_files_can_be_had(stage: Stage) -> None:
    shown = await stage.act("slash", channel_id=stage.channel, command="payroll")
    assert shown["kind"] == "deferred"
    await stage.scene.world.interactions.by_id[int(shown["interaction_id"])].settled.wait()
    path = f"/channels/{stage.channel}/messages"
    answer = next(one for one in await stage.get(path) if one["id"] == shown["message"]["id"])
    assert [one["filename"] for one in answer["attachments"]] == ["payroll.csv", "payroll.pdf"]
    assert await stage.get(f"/messages/{answer['id']}/attachments/payroll.csv") == b"a;b"
    shown = await stage.act("slash", channel_id=stage.channel, command="mining start", options={"title": "S"})
    secret = await stage.act("choose", message_id=shown["message"]["id"], custom_id="ore", values=["Tin"])
    own = {one["id"] for one in await stage.get(f"{path}?as={stage.quartz}")}
    others = {one["id"] for one in await stage.get(f"{path}?as={stage.scene.officer.id}")}
    assert secret["message"]["id"] in own - others


async def test_the_log_holds_what_the_bot_sent_and_got(stage: Stage) -> None:
    await stage.act("slash", channel_id=stage.channel, command="mining start", options={"title": "S"})
    rest = await stage.get("/log?kind=rest")
    assert {"method", "path", "status", "request", "response", "at", "direction"} <= set(rest[-1])
    assert any("/callback" in one["path"] for one in rest)
    assert any(one.get("event") == "INTERACTION_CREATE" for one in await stage.get("/log?kind=gateway"))


async def test_the_bot_comes_back_after_a_drop(stage: Stage) -> None:
    async with stage.session.post(f"{stage.control}/faults", json={"kind": "drop_gateway"}) as answer:
        assert (await answer.json())["connections"] == 1
    shown = await stage.act("slash", channel_id=stage.channel, command="mining start", options={"title": "S"})
    assert shown["kind"] == "message"
