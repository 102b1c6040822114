"""History, bulk deletion, pins, reactions, emojis and direct messages, through discord.py's own calls."""

from __future__ import annotations

import base64

import discord
from support.loopback import LoopbackBot, Place, eventually
from support.resource_stage import ADMINISTRATOR, code_of, grant, guild_of, heard, take, text_of

PIN_MESSAGES, ADD_REACTIONS, MANAGE_MESSAGES, VIEW_AUDIT_LOG = 1 << 51, 1 << 6, 1 << 13, 1 << 7
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def test_history_is_paged_in_each_direction(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    said = [await channel.send(str(number)) for number in range(12)]

    async def read(**how: object) -> list[int]:
        return [int(each.content) async for each in channel.history(**how)]  # type: ignore[arg-type]

    assert await read() == list(range(11, -1, -1))
    assert await read(limit=3) == [11, 10, 9]
    assert await read(limit=3, before=said[5]) == [4, 3, 2]
    assert await read(limit=3, after=said[5]) == [6, 7, 8]
    assert await read(limit=5, around=said[5]) == [7, 6, 5, 4, 3]
    assert await read(oldest_first=True, limit=2) == [0, 1]
    raw = bot.http
    assert await code_of(raw.logs_from(channel.id, 101)) == 50035
    assert await code_of(raw.logs_from(channel.id, 0)) == 50035
    assert await code_of(raw.logs_from(channel.id, 5, before="x")) == 50035  # type: ignore[arg-type]


async def test_many_are_deleted_at_once_unless_too_old(place: Place, bot: LoopbackBot) -> None:
    grant(place, VIEW_AUDIT_LOG)
    channel = text_of(place, bot)
    old = [await channel.send("old") for _ in range(2)]
    await place.world.clock.advance(15 * 86_400)
    new = [await channel.send("new") for _ in range(3)]
    assert await code_of(channel.delete_messages([*old, *new])) == 50034
    await channel.delete_messages(new)
    await eventually(lambda: bot.count["raw_bulk_message_delete"])
    assert [each["content"] for each in place.world.messages(channel.id)] == ["old", "old"]
    assert await code_of(bot.http.delete_messages(channel.id, [1])) == 50035
    take(place, MANAGE_MESSAGES)
    assert await code_of(channel.delete_messages(old)) == 50013


async def test_pins_by_the_new_routes_and_the_old(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    said = [await channel.send(str(number)) for number in range(3)]
    for each in said:
        await each.pin(reason="keep")
        await place.world.clock.advance(1)
    assert [each.content async for each in channel.pins()] == ["2", "1", "0"]
    assert (await channel.fetch_message(said[0].id)).pinned
    await bot.until("guild_channel_pins_update", 3)
    notes = [each for each in place.world.messages(channel.id) if each["type"] == 6]
    assert [each["message_reference"]["message_id"] for each in notes] == [str(each.id) for each in said]
    await said[1].unpin()
    route = discord.http.Route("GET", "/channels/{channel_id}/pins", channel_id=channel.id)
    assert [each["content"] for each in await bot.http.request(route)] == ["2", "0"]
    route = discord.http.Route("PUT", f"/channels/{channel.id}/pins/{said[1].id}")
    await bot.http.request(route)
    assert len([each async for each in channel.pins(limit=2)]) == 2
    first = await channel.fetch_message(int(notes[0]["id"]))
    assert await code_of(first.pin()) == 50021
    for number in range(247):
        message = place.world.messages_room.create(place.text, place.quartz.user, {"content": str(number)})
        message.pinned = place.world.clock.now()
    one_more = await channel.send("x")
    assert await code_of(one_more.pin()) == 30003
    take(place, PIN_MESSAGES)
    assert await code_of(said[0].unpin()) == 50013


async def test_reactions_are_put_listed_and_taken_away(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    said = await channel.send("Vote")
    await said.add_reaction("👍")
    await said.add_reaction("1️⃣")
    thumb = bot.get_guild(place.guild.id)
    assert thumb is not None
    room, stored = place.world.reactions, place.world.messages_room.by_id[said.id]
    room.add(stored, place.quartz.id, stored.reactions["👍"].emoji)
    room.add(stored, place.beryl.id, stored.reactions["👍"].emoji)
    await bot.until("reaction_add", 4)
    fresh = await channel.fetch_message(said.id)
    assert [(str(each.emoji), each.count, each.me) for each in fresh.reactions] == [
        ("👍", 3, True),
        ("1️⃣", 1, True),
    ]
    users = {each.id async for each in fresh.reactions[0].users()}
    assert users == {place.quartz.id, place.beryl.id, place.world.bot_user.id}
    assert [each.id async for each in fresh.reactions[0].users(limit=1)] == [min(users)]
    quartz = await guild_of(place, bot).fetch_member(place.quartz.id)
    await said.remove_reaction("👍", quartz)
    await said.remove_reaction("👍", guild_of(place, bot).me)
    assert await code_of(said.remove_reaction("👍", quartz)) == 10014
    await said.clear_reaction("1️⃣")
    await said.clear_reactions()
    await bot.until("raw_reaction_clear")
    assert (bot.count["raw_reaction_remove"], bot.count["raw_reaction_clear_emoji"]) == (2, 1)
    assert (await channel.fetch_message(said.id)).reactions == []


async def test_what_cannot_be_a_reaction(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    said = await channel.send("Vote")
    for wrong in ("a", "thumbsup", "gold:123", "!", "é"):
        assert await code_of(said.add_reaction(wrong)) == 10014, wrong
    for number in range(20):
        await said.add_reaction(chr(0x1F400 + number))
    assert await code_of(said.add_reaction("👍")) == 30010
    await said.add_reaction(chr(0x1F400))
    take(place, ADD_REACTIONS)
    other = await channel.send("Other")
    assert await code_of(other.add_reaction("👍")) == 50013
    await said.add_reaction(chr(0x1F401))
    take(place, MANAGE_MESSAGES)
    assert await code_of(said.clear_reactions()) == 50013


async def test_emojis_of_the_guild(place: Place, bot: LoopbackBot) -> None:
    guild = guild_of(place, bot)
    assert await code_of(guild.create_custom_emoji(name="gold", image=PICTURE)) == 50013
    grant(place, ADMINISTRATOR)
    gold = await guild.create_custom_emoji(name="gold", image=PICTURE, reason="ore")
    await bot.until("guild_emojis_update")
    assert [each.id for each in guild.emojis] == [gold.id]
    said = await text_of(place, bot).send(f"{gold}")
    await said.add_reaction(gold)
    fresh = await said.channel.fetch_message(said.id)
    assert fresh.reactions[0].emoji == gold
    assert [each.id async for each in fresh.reactions[0].users()] == [place.world.bot_user.id]
    assert (await gold.edit(name="au")).name == "au"
    assert [each.name for each in await guild.fetch_emojis()] == ["au"]
    assert await gold.read() == PICTURE
    await gold.delete()
    assert await code_of(guild.fetch_emoji(gold.id)) == 10014
    assert await code_of(guild.create_custom_emoji(name="x", image=PICTURE)) == 50035
    assert await code_of(guild.create_custom_emoji(name="a b", image=PICTURE)) == 50035
    assert await code_of(bot.http.create_custom_emoji(guild.id, "gold", "no picture")) == 50035
    for number in range(50):
        await guild.create_custom_emoji(name=f"n{number}", image=PICTURE)
    assert await code_of(guild.create_custom_emoji(name="one_more", image=PICTURE)) == 30008


async def test_mentions_and_replies(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    said = await place.quartz.send(place.text, "Who comes?")
    asked = await channel.fetch_message(int(said["id"]))
    reply = await asked.reply("Me @everyone")
    assert [each.id for each in reply.mentions] == [place.quartz.id]
    assert not reply.mention_everyone
    quiet = await asked.reply("Me", mention_author=False)
    assert quiet.mentions == []
    grant(place, 1 << 17)
    assert (await channel.send("@here")).mention_everyone
    silent = await channel.send("@here", allowed_mentions=discord.AllowedMentions.none())
    assert not silent.mention_everyone
    elsewhere = place.guild.create_channel("elsewhere")
    await eventually(lambda: bot.get_channel(elsewhere.id))
    other = bot.get_channel(elsewhere.id)
    assert isinstance(other, discord.TextChannel)
    assert await code_of(other.send("x", reference=asked)) == 50035


async def test_direct_messages(place: Place, bot: LoopbackBot) -> None:
    quartz = await guild_of(place, bot).fetch_member(place.quartz.id)
    sent = await quartz.send("psst")
    assert isinstance(sent.channel, discord.DMChannel)
    await sent.add_reaction("👍")
    await sent.edit(content="hello")
    await sent.pin()
    assert [each.content async for each in sent.channel.pins()] == ["hello"]
    assert await code_of(bot.http.delete_messages(sent.channel.id, [sent.id, 5])) == 50003
    await sent.delete()
    assert {each.get("guild_id") for each in heard(place, "MESSAGE_REACTION_ADD")} == {None}
