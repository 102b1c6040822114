"""The judge itself: it takes what real clients send, and names what is wrong in words one can act on."""

from __future__ import annotations

from typing import Any

import pytest
from support.openapi_judge import Judge

CALLBACK = "/interactions/1/token/callback"
COMMANDS = "/applications/1/guilds/2/commands"
MESSAGES = "/channels/3/messages"


@pytest.fixture(scope="module")
def judge() -> Judge:
    found = Judge.load()
    if found is None:
        pytest.skip("Discord's API description is not there")
    return found


CHANNEL = {"type": 7, "name": "where", "description": "Where"}


def command(**more: Any) -> dict[str, Any]:
    return {"name": "payroll", "description": "Split the money", "type": 1, **more}


def test_finds_the_route_of_a_path(judge: Judge) -> None:
    assert judge.route("/api/v10/users/@me") == "/users/@me"
    assert judge.route("/users/5") == "/users/{user_id}"
    assert judge.route("/webhooks/1/token/messages/@original?thread_id=4") == (
        "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
    )
    assert judge.route("/nowhere") is None
    assert judge.request("GET", "/nowhere", None) == ["GET /nowhere: the description has no such route"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", MESSAGES, {"content": "x", "allowed_mentions": {"parse": [], "users": [5]}}),
        ("POST", MESSAGES, {"message_reference": {"type": 1, "message_id": 5, "channel_id": "6"}}),
        ("POST", MESSAGES, None),
        (
            "PATCH",
            f"{MESSAGES}/5",
            {"content": "x", "tts": False, "attachments": [{"id": 5, "size": 1, "url": "u"}]},
        ),
        ("POST", "/guilds/2/roles", {"name": "Officer", "permissions": "8589934592"}),
        ("PUT", "/channels/3/permissions/4", {"type": 0, "allow": "1024", "deny": 0}),
        ("PUT", COMMANDS, [command(nsfw=False, default_member_permissions="8")]),
        ("PUT", COMMANDS, [command(options=[{**CHANNEL, "channel_types": [2, 16]}])]),
        ("POST", CALLBACK, {"type": 5, "data": {"flags": 64}}),
        ("POST", CALLBACK, {"type": 7, "data": {"tts": False, "embeds": [{"title": "t", "flags": 0}]}}),
        ("GET", "/users/@me", None),
    ],
)
def test_takes_what_real_clients_send(judge: Judge, method: str, path: str, body: Any) -> None:
    assert judge.request(method, path, body) == []


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (MESSAGES, {"contents": "x"}, "'contents' was unexpected"),
        (
            COMMANDS,
            [command(options=[{**CHANNEL, "channel_types": [2, 99]}])],
            "channel_types.1: 99 is none of",
        ),
        (MESSAGES, {"content": 5}, "at content: 5 is not of type 'string', 'null'"),
        (
            CALLBACK,
            {"type": 4, "data": {"embed": {}}},
            "at data: Additional properties are not allowed ('embed'",
        ),
        (
            CALLBACK,
            {"type": 9, "data": {"custom_id": "m", "title": "t" * 46, "components": []}},
            "at data.title",
        ),
        (
            MESSAGES,
            {"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "l" * 81}]}]},
            "at components.0.components.0.label",
        ),
    ],
)
def test_names_what_is_wrong_in_a_request(judge: Judge, path: str, body: Any, words: str) -> None:
    problems = judge.request("PUT" if path == COMMANDS else "POST", path, body)
    assert len(problems) == 1
    assert words in problems[0]


def test_judges_answers(judge: Judge) -> None:
    assert judge.response("POST", "/channels/3/typing", 204, None) == []
    assert "takes no body" in judge.request("POST", "/channels/3/typing", {"x": 1})[0]
    assert "knows only" in judge.response("POST", MESSAGES, 201, {})[0]
    assert "'url' is a required property" in judge.response("GET", "/gateway", 200, {})[0]
    refusal = {"content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Too long"}]}}
    form = {"code": 50035, "message": "Invalid Form Body", "errors": refusal}
    assert judge.response("POST", MESSAGES, 400, form) == []
    assert judge.response("POST", MESSAGES, 400, {"message": "Too long"})
    assert judge.response("GET", "/nowhere", 404, {"code": 0, "message": "404: Not Found"}) == []


def test_ids_in_answers_are_texts(judge: Judge) -> None:
    user = {
        "id": 5,
        "username": "quartz",
        "avatar": None,
        "discriminator": "0",
        "public_flags": 0,
        "flags": 0,
    }
    problems = judge.response("GET", "/users/5", 200, {**user, "global_name": None, "primary_guild": None})
    assert problems == ["GET /users/5 -> 200: at id: 5 is not of type 'string'"]


def test_judges_gateway_events(judge: Judge) -> None:
    assert judge.dispatch("TYPING_START", {"anything": 1}) == []
    assert any("session_id" in one for one in judge.dispatch("VOICE_STATE_UPDATE", {"channel_id": "1"}))
