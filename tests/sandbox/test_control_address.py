"""The control address over plain HTTP: what it tells, what it does, and its words for what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.server import World, WorldClock
from sandbox.server.control import control_routes
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


async def get(client: Client, path: str, status: int = 200, **headers: str) -> Any:
    async with client.get(f"/control{path}", headers=headers) as answer:
        body = await answer.json()
        assert answer.status == status, body
        return body


async def post(client: Client, path: str, body: Any, status: int = 200) -> Any:
    async with client.post(f"/control{path}", json=body) as answer:
        result = await answer.json()
        assert answer.status == status, result
        return result


def member(scene: Scene, verb: str, who: int | None = None) -> str:
    return f"/guilds/{scene.guild.id}/members/{who or scene.members[0].id}/{verb}"


async def test_lists_guilds_with_channels_members_and_menu(client: Client, scene: Scene) -> None:
    scene.world.commands.overwrite(
        scene.guild.id,
        [
            {
                "name": "mining",
                "description": "Mining",
                "options": [
                    {
                        "type": 1,
                        "name": "start",
                        "description": "Start",
                        "options": [{"type": 3, "name": "title", "description": "Its name"}],
                    }
                ],
            }
        ],
    )
    ember, basalt = await get(client, "/guilds")
    assert ember["name"] == "Ember Prospectors"
    assert {"id": str(scene.hub.id), "name": "Create a crew", "type": 2} in ember["channels"]
    quartz = next(one for one in ember["members"] if one["username"] == "quartz")
    assert quartz["id"] == str(scene.members[0].id)
    assert quartz["bot"] is False
    assert quartz["voice_channel_id"] is None
    names = {role["id"]: role["name"] for role in ember["roles"]}
    assert [names[role] for role in quartz["roles"]] == ["Member"]
    assert [one["bot"] for one in ember["members"] if one["id"] == str(scene.world.bot_user.id)] == [True]
    assert ember["menu"] == [
        {
            "name": "mining start",
            "description": "Start",
            "type": 1,
            "options": [{"type": 3, "name": "title", "description": "Its name"}],
        }
    ]
    assert basalt["menu"] == []


async def test_people_sit_down_move_and_leave_and_the_truth_knows(client: Client, scene: Scene) -> None:
    dispatch, alpha = scene.voice_channels[:2]
    voice = member(scene, "voice")
    seated = await post(client, voice, {"channel_id": str(dispatch.id), "self_mute": True})
    assert seated["channel_id"] == str(dispatch.id)
    assert seated["self_mute"] is True
    assert await post(client, "/clock", {"advance_seconds": 90}) == {"now": "2026-03-01T18:01:30+00:00"}
    await post(client, voice, {"channel_id": alpha.id})
    deafened = await post(client, voice, {"self_deaf": True})
    assert deafened["self_deaf"] is True
    await post(client, voice, {"channel_id": None})
    stays = await get(client, f"/truth?guild={scene.guild.id}&user={scene.members[0].id}")
    assert [(one["channel_id"], one["since"][11:19], one["until"][11:19]) for one in stays] == [
        (str(dispatch.id), "18:00:00", "18:01:30"),
        (str(alpha.id), "18:01:30", "18:01:30"),
    ]
    assert await get(client, "/truth?user=5") == []


async def test_the_clock_stands_still_until_turned(client: Client) -> None:
    assert await get(client, "/clock") == {"now": START.isoformat(), "attached": 0}
    assert await post(client, "/clock", {"advance_seconds": 0.5}) == {
        "now": "2026-03-01T18:00:00.500000+00:00"
    }


async def test_messages_and_attachments(client: Client, scene: Scene) -> None:
    sent = await post(client, member(scene, "messages"), {"channel_id": scene.text.id, "content": "Ready"})
    path = f"/channels/{scene.text.id}/messages"
    assert [one["content"] for one in await get(client, path)] == ["Ready"]
    assert [one["id"] for one in await get(client, f"{path}?as={scene.owner.id}")] == [sent["id"]]
    words = await get(client, f"/messages/{sent['id']}/attachments/payroll.pdf", 404)
    assert "has no file payroll.pdf" in words["error"]


async def test_an_act_without_a_bot_has_no_answer(client: Client, scene: Scene) -> None:
    scene.world.commands.overwrite(scene.guild.id, [{"name": "ping", "description": "Ping"}])
    body = {"channel_id": str(scene.text.id), "command": "ping", "options": {}}
    outcome = await post(client, member(scene, "slash"), body)
    assert outcome["interaction_id"].isdigit()
    del outcome["interaction_id"]
    assert outcome == {"kind": "none", "message": None, "modal": None, "choices": None}


async def test_faults_and_log(client: Client, scene: Scene) -> None:
    dropped = await post(client, "/faults", {"kind": "drop_gateway", "hold_seconds": 60})
    assert dropped == {"kind": "drop_gateway", "connections": 0}
    assert scene.world.hub.held
    await post(client, "/clock", {"advance_seconds": 60})
    assert not scene.world.hub.held
    await post(client, "/faults", {"kind": "invalid_session", "resumable": True})
    await post(client, "/faults", {"kind": "reconnect", "guild_id": str(scene.guild.id)})
    assert len(await get(client, "/log?kind=note")) == 3
    assert "op 7" in (await get(client, "/log?kind=note&limit=1"))[0]["words"]
    assert await get(client, "/log?kind=rest") == []
    assert await get(client, "/log?limit=0") == []


async def test_lists_its_verbs(client: Client) -> None:
    listed = await get(client, "/")
    assert listed == await get(client, "")
    assert listed["below"] == "/control"
    assert {"method": "POST", "path": "/clock", "takes": '{"advance_seconds": n}'} in listed["verbs"]


SEATED = "channel_id"
BAD: list[tuple[str, Any, int, str]] = [
    ("{m}/voice", {SEATED: "x"}, 400, "channel_id must be an id"),
    ("{m}/voice", {SEATED: True}, 400, "channel_id must be an id"),
    ("{m}/voice", {}, 400, "channel_id, null to leave"),
    ("{m}/voice", {SEATED: None}, 409, "sits in no voice channel"),
    ("{m}/voice", {SEATED: None, "deaf": True}, 400, "channel_id null alone"),
    ("{m}/voice", {"deaf": 1}, 400, "deaf must be true or false"),
    ("{m}/voice", {SEATED: "5"}, 404, "has no channel 5"),
    ("{m}/voice", {SEATED: "{text}"}, 400, "mining-ops is not a voice channel"),
    ("{m}/voice", {"channel": "5"}, 400, "there is no field 'channel' here; there are: channel_id"),
    ("{m}/slash", {SEATED: "{text}", "command": "fly"}, 404, "/fly is not in this guild's menu"),
    ("{m}/slash", {SEATED: "{text}"}, 400, "command must be a text"),
    ("{m}/slash", {SEATED: "{text}", "command": "fly", "options": []}, 400, "options must be an object"),
    ("{m}/slash", {"command": "fly"}, 400, "channel_id is missing"),
    ("{m}/autocomplete", {SEATED: "{text}", "command": "fly"}, 400, "focused must be a text"),
    ("{m}/click", {"message_id": "5", "custom_id": "go"}, 404, "sees no message 5"),
    ("{m}/choose", {"message_id": "5", "custom_id": "go", "values": "a"}, 400, "values must be a list"),
    ("{m}/submit", {"interaction_id": "5", "values": {}}, 404, "opened no modal"),
    ("{m}/messages", {SEATED: "{text}", "content": ""}, 400, "content must be a text"),
    ("/guilds/5/members/6/voice", {SEATED: "1"}, 404, "there is no guild 5"),
    ("/guilds/{g}/members/6/voice", {SEATED: "1"}, 404, "6 is not a member of Ember Prospectors"),
    ("/guilds/{g}/members/{bot}/voice", {SEATED: "1"}, 403, "is a bot"),
    ("/guilds/x/members/6/voice", {SEATED: "1"}, 400, "the guild in the path must be an id"),
    ("/clock", {"advance_seconds": -1}, 400, "advance_seconds must be a number of seconds from 0 to"),
    ("/clock", {"advance_seconds": "5"}, 400, "advance_seconds must be a number"),
    ("/clock", {"advance_seconds": 1e300}, 400, "advance_seconds must be a number"),
    ("/clock", {}, 400, "but it is missing"),
    ("/clock", [], 400, "the body must be a JSON object with advance_seconds"),
    ("/faults", {"kind": "fire"}, 400, "choose one of: drop_gateway, invalid_session, reconnect"),
    ("/faults", {"kind": "reconnect", "resumable": True}, 400, "reconnect takes no resumable"),
    ("/faults", {"kind": "reconnect", "guild_id": "5"}, 404, "there is no guild 5"),
    ("/faults", {"kind": "drop_gateway", "hold_seconds": -1}, 400, "hold_seconds must be"),
    ("/faults", {"kind": "voice_refusal", "step": "handshake", "probability": 2}, 400, "from 0 to 1, not 2"),
    ("/truth", {}, 405, "/truth takes GET, not POST"),
    ("/guilds", {}, 400, "name must be a text, but it is missing"),
    ("/nowhere", {}, 404, "GET /control/ lists what there is"),
]


@pytest.mark.parametrize("case", BAD, ids=[f"{path} {body}" for path, body, _, _ in BAD])
async def test_says_what_is_wrong(client: Client, scene: Scene, case: tuple[str, Any, int, str]) -> None:
    path, body, status, words = case
    names = {"g": scene.guild.id, "bot": scene.world.bot_user.id, "m": member(scene, "")[:-1]}
    if isinstance(body, dict) and body.get(SEATED) == "{text}":
        body = {**body, SEATED: str(scene.text.id)}
    assert words in (await post(client, path.format(**names), body, status))["error"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/channels/5/messages", 404, "there is no channel 5"),
        ("/channels/x/messages", 400, "the channel in the path must be an id"),
        ("/channels/{text}/messages?as=5", 404, "5 is not a member"),
        ("/channels/{text}/messages?who=5", 400, "there is no query parameter 'who' here; there are: as"),
        ("/messages/5/attachments/a.pdf", 404, "there is no message 5"),
        ("/log?limit=x", 400, "limit must be a whole number"),
        ("/log?limit=10001", 400, "limit must be a whole number from 0 to 10000"),
        ("/log?kind=mail", 400, "kind is one of act, clock, rest, gateway, voice, note, not mail"),
        ("/truth?guild=x", 400, "guild must be an id"),
        ("/clock/attach", 400, "as a websocket"),
    ],
)
async def test_says_what_is_wrong_in_a_question(
    client: Client, scene: Scene, path: str, status: int, words: str
) -> None:
    assert words in (await get(client, path.format(text=scene.text.id), status))["error"]


@pytest.mark.parametrize(
    "data", [b"{", b"\xff", b'{"advance_seconds": NaN}', b'{"advance_seconds": "\\ud800"}']
)
async def test_bad_json_is_refused(client: Client, data: bytes) -> None:
    async with client.post("/control/clock", data=data) as answer:
        assert answer.status == 400
        assert "the body" in (await answer.json())["error"]


async def test_web_pages_and_other_names_are_refused(client: Client) -> None:
    for headers in ({"Origin": "https://example.org"}, {"Origin": "null"}, {"Host": "example.org"}):
        assert "this machine only" in (await get(client, "/clock", 403, **headers))["error"]
    await get(client, "/clock", Origin="http://localhost:8080")


async def test_an_attached_clock_is_stepped_along(client: Client, scene: Scene) -> None:
    async with client.ws_connect("/control/clock/attach") as socket:
        await socket.send_json({"op": "hello", "session_ids": []})
        assert await socket.receive_json(timeout=60) == {
            "op": "tick",
            "now": START.isoformat(),
            "sequence": {},
            "id": 0,
        }
        assert (await get(client, "/clock"))["attached"] == 1
        asked = asyncio.create_task(post(client, "/clock", {"advance_seconds": 60}))
        seen: list[str] = []
        due = "2026-03-01T18:00:20+00:00"

        async def answer_ticks() -> None:
            async for frame in socket:
                tick = frame.json()
                seen.append(tick["now"][14:19])
                left = due if tick["now"] < due else None
                await socket.send_json({"op": "idle", "id": tick["id"], "next_due": left})

        answering = asyncio.create_task(answer_ticks())
        assert (await asyncio.wait_for(asked, 60))["now"] == "2026-03-01T18:01:00+00:00"
        answering.cancel()
        assert list(dict.fromkeys(seen)) == ["00:00", "00:20", "01:00"]


async def test_a_clock_that_says_nonsense_is_told_and_let_go(client: Client, scene: Scene) -> None:
    async with client.ws_connect("/control/clock/attach") as socket:
        await socket.send_json({"op": "idle", "id": 1})
        assert "say hello first" in (await socket.receive_json(timeout=60))["error"]
    async with client.ws_connect("/control/clock/attach") as socket:
        await socket.send_json({"op": "hello"})
        await socket.receive_json(timeout=60)
        await socket.send_json({"op": "idle", "id": 0, "next_due": "2026-03-01T18:00:20"})
        assert "UTC offset" in (await socket.receive_json(timeout=60))["error"]
        assert (await socket.receive(timeout=60)).data == 4000
    assert scene.world.clock.attached == 0


async def test_a_clock_that_does_not_answer_is_let_go_and_told(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.server.clock.ANSWER_WITHIN", 0.05)
    async with client.ws_connect("/control/clock/attach") as socket:
        await socket.send_json({"op": "hello", "session_ids": []})
        await socket.receive_json(timeout=60)
        assert await post(client, "/clock", {"advance_seconds": 60}) == {"now": "2026-03-01T18:01:00+00:00"}
        assert scene.world.clock.attached == 0
        assert (await socket.receive_json(timeout=60))["op"] == "tick"
        assert (await socket.receive(timeout=60)).data == 4001
    assert "detached" in (await get(client, "/log?kind=note"))[0]["words"]


async def test_a_clock_that_goes_away_is_not_waited_for(client: Client, scene: Scene) -> None:
    async with client.ws_connect("/control/clock/attach") as socket:
        await socket.send_json({"op": "hello", "session_ids": []})
        await socket.receive_json(timeout=60)
        asked = asyncio.create_task(post(client, "/clock", {"advance_seconds": 60}))
        assert (await socket.receive_json(timeout=60))["op"] == "tick"
        await socket.close()
        assert (await asyncio.wait_for(asked, 60))["now"] == "2026-03-01T18:01:00+00:00"
    assert scene.world.clock.attached == 0
