"""Bodies that come as a form: Pycord answers interactions so when there is no file."""

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
