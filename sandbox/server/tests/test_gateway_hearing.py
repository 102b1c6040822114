"""What a session hears: intents by family, presences, members it asks for, and packed streams."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import aiohttp
import discord
import pytest
import zstandard
from support.loopback import LoopbackBot, Place, eventually
from support.raw_gateway import ALL_INTENTS, RawGateway, raw_gateway

from sandbox.server import Refused
from sandbox.server.gateway import intents
from sandbox.server.gateway.content import without_content

GUILD_FAMILIES = {
    "GUILD_ROLE_CREATE": intents.GUILDS,
    "THREAD_CREATE": intents.GUILDS,
    "GUILD_MEMBER_ADD": intents.MEMBERS,
    "GUILD_BAN_ADD": intents.MODERATION,
    "GUILD_AUDIT_LOG_ENTRY_CREATE": intents.MODERATION,
    "GUILD_EMOJIS_UPDATE": intents.EXPRESSIONS,
    "INTEGRATION_CREATE": intents.INTEGRATIONS,
    "WEBHOOKS_UPDATE": intents.WEBHOOKS,
    "INVITE_CREATE": intents.INVITES,
    "VOICE_STATE_UPDATE": intents.VOICE_STATES,
    "PRESENCE_UPDATE": intents.PRESENCES,
    "MESSAGE_DELETE": intents.GUILD_MESSAGES,
    "MESSAGE_REACTION_ADD": intents.GUILD_REACTIONS,
    "TYPING_START": intents.GUILD_TYPING,
    "GUILD_SCHEDULED_EVENT_USER_ADD": intents.SCHEDULED_EVENTS,
    "AUTO_MODERATION_RULE_CREATE": intents.AUTO_MODERATION_RULES,
    "AUTO_MODERATION_ACTION_EXECUTION": intents.AUTO_MODERATION_ACTIONS,
    "MESSAGE_POLL_VOTE_ADD": intents.GUILD_POLLS,
}
DIRECT_FAMILIES = {
    "MESSAGE_DELETE": intents.DIRECT_MESSAGES,
    "MESSAGE_REACTION_ADD": intents.DIRECT_REACTIONS,
    "TYPING_START": intents.DIRECT_TYPING,
    "MESSAGE_POLL_VOTE_ADD": intents.DIRECT_POLLS,
    "CHANNEL_PINS_UPDATE": intents.DIRECT_MESSAGES,
}


async def hears(place: Place, event: str, asked: int, guild_id: int) -> bool:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready(asked, guilds=1 if asked & intents.GUILDS else 0)
        # Only the way of the event is looked at: it has no shape that could be judged.
        place.world.log.enabled = False
        place.world.hub.dispatch(event, {"id": "1"}, guild_id=guild_id)
        return not await gateway.silent()


@pytest.mark.parametrize(("event", "bit"), GUILD_FAMILIES.items())
async def test_an_event_of_a_guild_needs_its_intent(place: Place, event: str, bit: int) -> None:
    assert await hears(place, event, bit, place.guild.id)
    assert not await hears(place, event, ALL_INTENTS & ~bit, place.guild.id)


@pytest.mark.parametrize(("event", "bit"), DIRECT_FAMILIES.items())
async def test_a_direct_event_needs_its_intent(place: Place, event: str, bit: int) -> None:
    assert await hears(place, event, bit, 0)
    assert not await hears(place, event, ALL_INTENTS & ~bit, 0)


async def test_what_no_intent_covers_always_comes(place: Place) -> None:
    assert await hears(place, "INTERACTION_CREATE", 0, place.guild.id)


async def test_without_the_content_intent_a_message_says_nothing(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready(ALL_INTENTS & ~intents.MESSAGE_CONTENT)
        await place.quartz.send(place.text, "I found ore")
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == ""
        await place.quartz.send(place.text, f"<@{place.world.bot_user.id}> come")
        assert (await gateway.until("MESSAGE_CREATE"))["content"].endswith("come")
        direct = place.world.direct_channel(place.quartz.id)
        place.world.messages_room.create(direct, place.quartz.user, {"content": "psst"})
        assert (await gateway.until("MESSAGE_CREATE"))["content"] == "psst"


def test_content_is_taken_out_of_what_is_quoted_too() -> None:
    said = {"author": {"id": "2"}, "content": "secret", "mentions": []}
    mine = {"author": {"id": "1"}, "content": "my answer", "mentions": []}
    message = {**said, "guild_id": "3", "poll": {}, "referenced_message": mine}
    message["message_snapshots"] = [{"message": {"content": "secret", "type": 0}}]
    seen = without_content(message, "1")
    assert seen["referenced_message"]["content"] == "my answer"
    assert "secret" not in json.dumps(seen)
    assert "poll" not in seen
    quoted = without_content({**mine, "guild_id": "3", "referenced_message": said}, "1")
    assert (quoted["content"], quoted["referenced_message"]["content"]) == ("my answer", "")
    assert message["content"] == "secret"


async def test_presences_are_seen_by_who_may(place: Place) -> None:
    await place.quartz.set_presence("dnd", "Refining")
    async with raw_gateway(place.server) as gateway:
        await gateway.identify(presence={"status": "idle", "activities": [{"name": "the belt", "type": 3}]})
        created = await gateway.until("GUILD_CREATE")
        shown = {each["user"]["id"]: each for each in created["presences"]}
        assert shown[str(place.quartz.id)]["status"] == "dnd"
        assert shown[str(place.quartz.id)]["activities"][0]["name"] == "Refining"
        assert shown[str(place.world.bot_user.id)]["client_status"] == {"web": "idle"}
        await place.quartz.set_presence("invisible")
        update = await gateway.until("PRESENCE_UPDATE")
        assert (update["status"], update["client_status"], update["activities"]) == ("offline", {}, [])
        assert update["guild_id"] == str(place.guild.id)
        await gateway.say(3, {"since": None, "activities": [], "status": "online", "afk": False})
        assert (await gateway.until("PRESENCE_UPDATE"))["user"] == {"id": str(place.world.bot_user.id)}
    async with raw_gateway(place.server) as gateway:
        await gateway.identify(ALL_INTENTS & ~intents.PRESENCES)
        assert (await gateway.until("GUILD_CREATE"))["presences"] == []
    with pytest.raises(Refused, match="a status is one of"):
        await place.quartz.set_presence("sleepy")


async def test_a_real_client_sees_presences_and_changes_its_own(place: Place, bot: LoopbackBot) -> None:
    await place.quartz.set_presence("online", "Drill", mobile=True)
    await bot.until("presence_update")
    member = bot.guilds[0].get_member(place.quartz.id)
    assert member is not None
    assert (member.status, member.is_on_mobile()) == (discord.Status.online, True)
    assert member.activity is not None
    assert member.activity.name == "Drill"
    await bot.change_presence(activity=discord.Game("cards"), status=discord.Status.idle)
    await eventually(lambda: place.world.presences.status(place.world.bot_user.id) == "idle")


async def ask(place: Place, gateway: RawGateway, **fields: Any) -> list[dict[str, Any]]:
    """Return the chunks that answer a request for members."""
    await gateway.say(8, {"guild_id": str(place.guild.id), **fields})
    chunks = [await gateway.until("GUILD_MEMBERS_CHUNK")]
    while len(chunks) < chunks[0]["chunk_count"]:
        chunks.append(await gateway.until("GUILD_MEMBERS_CHUNK"))
    return chunks


def names(chunks: list[dict[str, Any]]) -> list[str]:
    return [member["user"]["username"] for chunk in chunks for member in chunk["members"]]


async def test_members_are_asked_for_by_name_id_and_all_at_once(place: Place) -> None:
    for number in range(1_100):
        place.guild.add_member(f"miner{number:04}")
    await place.quartz.set_presence("online")
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        # To judge a thousand members would take seconds; the few below are judged.
        place.world.log.enabled = False
        everybody = await ask(place, gateway, query="", limit=0, nonce="n" * 32)
        place.world.log.enabled = True
        assert [len(chunk["members"]) for chunk in everybody] == [1000, 104]
        assert [chunk["chunk_index"] for chunk in everybody] == [0, 1]
        assert {chunk["nonce"] for chunk in everybody} == {"n" * 32}
        assert names(await ask(place, gateway, query="QUA", limit=5)) == ["quartz"]
        assert names(await ask(place, gateway, query="miner", limit=2)) == ["miner0000", "miner0001"]
        assert len(names(await ask(place, gateway, query="miner", limit=0))) == 100
        ids = [str(place.beryl.id), "17"]
        (found,) = await ask(place, gateway, user_ids=ids, limit=0, nonce="n" * 33)
        assert (names([found]), found["not_found"]) == (["beryl"], ["17"])
        assert "nonce" not in found
        assert "presences" not in found
        (shown,) = await ask(place, gateway, user_ids=str(place.quartz.id), limit=0, presences=True)
        assert [each["status"] for each in shown["presences"]] == ["online"]
    async with raw_gateway(place.server) as gateway:
        await gateway.ready(ALL_INTENTS & ~intents.PRIVILEGED["members"] & ~intents.PRESENCES)
        assert names(await ask(place, gateway, query="", limit=0)) == []
        (shown,) = await ask(place, gateway, user_ids=[str(place.quartz.id)], limit=0, presences=True)
        assert "presences" not in shown


def unpack_zlib() -> Callable[[bytes], bytes]:
    return zlib.decompressobj().decompress


def unpack_zstd() -> Callable[[bytes], bytes]:
    return zstandard.ZstdDecompressor().decompressobj().decompress


@pytest.mark.parametrize(
    ("asked", "make"), [("zlib-stream", unpack_zlib), ("zstd-stream", unpack_zstd), ("", None)]
)
async def test_streams_are_packed_as_asked(
    place: Place, asked: str, make: Callable[[], Callable[[bytes], bytes]] | None
) -> None:
    unpack = make() if make else None
    where = f"{place.server.addresses.gateway}?v=10&encoding=json" + (f"&compress={asked}" if asked else "")
    async with aiohttp.ClientSession() as session, session.ws_connect(where) as socket:

        async def frame() -> dict[str, Any]:
            message = await socket.receive(5)
            assert message.type is (aiohttp.WSMsgType.BINARY if unpack else aiohttp.WSMsgType.TEXT)
            found: dict[str, Any] = json.loads(unpack(message.data) if unpack else message.data)
            return found

        assert (await frame())["op"] == 10
        await socket.send_json(
            {"op": 2, "d": {"token": place.world.token, "intents": 129, "properties": {}, "compress": True}}
        )
        assert (await frame())["t"] == "READY"
        assert (await frame())["t"] == "GUILD_CREATE"
        place.world.faults.hold()
        for channel in (place.dispatch, place.alpha, place.dispatch):
            await place.quartz.join(channel)
        place.world.faults.release()
        assert [(await frame())["t"] for _ in range(3)] == ["VOICE_STATE_UPDATE"] * 3
