"""The HTTP API, through discord.py's own calls."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually, refused


def text_channel(place: Place, bot: LoopbackBot) -> discord.TextChannel:
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    return channel


async def test_messages_are_written_read_edited_and_deleted(place: Place, bot: LoopbackBot) -> None:
    channel = text_channel(place, bot)
    first = await channel.send("one", file=discord.File(io.BytesIO(b"1"), "one.txt"))
    second = await channel.send(f"two <@{place.quartz.id}>", reference=first)
    assert [each.id async for each in channel.history()] == [second.id, first.id]
    assert [each.id async for each in channel.history(after=first)] == [second.id]
    assert second.mentions[0].id == place.quartz.id
    assert second.reference is not None
    files = [*first.attachments, discord.File(io.BytesIO(b"2"), "b")]
    edited = await first.edit(content="uno", attachments=files)
    assert [each.filename for each in edited.attachments] == ["one.txt", "b"]
    assert (await channel.fetch_message(first.id)).content == "uno"
    assert place.world.messages(place.text.id)[0]["edited_timestamp"] is not None
    await first.forward(channel)
    await second.delete()
    with pytest.raises(discord.NotFound) as gone:
        await channel.fetch_message(second.id)
    assert gone.value.code == 10008
    said = await place.quartz.send(place.text, "mine")
    with pytest.raises(discord.Forbidden) as foreign:
        await (await channel.fetch_message(int(said["id"]))).edit(content="x")
    assert foreign.value.code == 50005
    await channel.purge()
    assert place.world.messages(place.text.id) == []
    async with channel.typing():
        pass


async def test_direct_messages_reach_their_person_alone(place: Place, bot: LoopbackBot) -> None:
    member = bot.guilds[0].get_member(place.quartz.id)
    assert member is not None
    sent = await member.send("psst")
    assert [each["content"] for each in place.world.messages(sent.channel.id, place.quartz.id)] == ["psst"]
    with pytest.raises(Exception, match="does not see"):
        place.world.messages(sent.channel.id, place.beryl.id)


async def test_commands_are_managed_one_by_one(place: Place, bot: LoopbackBot) -> None:
    assert bot.application_id is not None
    made = await bot.http.upsert_global_command(bot.application_id, {"name": "ping", "description": "Ping"})
    again = await bot.http.upsert_global_command(bot.application_id, {"name": "ping", "description": "Pong"})
    assert made["id"] == again["id"]
    paths = [each["command"] for each in place.world.commands.paths(place.guild.id)]
    assert "ping" in paths
    assert "drill start" in paths
    edited = await bot.http.edit_global_command(bot.application_id, int(made["id"]), {"name": "pong"})
    assert edited["name"] == "pong"
    await bot.http.delete_global_command(bot.application_id, int(made["id"]))
    assert await bot.http.get_global_commands(bot.application_id) == []
    with pytest.raises(discord.NotFound) as gone:
        await bot.http.get_global_command(bot.application_id, int(made["id"]))
    assert gone.value.code == 10063


async def test_a_sub_command_that_was_dropped_still_answers_old_menus(place: Place, bot: LoopbackBot) -> None:
    group = bot.tree.get_command("drill", guild=bot.guilds[0])
    assert isinstance(group, discord.app_commands.Group)
    start = group.get_command("start")
    group.remove_command("start")
    await bot.tree.sync(guild=bot.guilds[0])
    gone = await refused(place.quartz.slash("drill start", place.text, {"crew": 1}))
    assert "/drill report" in gone
    assert isinstance(start, discord.app_commands.Command)
    group.add_command(start)
    outcome = await place.quartz.slash("drill start", place.text, {"crew": 1}, stale=True)
    assert outcome.kind == "message"


async def test_guilds_roles_channels_and_members(place: Place, bot: LoopbackBot) -> None:
    role = next(each for each in place.guild.roles.values() if each.managed)
    role.permissions |= (1 << 4) | (1 << 28) | (1 << 22) | (1 << 23) | (1 << 27)
    guild = await bot.fetch_guild(place.guild.id)
    assert guild.name == "Ember Prospectors"
    assert [each.name async for each in bot.fetch_guilds()] == ["Ember Prospectors"]
    assert {each.name for each in await guild.fetch_channels()} >= {"Drill", "drill-ops", "Dispatch"}
    assert len([each async for each in guild.fetch_members()]) == 4
    made = await guild.create_role(name="Pilot", permissions=discord.Permissions(0))
    await made.edit(name="Ace")
    member = await guild.fetch_member(place.quartz.id)
    await member.add_roles(made)
    await member.edit(nick="Q")
    assert place.quartz.member.nick == "Q"
    assert made.id in place.quartz.member.roles
    await member.remove_roles(made)
    await made.delete()
    crew = await guild.create_voice_channel("Crew")
    await crew.edit(user_limit=4)
    await crew.edit(overwrites={guild.default_role: discord.PermissionOverwrite(speak=False)})
    assert place.guild.channels[crew.id].overwrites[place.guild.id].deny == 1 << 21
    assert place.guild.channels[crew.id].user_limit == 4
    await place.quartz.join(place.dispatch)
    await member.move_to(crew)
    assert place.quartz.channel_id == crew.id
    await member.edit(mute=True)
    await member.move_to(None)
    assert place.quartz.channel_id is None
    await crew.delete()
    assert crew.id not in place.guild.channels


async def test_missing_permissions_and_unknown_things_have_discords_codes(
    place: Place, bot: LoopbackBot
) -> None:
    guild = bot.guilds[0]
    with pytest.raises(discord.Forbidden) as forbidden:
        await guild.create_role(name="Pilot")
    assert forbidden.value.code == 50013
    for call, code in (
        (bot.fetch_channel(1), 10003),
        (bot.fetch_guild(1), 10004),
        (bot.fetch_user(1), 10013),
        (guild.fetch_member(1), 10007),
    ):
        with pytest.raises(discord.NotFound) as missing:
            await call
        assert missing.value.code == code
    place.world.create_guild("Elsewhere", owner="obsidian", bot=False)
    with pytest.raises(discord.Forbidden) as elsewhere:
        await bot.fetch_guild(list(place.world.guilds)[1])
    assert elsewhere.value.code == 50001


@pytest.mark.parametrize(
    ("request_line", "body", "status", "code"),
    [
        ("GET /nowhere", None, 404, 0),
        ("POST /channels/x/messages", {"content": "a"}, 400, 50035),
        ("PUT /applications/{app}/commands", {"name": "x"}, 400, 50035),
        ("PUT /applications/{app}/commands", [{"name": "Bad Name", "description": "x"}], 400, 50035),
        ("POST /users/@me/channels", {"recipient_id": "opal"}, 400, 50035),
        ("POST /webhooks/{app}/wrong", {"content": "a"}, 404, 10015),
    ],
)
async def test_bad_requests_have_discords_shape(
    place: Place, request_line: str, body: Any, status: int, code: int
) -> None:
    method, path = request_line.split()
    url = place.server.addresses.rest + path.format(app=place.world.application_id)
    headers = {"Authorization": f"Bot {place.world.token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        answer = await http.request(method, url, json=body)
        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/json"
        error = await answer.json()
        assert error["code"] == code
        assert error["message"]


async def test_broken_json_and_a_missing_token(place: Place) -> None:
    url = f"{place.server.addresses.rest}/channels/{place.text.id}/messages"
    async with aiohttp.ClientSession() as http:
        async with http.post(url, data=b"{", headers={"Authorization": f"Bot {place.world.token}"}) as answer:
            assert (await answer.json())["code"] == 50109
        async with http.post(url, json={"content": "a"}) as answer:
            assert answer.status == 401


async def test_without_the_content_intent_words_of_others_are_hidden(place: Place) -> None:
    intents = discord.Intents.default()
    bot = LoopbackBot(place.server, intents=intents)
    await bot.begin(place.world.token)
    seen: list[str] = []
    try:
        bot.add_listener(collect(seen), "on_message")
        await place.quartz.send(place.text, "secret")
        await place.quartz.send(place.text, f"hello <@{place.world.bot_user.id}>")
        await eventually(lambda: len(seen) == 2)
        assert seen[0] == ""
        assert seen[1].startswith("hello")
    finally:
        await bot.end()


def collect(seen: list[str]) -> Any:
    async def on_message(message: discord.Message) -> None:
        seen.append(message.content)

    return on_message
