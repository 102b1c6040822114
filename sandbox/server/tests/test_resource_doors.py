"""Webhooks, invites, scheduled events and command permissions, through discord.py's own calls."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually
from support.resource_stage import ADMINISTRATOR, code_of, grant, guild_of, heard, text_of

from sandbox.server import Refused, events
from sandbox.server.command_permissions import CHANNEL, ROLE, USER, Rule

MANAGE_WEBHOOKS, MANAGE_CHANNELS, MANAGE_GUILD, CREATE_INVITE = 1 << 29, 1 << 4, 1 << 5, 1


async def test_a_webhook_writes_under_any_name(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    assert await code_of(channel.create_webhook(name="News")) == 50013
    grant(place, MANAGE_WEBHOOKS)
    hook = await channel.create_webhook(name="News", reason="for news")
    await bot.until("webhooks_update")
    said = await hook.send("First", wait=True, username="Herald", embed=discord.Embed(title="x"))
    assert (said.author.name, said.webhook_id, said.author.bot) == ("Herald", hook.id, True)
    await bot.until("message")
    await hook.send("Second")
    assert (await hook.fetch_message(said.id)).content == "First"
    edited = await hook.edit_message(said.id, content="Changed")
    assert edited.content == "Changed"
    await hook.delete_message(said.id)
    assert [each["content"] for each in place.world.messages(channel.id)] == ["Second"]
    thread = await channel.create_thread(name="T", type=discord.ChannelType.public_thread)
    await hook.send("inside", thread=thread)
    assert place.world.messages(thread.id)[-1]["content"] == "inside"
    other = bot.get_channel(place.alpha.id)
    assert isinstance(other, discord.VoiceChannel)
    await hook.edit(name="Other", channel=other)
    assert [each.name for each in await other.webhooks()] == ["Other"]
    assert [each.id for each in await guild_of(place, bot).webhooks()] == [hook.id]
    assert (await bot.fetch_webhook(hook.id)).token == hook.token
    await hook.delete()
    assert await code_of(bot.fetch_webhook(hook.id)) == 10015


async def test_the_token_is_enough(place: Place, bot: LoopbackBot) -> None:
    grant(place, MANAGE_WEBHOOKS)
    hook = await text_of(place, bot).create_webhook(name="News")
    assert hook.token is not None
    async with aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(place.server.addresses.socket))
    ) as http:
        stranger = discord.Webhook.partial(hook.id, hook.token, session=http)
        await stranger.send("hello")
        assert (await stranger.fetch()).user is None
        assert await code_of(stranger.send("x" * 2001)) == 50035
        assert await code_of(stranger.send("x", username="My Clyde")) == 50035
        assert await code_of(stranger.send("x", thread_name="T")) == 220_003
        wrong = discord.Webhook.partial(hook.id, "x" * 68, session=http)
        assert await code_of(wrong.send("x")) == 50027
        unknown = discord.Webhook.partial(5, hook.token, session=http)
        assert await code_of(unknown.send("x")) == 10015
        await stranger.delete()
    assert place.world.webhooks.by_id == {}


async def test_webhooks_have_limits_and_post_to_forums(place: Place, bot: LoopbackBot) -> None:
    grant(place, ADMINISTRATOR)
    channel = text_of(place, bot)
    for name in ("", "x" * 81, "clyde", "Discord news"):
        assert await code_of(channel.create_webhook(name=name)) == 50035, name
    for number in range(15):
        await channel.create_webhook(name=str(number))
    assert await code_of(channel.create_webhook(name="one more")) == 30007
    forum = await guild_of(place, bot).create_forum("ideas")
    hook = await forum.create_webhook(name="Ideas")
    assert await code_of(hook.send("x")) == 220_001
    post = await hook.send("Buy one", thread_name="Carrack", wait=True)
    assert post.id == post.channel.id


async def test_invites(place: Place, bot: LoopbackBot) -> None:
    channel, guild = text_of(place, bot), guild_of(place, bot)
    invite = await channel.create_invite(max_age=3600, max_uses=1, unique=True, reason="friends")
    assert (invite.max_age, invite.max_uses, invite.uses) == (3600, 1, 0)
    assert (await channel.create_invite(max_age=60, unique=False)).code == (
        await channel.create_invite(max_age=60, unique=False)
    ).code
    assert await code_of(guild.invites()) == 50013
    assert await code_of(invite.delete()) == 50013
    grant(place, MANAGE_GUILD, MANAGE_CHANNELS)
    again = await channel.create_invite()
    await bot.until("invite_create")
    assert len(await guild.invites()) == 3
    assert len(await channel.invites()) == 3
    found = await bot.fetch_invite(invite.code)
    assert (found.approximate_member_count, found.guild.name) == (4, "Ember Prospectors")  # type: ignore[union-attr]
    newcomer = place.world.invites.accept(invite.code, "newcomer")
    assert newcomer.id in place.guild.members
    assert await code_of(bot.fetch_invite(invite.code)) == 10006
    with pytest.raises(Refused, match="no invite"):
        place.world.invites.accept(invite.code, "late")
    await again.delete(reason="enough")
    await place.world.clock.advance(61)
    assert await guild.invites() == []
    assert len(heard(place, "INVITE_DELETE")) == 2
    for wrong in ({"max_age": -1}, {"max_uses": 101}, {"max_age": "x"}, {"temporary": "x"}):
        route = discord.http.Route("POST", "/channels/{channel_id}/invites", channel_id=channel.id)
        assert await code_of(bot.http.request(route, json=wrong)) == 50035, wrong


async def test_scheduled_events(place: Place, bot: LoopbackBot) -> None:
    guild = guild_of(place, bot)
    start = place.world.clock.now() + timedelta(hours=1)
    voice = bot.get_channel(place.dispatch.id)
    assert isinstance(voice, discord.VoiceChannel)
    event = await guild.create_scheduled_event(
        name="Sunday",
        start_time=start,
        channel=voice,
        description="ores",
        privacy_level=discord.PrivacyLevel.guild_only,
    )
    outside = await guild.create_scheduled_event(
        name="Bar", start_time=start, end_time=start + timedelta(hours=1), location="Orison",
        entity_type=discord.EntityType.external, privacy_level=discord.PrivacyLevel.guild_only,
    )  # fmt: skip
    await bot.until("scheduled_event_create", 2)
    stored = place.guild.events[event.id]
    events.interest(place.guild, stored, place.quartz.id, shown=True)
    await bot.until("scheduled_event_user_add")
    fetched = await guild.fetch_scheduled_event(event.id, with_counts=True)
    assert (fetched.user_count, fetched.description, fetched.channel) == (2, "ores", voice)
    assert {each.id async for each in fetched.users()} == {place.quartz.id, place.world.bot_user.id}
    events.interest(place.guild, stored, place.quartz.id, shown=False)
    await event.edit(name="Sunday run", status=discord.EventStatus.active)
    assert await code_of(event.edit(status=discord.EventStatus.scheduled)) == 50035
    await event.edit(status=discord.EventStatus.completed, reason="done")
    assert [each.name for each in await guild.fetch_scheduled_events()] == ["Bar"]
    assert await code_of(guild.fetch_scheduled_event(event.id)) == 10070
    await outside.delete()
    await bot.until("scheduled_event_delete")
    counted = {name: bot.count[f"scheduled_event_{name}"] for name in ("update", "user_remove")}
    assert counted == {"update": 2, "user_remove": 1}


async def test_events_have_limits(place: Place, bot: LoopbackBot) -> None:
    now = place.world.clock.now()
    later, past = (now + timedelta(hours=1)).isoformat(), (now - timedelta(hours=1)).isoformat()
    good = {"name": "x", "privacy_level": 2, "entity_type": 2, "scheduled_start_time": later,
            "channel_id": str(place.dispatch.id)}  # fmt: skip
    route = discord.http.Route("POST", "/guilds/{guild_id}/scheduled-events", guild_id=place.guild.id)
    outside = {**good, "entity_type": 3, "channel_id": None, "scheduled_end_time": later}
    for wrong in (
        {**good, "name": ""}, {**good, "name": "x" * 101}, {**good, "description": "x" * 1001},
        {**good, "privacy_level": 1}, {**good, "entity_type": 4}, {**good, "scheduled_start_time": past},
        {**good, "scheduled_start_time": "soon"}, {**good, "channel_id": None},
        {**good, "channel_id": str(place.text.id)}, {**good, "scheduled_end_time": past},
        {**outside, "scheduled_end_time": None}, outside,
        {**outside, "entity_metadata": {"location": "x" * 101}},
    ):  # fmt: skip
        assert await code_of(bot.http.request(route, json=wrong)) == 50035, wrong
    assert await code_of(bot.http.request(route, json={**good, "channel_id": "5"})) == 10003
    for _ in range(100):
        await bot.http.request(route, json=good)
    assert await code_of(bot.http.request(route, json=good)) == 30038


async def test_command_permissions_are_read_by_bots_and_set_by_people(place: Place, bot: LoopbackBot) -> None:
    guild = guild_of(place, bot)
    command = (await bot.tree.fetch_commands(guild=guild))[0]
    rules = place.world.command_permissions
    assert await code_of(command.fetch_permissions(guild)) == 10066
    rules.set(
        place.guild, command.id, (Rule(place.beryl.id, USER, False), Rule(place.text.id, CHANNEL, True))
    )
    await bot.until("raw_app_command_permissions_update")
    fetched = await command.fetch_permissions(guild)
    assert [(each.id, each.permission) for each in fetched.permissions] == [
        (place.beryl.id, False),
        (place.text.id, True),
    ]
    assert (await place.quartz.slash("drill start", place.text, {"crew": 1})).kind == "message"
    with pytest.raises(Refused, match="lacks"):
        await place.beryl.slash("drill start", place.text, {"crew": 1})
    officer = next(each for each in place.guild.roles.values() if each.name == "Officer")
    rules.set(
        place.guild,
        place.world.application_id,
        (Rule(place.guild.id, ROLE, False), Rule(officer.id, ROLE, True)),
    )
    rules.set(place.guild, command.id, ())
    assert (await place.quartz.slash("drill start", place.text, {"crew": 1})).kind == "message"
    with pytest.raises(Refused, match="lacks"):
        await place.beryl.slash("drill start", place.text, {"crew": 1})
    url = f"/applications/{bot.application_id}/guilds/{guild.id}/commands/{command.id}/permissions"
    body = {"permissions": [{"id": str(place.beryl.id), "type": 2, "permission": True}]}
    assert await code_of(bot.http.request(discord.http.Route("PUT", url), json=body)) == 20001
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {place.world.bearer}"}) as http:
        address = place.server.addresses.rest + url
        async with http.put(address, json=body) as answer:
            assert answer.status == 200
        async with http.put(address, json={"permissions": [{"id": "x", "type": 9}]}) as answer:
            assert (await answer.json())["code"] == 50035
    assert (await place.beryl.slash("drill start", place.text, {"crew": 1})).kind == "message"


async def test_what_goes_with_a_channel(place: Place, bot: LoopbackBot) -> None:
    grant(place, ADMINISTRATOR)
    channel = text_of(place, bot)
    await channel.create_webhook(name="News")
    await channel.create_invite()
    await channel.create_thread(name="T", type=discord.ChannelType.public_thread)
    await eventually(lambda: channel.threads)
    await channel.delete()
    await eventually(lambda: bot.get_channel(channel.id) is None)
    assert (place.guild.threads, place.world.webhooks.by_id) == ({}, {})
    assert place.world.invites.of_guild(place.guild) == []
