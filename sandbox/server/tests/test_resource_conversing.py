"""Threads that people start, what they type, and what no guild has."""

from __future__ import annotations

from typing import Any

import aiohttp
import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually, refused
from support.resource_stage import ADMINISTRATOR, code_of, grant, guild_of, heard

from sandbox.server.channels import FORUM


async def test_people_start_join_leave_and_archive_threads(place: Place, bot: LoopbackBot) -> None:
    said = await place.quartz.send(place.text, "Where to?")
    thread = await place.quartz.start_thread(place.text, "Where", message_id=said["id"], text="Yela")
    await bot.until("thread_create")
    await place.beryl.join_thread(thread["id"])
    await place.quartz.send(thread["id"], "Daymar")
    await place.beryl.leave_thread(thread["id"])
    known = await bot.fetch_channel(int(thread["id"]))
    assert isinstance(known, discord.Thread)
    assert (known.message_count, known.member_count, known.owner_id) == (2, 1, place.quartz.id)
    assert "may not archive" in await refused(place.beryl.archive_thread(thread["id"]))
    await place.quartz.archive_thread(thread["id"])
    await eventually(lambda: guild_of(place, bot).get_thread(int(thread["id"])) is None)
    assert "already" in await refused(place.quartz.start_thread(place.text, "Again", message_id=said["id"]))
    assert "holds no threads" in await refused(place.quartz.start_thread(place.dispatch, "x"))
    assert "characters" in await refused(place.quartz.start_thread(place.text, ""))


async def test_a_private_thread_is_heard_of_once_the_bot_is_let_in(place: Place, bot: LoopbackBot) -> None:
    thread = await place.quartz.start_thread(place.text, "Secret", private=True, text="psst")
    assert "does not see" in await refused(place.beryl.send(thread["id"], "hm"))
    assert heard(place, "THREAD_CREATE") == []
    assert await code_of(bot.fetch_channel(int(thread["id"]))) == 50001
    assert place.world.bot_user.id in place.guild.members
    await place.quartz.join_thread(thread["id"], place.guild.members[place.world.bot_user.id])
    await bot.until("thread_join")
    known = guild_of(place, bot).get_thread(int(thread["id"]))
    assert known is not None
    assert [each.content async for each in known.history()] == ["psst"]


async def test_posts_of_people_in_a_forum(place: Place, bot: LoopbackBot) -> None:
    forum = place.guild.create_channel("ideas", FORUM)
    assert "begins with a text" in await refused(place.quartz.start_thread(forum, "Ship"))
    post = await place.quartz.start_thread(forum, "Ship", text="A Carrack")
    await bot.until("thread_create")
    assert [each["id"] for each in place.world.messages(int(post["id"]))] == [post["id"]]


async def test_typing_is_heard(place: Place, bot: LoopbackBot) -> None:
    await place.quartz.typing(place.text)
    await bot.until("typing")
    assert [each["user_id"] for each in heard(place, "TYPING_START")] == [str(place.quartz.id)]


async def test_the_same_over_the_control_address(place: Place, bot: LoopbackBot) -> None:
    base = f"{place.server.addresses.control}/guilds/{place.guild.id}/members/{place.quartz.id}"

    async with aiohttp.ClientSession() as http:

        async def ask(path: str, **body: Any) -> Any:
            async with http.post(base + path, json=body) as answer:
                return await answer.json()

        assert await ask("/typing", channel_id=str(place.text.id)) == {"typing": True}
        thread = await ask("/threads", channel_id=str(place.text.id), name="Plans", text="Yela")
        assert (thread["name"], thread["message_count"]) == ("Plans", 1)
        assert "say what" in (await ask(f"/threads/{thread['id']}"))["error"]
        changed = await ask(f"/threads/{thread['id']}", joined=False, archived=True)
        assert (changed["member_count"], changed["thread_metadata"]["archived"]) == (0, True)
    await bot.until("typing")


@pytest.mark.parametrize(
    "path", ["stickers", "soundboard-sounds", "integrations", "templates", "auto-moderation/rules"]
)
async def test_what_no_guild_has_is_an_empty_list(place: Place, bot: LoopbackBot, path: str) -> None:
    grant(place, ADMINISTRATOR)
    route = discord.http.Route("GET", f"/guilds/{{guild_id}}/{path}", guild_id=place.guild.id)
    assert await bot.http.request(route) in ([], {"items": []})


async def test_what_nobody_sells_is_an_empty_list_too(place: Place, bot: LoopbackBot) -> None:
    assert await bot.fetch_premium_sticker_packs() == []
    assert await bot.fetch_soundboard_default_sounds() == []
    assert await bot.fetch_application_emojis() == []
    assert [each async for each in bot.entitlements()] == []
    grant(place, 0)
    assert await code_of(guild_of(place, bot).integrations()) == 50013
