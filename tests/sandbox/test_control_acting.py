"""People, moderators and recordings over the control address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.server import World, WorldClock, permissions
from sandbox.server.control import control_routes
from sandbox.server.recording import Recording
from sandbox.server.replay import Replay
from sandbox.stories import Scene, sunday

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def scene() -> Scene:
    return sunday(World(clock=WorldClock(START), interaction_wait=0.2), members=3)


@pytest.fixture
async def client(scene: Scene) -> AsyncIterator[Client]:
    app = web.Application()
    app.add_routes(control_routes(scene.world))
    async with TestClient(TestServer(app)) as client:
        yield client


async def ask(client: Client, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    async with client.request(method, f"/control{path}", json=body) as answer:
        result = await answer.json()
        assert answer.status == status, result
        return result


def of(scene: Scene, verb: str, who: int | None = None) -> str:
    return f"/guilds/{scene.guild.id}/members/{who or scene.owner.id}{verb}"


async def test_moderation(client: Client, scene: Scene) -> None:
    quartz, beryl, garnet = scene.members
    await quartz.join(scene.voice_channels[0])
    moved = await ask(
        client, "POST", of(scene, "/move"), {"user_id": quartz.id, "channel_id": scene.voice_channels[1].id}
    )
    assert moved["voice_channel_id"] == str(scene.voice_channels[1].id)
    await ask(client, "POST", of(scene, "/silence"), {"user_id": quartz.id, "mute": True, "deaf": True})
    assert scene.guild.voice_states[quartz.id].deaf
    out = await ask(client, "POST", of(scene, "/move"), {"user_id": str(quartz.id), "channel_id": None})
    assert out["voice_channel_id"] is None
    missing = await ask(client, "POST", of(scene, "/move"), {"user_id": str(quartz.id)}, 400)
    assert "say where to" in missing["error"]
    again = await ask(
        client, "POST", of(scene, "/move"), {"user_id": str(quartz.id), "channel_id": None}, 409
    )
    assert "sits in no voice channel" in again["error"]
    await ask(client, "POST", of(scene, "/nick"), {"user_id": quartz.id, "nick": "Q"})
    shown = await ask(client, "POST", of(scene, "/nick", quartz.id), {"nick": None})
    assert shown["display_name"] == "Quartz"
    officer = next(each for each in scene.guild.roles.values() if each.name == "Officer")
    given = await ask(client, "POST", of(scene, "/give"), {"user_id": quartz.id, "role_id": officer.id})
    assert str(officer.id) in given["roles"]
    await ask(
        client, "POST", of(scene, "/give"), {"user_id": quartz.id, "role_id": officer.id, "given": False}
    )
    await ask(client, "POST", of(scene, "/timeout"), {"user_id": beryl.id, "seconds": 60})
    await ask(client, "POST", of(scene, "/timeout"), {"user_id": beryl.id, "seconds": None})
    await ask(client, "POST", of(scene, "/kick"), {"user_id": beryl.id, "reason": "spam"})
    await ask(client, "POST", of(scene, "/ban"), {"user_id": garnet.id})
    await ask(client, "POST", of(scene, "/unban"), {"user_id": garnet.id})
    back = await ask(client, "POST", f"/guilds/{scene.guild.id}/members", {"username": "garnet"})
    assert back["id"] == str(garnet.id)
    await ask(client, "DELETE", of(scene, "", garnet.id))
    assert garnet.id not in scene.guild.members
    refused = await ask(client, "POST", of(scene, "/kick", quartz.id), {"user_id": scene.officer.id}, 403)
    assert refused == {"error": "quartz may not kick members"}


async def test_channels_roles_and_hubs(client: Client, scene: Scene) -> None:
    made = await ask(client, "POST", of(scene, "/channels"), {"name": "Crew", "type": 2, "user_limit": 3})
    edited = await ask(client, "POST", of(scene, f"/channels/{made['id']}"), {"name": "Den", "user_limit": 4})
    assert (edited["name"], edited["user_limit"]) == ("Den", 4)
    hub = await ask(client, "POST", of(scene, "/hub"), {"channel_id": made["id"]})
    assert hub["name_template"] == "{name}'s crew"
    assert await ask(client, "DELETE", of(scene, f"/channels/{made['id']}")) == {"deleted": True}
    wrong = await ask(client, "POST", of(scene, f"/channels/{scene.text.id}"), {"name": [1]}, 400)
    assert "name must be a text" in wrong["error"]
    role = await ask(client, "POST", of(scene, "/roles"), {"name": "Crew", "permissions": permissions.SPEAK})
    assert role["permissions"] == str(permissions.SPEAK)
    await ask(client, "DELETE", of(scene, f"/roles/{role['id']}"))


async def test_events(client: Client, scene: Scene) -> None:
    begins = (START + timedelta(hours=1)).isoformat()
    body = {"name": "Sunday", "start": begins, "channel_id": scene.voice_channels[0].id}
    event = await ask(client, "POST", of(scene, "/events"), body)
    path = f"/events/{event['id']}"
    shown = await ask(client, "POST", of(scene, path, scene.members[0].id), {"interested": True})
    assert shown["user_count"] == 2
    assert (await ask(client, "POST", of(scene, path), {"status": "active"}))["status"] == 2
    nothing = await ask(client, "POST", of(scene, path), {}, 400)
    assert "say what" in nothing["error"]
    await ask(client, "DELETE", of(scene, path))


async def test_messages(client: Client, scene: Scene) -> None:
    quartz = scene.members[0]
    said = await ask(
        client, "POST", of(scene, "/messages", quartz.id), {"channel_id": scene.text.id, "content": "x"}
    )
    message = {"message_id": said["id"]}
    reacted = await ask(client, "POST", of(scene, "/react"), message | {"emoji": "👍"})
    assert reacted["reactions"][0]["count"] == 1
    gone = await ask(client, "POST", of(scene, "/react"), message | {"emoji": "👍", "remove": True})
    assert not gone.get("reactions")
    assert (await ask(client, "POST", of(scene, "/pin"), message))["pinned"]
    assert not (await ask(client, "POST", of(scene, "/pin"), message | {"pinned": False}))["pinned"]
    edited = await ask(client, "POST", of(scene, "/edit", quartz.id), message | {"content": "y"})
    assert edited["content"] == "y"
    await ask(client, "POST", of(scene, "/delete"), message)
    again = await ask(client, "POST", of(scene, "/delete"), message, 404)
    assert "sees no message" in again["error"]
    assert await ask(client, "GET", of(scene, "/direct", quartz.id)) == []
    await ask(client, "POST", of(scene, "/direct", quartz.id), {"content": "hello"})
    assert [each["content"] for each in await ask(client, "GET", of(scene, "/direct", quartz.id))] == [
        "hello"
    ]


async def test_guilds_and_the_bot(client: Client, scene: Scene) -> None:
    founded = await ask(client, "POST", "/guilds", {"name": "Cobalt", "owner": "opal", "bot": False})
    assert [each["username"] for each in founded["members"]] == ["opal"]
    path = f"/guilds/{founded['id']}/members/{scene.owner.id}/bot"
    assert await ask(client, "POST", path, {}) == {"member": True}
    assert "already" in (await ask(client, "POST", path, {}, 409))["error"]
    assert await ask(client, "POST", path, {"member": False}) == {"member": False}


async def test_recording_is_fetched_whole_and_in_part(client: Client, scene: Scene) -> None:
    await ask(client, "POST", of(scene, "/voice", scene.members[0].id), {"channel_id": scene.lounge.id})
    await ask(client, "POST", "/clock", {"advance_seconds": 60})
    async with client.get("/control/recording") as answer:
        assert answer.content_type == "application/x-ndjson"
        recording = Recording.parse((await answer.text()).splitlines())
    again = await Replay(recording).set_scene()
    assert [each.since for each in again.truth] == [START]
    assert again.clock.now() == START + timedelta(seconds=60)
    query = f"?kind=act,clock&guild={scene.guild.id}&since=2026-03-01T18:00:00%2B00:00"
    async with client.get(f"/control/recording{query}") as answer:
        rows = [json.loads(line) for line in (await answer.text()).splitlines()]
    assert rows[0]["complete"] is False
    assert {row["kind"] for row in rows[1:]} == {"act"}
    assert "must be a time" in (await ask(client, "GET", "/recording?since=now", None, 400))["error"]
    assert "kind is one of" in (await ask(client, "GET", "/recording?kind=x", None, 400))["error"]
    assert {each["kind"] for each in await ask(client, "GET", "/log?kind=clock")} == {"clock"}


async def test_plan_of_faults_is_drawn_from_its_seed(client: Client, scene: Scene) -> None:
    body = {"kind": "plan", "seed": 4, "seconds": 600, "count": 5, "kinds": ["drop_gateway", "guild_outage"]}
    first = await ask(client, "POST", "/faults", body)
    second = await ask(client, "POST", "/faults", body)
    assert first == second
    assert len(first["plan"]) >= 5
    await ask(client, "POST", "/clock", {"advance_seconds": 1300})
    notes = [each["words"] for each in await ask(client, "GET", "/log?kind=note")]
    assert sum(each.startswith("planned fault:") for each in notes) >= 5
    assert "seed is missing" in (await ask(client, "POST", "/faults", {"kind": "plan"}, 400))["error"]
    wrong = {"kind": "plan", "seed": 1, "kinds": ["earthquake"]}
    assert "not from earthquake" in (await ask(client, "POST", "/faults", wrong, 400))["error"]
    guild = {"kind": "plan", "seed": 1, "guild_id": scene.guild.id}
    assert "takes no guild_id" in (await ask(client, "POST", "/faults", guild, 400))["error"]
