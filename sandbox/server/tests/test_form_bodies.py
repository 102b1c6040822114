"""Bodies as clients write them: a form, as Pycord answers interactions, and 10.0 for 10, as Red does."""

from __future__ import annotations

import json

import aiohttp
import pytest
from support.loopback import Place


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"payload_json": json.dumps({"content": "Hello, ⛏️ & co"})}, 200),
        ({"content": "Hello, ⛏️ & co"}, 200),
        ({"payload_json": "{"}, 400),
    ],
)
async def test_a_form_without_files_is_read(place: Place, form: dict[str, str], status: int) -> None:
    headers = {"Authorization": f"Bot {place.world.token}"}
    address = f"{place.server.addresses.rest}/channels/{place.text.id}/messages"
    async with aiohttp.ClientSession(headers=headers) as client, client.post(address, data=form) as answer:
        assert answer.status == status
        said = await answer.json()
    assert said.get("content", "Hello, ⛏️ & co") == "Hello, ⛏️ & co"
    assert said.get("code") == (50109 if status == 400 else None)


@pytest.mark.parametrize(("given", "status"), [("10.0", 200), ("1e1", 200), ("10.5", 400), ("1e999", 400)])
async def test_a_whole_number_may_have_a_point(place: Place, given: str, status: int) -> None:
    helper = place.guild.create_role("Helper", permissions=1 << 4)
    place.guild.members[place.world.bot_user.id].roles.append(helper.id)
    headers = {"Authorization": f"Bot {place.world.token}", "Content-Type": "application/json"}
    address = f"{place.server.addresses.rest}/channels/{place.text.id}"
    body = f'{{"rate_limit_per_user": {given}}}'
    async with aiohttp.ClientSession(headers=headers) as client, client.patch(address, data=body) as answer:
        assert answer.status == status, await answer.text()
        told = await answer.json()
    assert told.get("rate_limit_per_user") == (10 if status == 200 else None)
