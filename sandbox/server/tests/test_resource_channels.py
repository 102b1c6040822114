"""Channels, overwrites and the whole guild, through discord.py's own calls."""

from __future__ import annotations

import io

import discord
from support.loopback import LoopbackBot, Place, eventually
from support.resource_stage import ADMINISTRATOR, code_of, grant, guild_of, heard, take, text_of

from sandbox.server.channels import Overwrite

VIEW, SEND, EMBED, ATTACH, HISTORY = 1 << 10, 1 << 11, 1 << 14, 1 << 15, 1 << 16
MANAGE_CHANNELS, MANAGE_ROLES, MANAGE_GUILD = 1 << 4, 1 << 28, 1 << 5


async def test_channels_of_each_kind_are_made_changed_moved_and_removed(
    place: Place, bot: LoopbackBot
) -> None:
    grant(place, ADMINISTRATOR)
    guild = guild_of(place, bot)
    category = await guild.create_category("Wing")
    text = await category.create_text_channel("Flight Plans", topic="where to", slowmode_delay=5, nsfw=True)
    assert (text.name, text.topic, text.slowmode_delay, text.nsfw) == ("flight-plans", "where to", 5, True)
    voice = await category.create_voice_channel("Cockpit", user_limit=3, bitrate=32_000)
    assert (voice.user_limit, voice.bitrate) == (3, 32_000)
    stage = await guild.create_stage_channel("Briefing")
    forum = await guild.create_forum(
        "ideas", available_tags=[discord.ForumTag(name="ship", emoji="🚀")], topic="tell"
    )
    assert [each.name for each in forum.available_tags] == ["ship"]
    await eventually(lambda: category.channels == [text, voice])
    edited = await text.edit(name="Plans B", topic=None, category=None)
    assert edited is not None
    assert (edited.name, edited.topic, edited.category_id) == ("plans-b", None, None)
    await voice.move(beginning=True, sync_permissions=True)
    await text.move(end=True)
    await category.delete()
    await eventually(lambda: getattr(guild.get_channel(voice.id), "category_id", 1) is None)
    for each in (stage, forum, voice):
        await each.delete()
    assert place.guild.channel_named("plans-b").id == text.id
    assert len(heard(place, "CHANNEL_DELETE")) == 4


async def test_overwrites_follow_the_category_and_can_be_set_one_by_one(
    place: Place, bot: LoopbackBot
) -> None:
    grant(place, MANAGE_CHANNELS, MANAGE_ROLES)
    guild = guild_of(place, bot)
    everyone, quartz = guild.default_role, await guild.fetch_member(place.quartz.id)
    hidden = {
        everyone: discord.PermissionOverwrite(send_messages=False),
        guild.me: discord.PermissionOverwrite(send_messages=True),
    }
    category = await guild.create_category("Quiet", overwrites=hidden)
    inside = await category.create_text_channel("inside")
    assert inside.overwrites == category.overwrites
    assert inside.permissions_synced
    await inside.set_permissions(quartz, send_messages=True, reason="may speak")
    assert place.guild.channels[inside.id].overwrites[quartz.id].allow == SEND
    await inside.set_permissions(quartz, overwrite=None)
    assert quartz.id not in place.guild.channels[inside.id].overwrites
    forbidden = discord.PermissionOverwrite(manage_guild=True)
    assert await code_of(inside.set_permissions(quartz, overwrite=forbidden)) == 50013
    assert await code_of(bot.http.delete_channel_permissions(inside.id, quartz.id)) == 10009
    gone = {"allow": "0", "deny": "0", "type": 0}
    assert await code_of(bot.http.edit_channel_permissions(inside.id, 5, **gone)) == 10009  # type: ignore[arg-type]


async def test_a_hidden_channel_is_closed_and_silent(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    said = await place.quartz.send(place.text, "before")
    place.text.overwrites[place.guild.id] = Overwrite(place.guild.id, 0, 0, VIEW)
    place.guild.update_channel(place.text)
    unheard = len(heard(place, "MESSAGE_CREATE"))
    owner = place.world.person(place.guild.id, place.guild.owner_id)
    await owner.send(place.text, "unheard")
    assert len(heard(place, "MESSAGE_CREATE")) == unheard
    for call in (
        bot.fetch_channel(channel.id),
        channel.send("x"),
        channel.fetch_message(int(said["id"])),
        channel.typing(),
        channel.create_invite(),
        channel.edit(name="x"),
    ):
        assert await code_of(call) == 50001


async def test_each_way_of_writing_needs_its_permission(place: Place, bot: LoopbackBot) -> None:
    channel = text_of(place, bot)
    take(place, EMBED)
    assert await code_of(channel.send(embed=discord.Embed(title="a"))) == 50013
    take(place, ATTACH)
    assert await code_of(channel.send(file=discord.File(io.BytesIO(b"x"), "x.txt"))) == 50013
    take(place, HISTORY)
    assert [each async for each in channel.history()] == []
    said = await channel.send("still")
    assert await code_of(channel.fetch_message(said.id)) == 50013
    take(place, SEND)
    assert await code_of(channel.send("no more")) == 50013
    assert await code_of(channel.typing()) == 50013


async def test_channels_have_limits(place: Place, bot: LoopbackBot) -> None:
    grant(place, ADMINISTRATOR)
    guild = guild_of(place, bot)
    category = bot.get_channel(place.text.parent_id or 0)
    assert isinstance(category, discord.CategoryChannel)
    for call in (
        guild.create_text_channel("x" * 101),
        guild.create_text_channel("x", topic="t" * 1025),
        guild.create_text_channel("x", slowmode_delay=21_601),
        guild.create_voice_channel("x", user_limit=100),
        guild.create_voice_channel("x", bitrate=7_999),
        bot.http.create_channel(guild.id, 99, name="x"),  # type: ignore[arg-type]
        bot.http.create_channel(guild.id, 0, name="x", parent_id=str(place.text.id)),
    ):
        assert await code_of(call) == 50035
    for number in range(50 - len(category.channels)):
        place.guild.create_channel(f"c{number}", parent=place.guild.channels[category.id])
    assert await code_of(category.create_text_channel("one more")) == 50035
    for number in range(500 - len(place.guild.channels)):
        place.guild.create_channel(f"d{number}")
    assert await code_of(guild.create_text_channel("one more")) == 30013


async def test_the_guild_itself(place: Place, bot: LoopbackBot) -> None:
    guild = guild_of(place, bot)
    assert await code_of(guild.edit(name="Other")) == 50013
    grant(place, MANAGE_GUILD, 1 << 7)
    afk = bot.get_channel(place.alpha.id)
    assert isinstance(afk, discord.VoiceChannel)
    edited = await guild.edit(
        name="Basalt Haulers",
        afk_channel=afk,
        afk_timeout=900,
        system_channel=text_of(place, bot),
        verification_level=discord.VerificationLevel.high,
        description="We haul",
        reason="new name",
    )
    assert (edited.name, edited.afk_timeout, edited.description) == ("Basalt Haulers", 900, "We haul")
    await eventually(lambda: guild.name == "Basalt Haulers" and guild.afk_channel == afk)
    assert guild.system_channel == text_of(place, bot)
    assert guild.verification_level is discord.VerificationLevel.high
    assert await code_of(bot.http.edit_guild(guild.id, name="x")) == 50035
    assert await code_of(bot.http.edit_guild(guild.id, afk_timeout=7)) == 50035
    assert (await bot.fetch_guild(guild.id, with_counts=True)).approximate_member_count == 4
    assert (await bot.fetch_guild_preview(guild.id)).approximate_member_count == 4
    assert await code_of(bot.fetch_guild_preview(1)) == 10004
    (entry,) = [each async for each in guild.audit_logs(action=discord.AuditLogAction.guild_update)]
    assert (entry.before.name, entry.after.name, entry.reason) == (
        "Ember Prospectors",
        "Basalt Haulers",
        "new name",
    )
