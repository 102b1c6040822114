"""Each body of the tables of limits, sent to a running server: the good one taken, the bad one refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from support.loopback import Place
from test_limits_callbacks import CALLBACKS
from test_limits_commands import COMMANDS
from test_limits_components import COMPONENTS
from test_limits_messages import MESSAGES
from test_limits_values import VALUES

AT_LEAST = 70
Case = tuple[str, Any, Any, str, tuple[str | int, ...]]


class Sender:
    """Sends bodies as the bot, over TCP."""

    def __init__(self, place: Place, session: aiohttp.ClientSession) -> None:
        self._place = place
        self._session = session

    async def send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bot {self._place.world.token}"}
        address = self._place.server.addresses.rest + path
        async with self._session.request(method, address, json=body, headers=headers) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None


@pytest.fixture
async def sender(place: Place) -> AsyncIterator[Sender]:
    async with aiohttp.ClientSession() as session:
        yield Sender(place, session)


def cases(table: dict[str, Any]) -> Iterator[Case]:
    for name, (good, bad, code, path) in table.items():
        yield name, good, bad, code, path


def at(tree: Any, path: tuple[str | int, ...]) -> list[dict[str, str]]:
    for step in path:
        tree = tree.get(str(step), {})
    return list(tree.get("_errors", []))


def assert_refused(name: str, status: int, body: Any, code: str, path: tuple[str | int, ...]) -> None:
    """Assert that an answer is Discord's error for a broken limit, named where it is broken."""
    assert status == 400, (name, status, body)
    if code == "EMPTY_MESSAGE":
        assert body == {"code": 50006, "message": "Cannot send an empty message"}, name
        return
    assert (body["code"], body["message"]) == (50035, "Invalid Form Body"), (name, body)
    found = at(body["errors"], path)
    if path == () and code == "DICT_TYPE_CONVERT":
        code = "MODEL_TYPE_CONVERT"  # the whole body is no object, which is told before any limit
    assert code in {each["code"] for each in found}, (name, body)
    assert all(set(each) == {"code", "message"} and each["message"] for each in found), (name, body)


async def test_messages(place: Place, sender: Sender) -> None:
    path = f"/channels/{place.text.id}/messages"
    for name, good, bad, code, where in (*cases(MESSAGES), *cases(COMPONENTS), *cases(VALUES)):
        assert_refused(name, *await sender.send("POST", path, bad), code, where)
        if name not in NEEDS_MORE:
            status, answer = await sender.send("POST", path, good)
            assert status == 200, (name, answer)


NEEDS_MORE = {
    "forward has no content": "another message to forward",
    "stickers": "stickers, which are not modelled",
}


async def test_messages_of_a_follow_up(place: Place, sender: Sender) -> None:
    place.world.interaction_wait = 0.01
    one = place.world.interactions.create(
        place.guild, place.quartz.member, place.text.id, 2, {"name": "x", "options": []}, command_name="x"
    )
    await sender.send("POST", f"/interactions/{one.id}/{one.token}/callback", {"type": 5})
    path = f"/webhooks/{place.world.application_id}/{one.token}"
    for name, _, bad, code, where in (*cases(MESSAGES), *cases(COMPONENTS), *cases(VALUES)):
        assert_refused(name, *await sender.send("POST", path, bad), code, where)


async def test_answers_of_interactions(place: Place, sender: Sender) -> None:
    for name, _, bad, code, where in cases(CALLBACKS):
        one = place.world.interactions.create(
            place.guild, place.quartz.member, place.text.id, 2, {"name": "x", "options": []}, command_name="x"
        )
        path = f"/interactions/{one.id}/{one.token}/callback"
        assert_refused(name, *await sender.send("POST", path, bad), code, where)
        status, answer = await sender.send("POST", path, {"type": 5})
        assert status == 204, (name, answer)


@pytest.mark.parametrize(
    ("kind", "value"), [(3, 7), (4, "seven"), (4, 7.5), (10, "seven"), (10, True), (4, 2**60)]
)
async def test_choices_are_of_the_kind_of_their_option(
    place: Place, sender: Sender, kind: int, value: Any
) -> None:
    option = {"type": kind, "name": "ore", "value": "", "focused": True}
    data = {"name": "x", "options": [{"type": 1, "name": "y", "options": [option]}]}
    one = place.world.interactions.create(place.guild, place.quartz.member, place.text.id, 4, data)
    path = f"/interactions/{one.id}/{one.token}/callback"
    body = {"type": 8, "data": {"choices": [{"name": "n", "value": value}]}}
    status, answer = await sender.send("POST", path, body)
    assert status == 400
    assert at(answer["errors"], ("data", "choices", 0, "value"))


async def test_commands(place: Place, sender: Sender) -> None:
    for path in (
        f"/applications/{place.world.application_id}/commands",
        f"/applications/{place.world.application_id}/guilds/{place.guild.id}/commands",
    ):
        for name, good, bad, code, where in cases(COMMANDS):
            assert_refused(name, *await sender.send("PUT", path, bad), code, where)
            status, answer = await sender.send("PUT", path, good)
            assert status == 200, (name, answer)


async def test_one_command(place: Place, sender: Sender) -> None:
    path = f"/applications/{place.world.application_id}/commands"
    for name, _, bad, code, where in cases(COMMANDS):
        if isinstance(bad, list) and len(bad) == 1 and where[:1] == (0,):
            assert_refused(name, *await sender.send("POST", path, bad[0]), code, where[1:])


def test_there_are_enough_of_them() -> None:
    tables = (MESSAGES, COMPONENTS, VALUES, CALLBACKS, COMMANDS)
    bad = {repr(case[2]) for table in tables for case in cases(table)}
    assert len(bad) >= AT_LEAST
