"""Threads and forums, through discord.py's own calls."""

from __future__ import annotations

import io

import discord
from support.loopback import LoopbackBot, Place, eventually, refused
from support.resource_stage import ADMINISTRATOR, code_of, grant, guild_of, heard, text_of

from sandbox.server.channels import Overwrite

MANAGE_THREADS, MANAGE_CHANNELS = 1 << 34, 1 << 4


async def test_a_thread_is_started_from_a_message_and_written_in(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    said = await channel.send("Where to?")
    thread = await said.create_thread(name="Where", auto_archive_duration=60, slowmode_delay=2)
    assert (thread.id, thread.name, thread.auto_archive_duration) == (said.id, "Where", 60)
    assert await code_of(said.create_thread(name="Again")) == 160004
    await thread.send("Yela")
    await place.quartz.send(thread.id, "Daymar")
    words = [each.content async for each in thread.history(oldest_first=True)]
    assert words == ["", "Yela", "Daymar"]
    again = await channel.fetch_message(said.id)
    assert again.flags.has_thread
    assert again.thread is not None
    assert place.world.channels[thread.id].thread.message_count == 2  # type: ignore[union-attr]
    await eventually(lambda: bot.get_channel(thread.id))
    assert bot.count["thread_create"] == 1


async def test_members_come_and_go(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    thread = await channel.create_thread(name="Crew", type=discord.ChannelType.public_thread)
    assert [each["type"] for each in place.world.messages(channel.id)] == [18]
    quartz = await guild_of(place, bot).fetch_member(place.quartz.id)
    await thread.add_user(quartz)
    assert {each.id for each in await thread.fetch_members()} == {place.world.bot_user.id, quartz.id}
    assert (await thread.fetch_member(quartz.id)).id == quartz.id
    assert await code_of(thread.remove_user(quartz)) == 50013
    grant(place, MANAGE_THREADS)
    await thread.remove_user(quartz)
    assert await code_of(thread.fetch_member(quartz.id)) == 10007
    await thread.leave()
    await thread.join()
    await bot.until("thread_join")
    assert len(heard(place, "THREAD_MEMBERS_UPDATE")) == 4


async def test_private_threads_are_seen_by_their_members_only(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    secret = await channel.create_thread(name="Secret", invitable=False)
    assert secret.is_private()
    with_quartz = place.world.channels[secret.id]
    place.world.threads.join(with_quartz, place.quartz.id)
    place.world.threads.leave(with_quartz, place.world.bot_user.id)
    assert await code_of(bot.fetch_channel(secret.id)) == 50001
    unheard = len(heard(place, "MESSAGE_CREATE"))
    await place.quartz.send(secret.id, "psst")
    assert len(heard(place, "MESSAGE_CREATE")) == unheard
    grant(place, MANAGE_THREADS)
    assert (await bot.fetch_channel(secret.id)).id == secret.id


async def test_archiving_locking_and_the_lists(place: Place, bot: LoopbackBot) -> None:
    grant(place, ADMINISTRATOR)
    guild, channel = guild_of(place, bot), text_of(place, bot)
    threads = [
        await channel.create_thread(
            name=f"T{n}", type=discord.ChannelType.public_thread, auto_archive_duration=60
        )
        for n in range(3)
    ]
    hidden = await channel.create_thread(name="H")
    assert {each.id for each in await guild.active_threads()} == {hidden.id, *(each.id for each in threads)}
    await place.world.clock.advance(3599)
    await threads[2].send("busy")
    await place.world.clock.advance(2)
    assert {each.name for each in await guild.active_threads()} == {"H", "T2"}
    archived = [each async for each in channel.archived_threads()]
    assert [each.name for each in archived] == ["T1", "T0"]
    await hidden.edit(archived=True)
    assert [each.name async for each in channel.archived_threads(private=True)] == ["H"]
    assert [each.name async for each in channel.archived_threads(private=True, joined=True)] == ["H"]
    await threads[0].send("awake")
    assert not place.world.channels[threads[0].id].thread.archived  # type: ignore[union-attr]
    await threads[0].edit(name="Zero", archived=True, locked=True, reason="done")
    assert await code_of(threads[0].edit(name="One")) == 50083
    member = await guild.fetch_member(place.quartz.id)
    assert await code_of(threads[0].add_user(member)) == 50083
    await threads[1].delete()
    await bot.until("raw_thread_delete")
    names = [each.action.name async for each in guild.audit_logs(limit=3)]
    assert names == ["thread_delete", "thread_update", "thread_update"]


async def test_a_locked_thread_takes_no_words_from_who_does_not_manage_it(
    place: Place, bot: LoopbackBot
) -> None:
    thread = await text_of(place, bot).create_thread(name="T", type=discord.ChannelType.public_thread)
    shut = place.world.channels[thread.id]
    assert shut.thread is not None
    shut.thread.locked = True
    place.world.threads.archive(shut, archived=True)
    assert await code_of(thread.send("let me in")) == 50083
    assert "is locked" in await refused(place.quartz.send(thread.id, "let me in"))
    assert await code_of(thread.delete()) == 50013


async def test_posts_of_a_forum(place: Place, bot: LoopbackBot) -> None:
    grant(place, MANAGE_CHANNELS)
    forum = await guild_of(place, bot).create_forum("ideas", available_tags=[discord.ForumTag(name="ship")])
    tag = forum.available_tags[0]
    post = await forum.create_thread(name="Carrack", content="Buy one", applied_tags=[tag])
    assert post.message.id == post.thread.id
    assert post.message.content == "Buy one"
    assert post.thread.applied_tags == [tag]
    with_file = await forum.create_thread(
        name="Picture", content="x", file=discord.File(io.BytesIO(b"x"), "x.txt")
    )
    assert len(with_file.message.attachments) == 1
    await post.thread.send("too dear")
    assert place.world.channels[post.thread.id].thread.message_count == 1  # type: ignore[union-attr]
    assert (
        await code_of(bot.http.send_message(forum.id, params=discord.http.handle_message_parameters("x")))
        == 50008
    )
    wrong = {"name": "x", "message": {"content": "x"}, "applied_tags": ["5"]}
    route = discord.http.Route("POST", "/channels/{channel_id}/threads", channel_id=forum.id)
    assert await code_of(bot.http.request(route, json=wrong)) == 10087
    assert await code_of(bot.http.request(route, json={"name": "x"})) == 50035


async def test_a_slash_command_runs_in_a_thread(place: Place, bot: LoopbackBot) -> None:
    thread = await text_of(place, bot).create_thread(name="T", type=discord.ChannelType.public_thread)
    outcome = await place.quartz.slash("drill report", thread.id, {"ore": "gold"})
    assert (await outcome.final())["channel_id"] == str(thread.id)


async def test_threads_have_limits(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    for body in ({"name": ""}, {"name": "x" * 101}, {}, {"name": "x", "auto_archive_duration": 61},
                 {"name": "x", "rate_limit_per_user": 21_601}, {"name": "x", "type": 7}):  # fmt: skip
        route = discord.http.Route("POST", "/channels/{channel_id}/threads", channel_id=channel.id)
        assert await code_of(bot.http.request(route, json=body)) == 50035, body
    dispatch = bot.get_channel(place.dispatch.id)
    assert dispatch is not None
    route = discord.http.Route("POST", "/channels/{channel_id}/threads", channel_id=dispatch.id)
    assert await code_of(bot.http.request(route, json={"name": "x"})) == 50024


async def test_threads_of_a_channel_that_opens_are_told(place: Place, bot: LoopbackBot) -> None:
    place.text.overwrites[place.guild.id] = Overwrite(place.guild.id, 0, 0, 1 << 10)
    place.guild.update_channel(place.text)
    owner = place.world.person(place.guild.id, place.guild.owner_id)
    thread = await owner.start_thread(place.text, "Hidden", text="x")
    assert heard(place, "THREAD_CREATE") == []
    del place.text.overwrites[place.guild.id]
    place.guild.update_channel(place.text)
    await eventually(lambda: guild_of(place, bot).get_thread(int(thread["id"])))
    assert [each["channel_ids"] for each in heard(place, "THREAD_LIST_SYNC")] == [[str(place.text.id)]]


async def test_what_a_deleted_thread_leaves(place: Place, bot: LoopbackBot) -> None:
    grant(place, MANAGE_THREADS)
    said = await text_of(place, bot).send("Where to?")
    thread = await said.create_thread(name="Where")
    await thread.delete()
    again = await said.channel.fetch_message(said.id)
    assert (again.flags.has_thread, place.guild.threads) == (False, {})
    assert await code_of(thread.send("x")) == 10003


async def test_the_bots_role_goes_with_it(place: Place, bot: LoopbackBot) -> None:
    await guild_of(place, bot).leave()
    assert place.guild.bot_role is None
    assert [each.name for each in place.guild.ranked_roles()] == ["@everyone", "Officer"]
    place.guild.add_bot()
    await bot.until("guild_join")
    assert place.guild.bot_role is not None
