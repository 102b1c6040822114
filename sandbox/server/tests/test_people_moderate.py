"""What people do to each other, to channels, events and messages, as a real bot hears of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually, refused

from sandbox.server import Person, permissions


@pytest.fixture
async def bot(place: Place) -> AsyncIterator[LoopbackBot]:
    bot = LoopbackBot(place.server)
    await bot.begin(place.world.token)
    yield bot
    await bot.end()


@pytest.fixture
def opal(place: Place) -> Person:
    return place.world.person(place.guild.id, place.guild.owner_id)


@pytest.fixture
def agate(place: Place) -> Person:
    """A moderator who stands above nobody but members without roles."""
    bits = (
        permissions.KICK_MEMBERS
        | permissions.BAN_MEMBERS
        | permissions.MOVE_MEMBERS
        | permissions.MUTE_MEMBERS
        | permissions.MANAGE_ROLES
        | permissions.MODERATE_MEMBERS
        | permissions.MANAGE_NICKNAMES
    )
    moderator = place.guild.create_role("Moderator", permissions=bits)
    above = place.guild.create_role("Above", permissions=bits)
    assert above.position > moderator.position
    return place.guild.add_member("agate", [moderator])


async def test_kick_ban_and_return(place: Place, bot: LoopbackBot, opal: Person, agate: Person) -> None:
    await place.beryl.join(place.dispatch)
    await agate.kick(place.beryl, "spam")
    await bot.until("member_remove")
    assert place.beryl.id not in place.guild.members
    assert place.guild.voice_states == {}
    again = place.guild.add_member("beryl")
    await again.send(place.text, "back")
    await agate.ban(again, "spam again", delete_seconds=60)
    await bot.until("member_ban")
    assert place.world.messages(place.text.id) == []
    assert await refused(agate.ban(place.beryl.id)) == "beryl is banned already"
    with pytest.raises(Exception, match="banned"):
        place.guild.add_member("beryl")
    await agate.unban(place.beryl.id)
    await bot.until("member_unban")
    assert await refused(agate.unban(place.beryl.id)) == "beryl is not banned"
    reasons = [each.reason for each in place.guild.audit.entries]
    assert reasons == ["spam", "spam again", None]


async def test_who_may_not_is_refused_in_words(place: Place, opal: Person, agate: Person) -> None:
    beryl, quartz = place.beryl, place.quartz
    assert await refused(beryl.kick(agate)) == "beryl may not kick members"
    assert "opal does not stand below them" in await refused(agate.kick(opal))
    assert "themselves" in await refused(agate.kick(agate))
    assert await refused(beryl.unban(1)) == "beryl may not lift bans"
    assert "no user 7" in await refused(agate.ban(7))
    assert "not a member" in await refused(agate.kick(7))
    assert await refused(beryl.create_channel("x")) == "beryl may not create channels"
    assert "may not invite bots" in await refused(beryl.invite_bot())
    assert "may not remove bots" in await refused(beryl.remove_bot())
    assert "sits in no voice channel" in await refused(agate.move_member(beryl, place.alpha))
    await beryl.join(place.dispatch)
    assert "may not move members out of Dispatch" in await refused(quartz.move_member(beryl, place.alpha))
    assert "not a voice channel" in await refused(agate.move_member(beryl, place.text))
    assert "may not deafen members" in await refused(agate.server_deafen(beryl))
    assert "28 days" in await refused(agate.time_out(beryl, 1e9))
    await opal.time_out(agate, 60)
    assert await refused(agate.kick(beryl)) == "agate may not kick members"
    await place.world.clock.advance(61)
    await agate.kick(beryl)
    assert "no longer a member" in await refused(beryl.nick("b"))


async def test_moderators_move_mute_and_put_out(place: Place, bot: LoopbackBot, agate: Person) -> None:
    place.alpha.user_limit = 1
    await place.quartz.join(place.alpha)
    await place.beryl.join(place.dispatch)
    await agate.move_member(place.beryl, place.alpha)
    assert place.beryl.channel_id == place.alpha.id
    await agate.server_mute(place.beryl)
    member = bot.guilds[0].get_member(place.beryl.id)
    assert member is not None
    assert await eventually(lambda: member.voice and member.voice.mute)
    await agate.server_mute(place.beryl, False)
    await agate.disconnect_member(place.beryl)
    assert place.beryl.channel_id is None
    await bot.until("voice_state_update", 6)
    actions = [int(each.action) for each in place.guild.audit.entries]
    assert actions == [26, 24, 24, 27]


async def test_moderators_move_the_bot_too(place: Place, agate: Person) -> None:
    world = place.world
    world.voice.move(place.guild, world.bot_user.id, place.dispatch.id)
    await agate.move_member(world.bot_user.id, place.alpha)
    assert place.guild.voice_states[world.bot_user.id].channel_id == place.alpha.id
    await agate.disconnect_member(world.bot_user.id)
    assert world.bot_user.id not in place.guild.voice_states


async def test_roles_and_nicknames(place: Place, bot: LoopbackBot, opal: Person, agate: Person) -> None:
    beryl = place.beryl
    officer = next(each for each in place.guild.roles.values() if each.name == "Officer")
    await agate.give_role(beryl, officer)
    await agate.give_role(beryl.id, str(officer.id))
    assert beryl.member.roles == [officer.id]
    member = bot.guilds[0].get_member(beryl.id)
    assert member is not None
    assert await eventually(lambda: [role.name for role in member.roles] == ["@everyone", "Officer"])
    await agate.take_role(beryl, officer)
    above = next(each for each in place.guild.roles.values() if each.name == "Above")
    assert "Above does not stand below" in await refused(agate.give_role(beryl, above))
    own = place.guild.bot_role
    assert own is not None
    assert "belongs to a bot" in await refused(opal.give_role(beryl, own))
    assert "no role" in await refused(opal.give_role(beryl, place.guild.id))
    await beryl.nick("Berry")
    await agate.nick("Bea", beryl)
    assert await eventually(lambda: member.nick == "Bea")
    assert "1 to 32" in await refused(beryl.nick("x" * 33))
    assert "opal does not stand below" in await refused(agate.nick("Boss", opal))
    await beryl.nick(None)
    assert await eventually(lambda: member.nick is None)
    made = await opal.create_role("Crew", permissions=permissions.SPEAK)
    assert "that its maker has" in await refused(agate.create_role("God", permissions=8))
    await opal.delete_role(made)
    assert made.id not in place.guild.roles


async def test_channels_come_change_and_go(place: Place, bot: LoopbackBot, opal: Person) -> None:
    category = place.guild.channel_named("Drill")
    made = await opal.create_channel("Bravo Two", 2, parent=category, user_limit=4)
    text = await opal.create_channel("Ore Prices", topic="today")
    assert (made.name, text.name) == ("Bravo Two", "ore-prices")
    await bot.until("guild_channel_create", 2)
    await opal.edit_channel(made, name="Bravo Three", user_limit=5)
    await bot.until("guild_channel_update")
    seen = bot.get_channel(made.id)
    assert isinstance(seen, discord.VoiceChannel)
    assert (seen.name, seen.user_limit) == ("Bravo Three", 5)
    await place.quartz.join(made)
    await opal.delete_channel(made)
    await bot.until("guild_channel_delete")
    assert place.quartz.channel_id is None
    assert "can be changed, not colour" in await refused(opal.edit_channel(text, colour=1))
    assert "cannot replace" in await refused(opal.edit_channel(text, user_limit="x"))
    assert "0 (none) to 99" in await refused(opal.edit_channel(text, user_limit=100))
    assert "only a category" in await refused(opal.create_channel("y", parent=text))
    assert "no channels of type 99" in await refused(opal.create_channel("y", 99))
    assert [int(each.action) for each in place.guild.audit.entries] == [10, 10, 11, 12]


async def test_events_are_made_run_and_found_interesting(
    place: Place, bot: LoopbackBot, opal: Person
) -> None:
    begins = place.world.clock.now() + timedelta(hours=2)
    event = await place.quartz.create_event("Sunday", begins, channel=place.dispatch, description="Ore")
    await bot.until("scheduled_event_create")
    assert bot.guilds[0].scheduled_events[0].name == "Sunday"
    await place.beryl.interest(event)
    await place.beryl.interest(str(event.id))
    await bot.until("scheduled_event_user_add")
    await place.beryl.interest(event, False)
    await bot.until("scheduled_event_user_remove")
    assert "may not change" in await refused(place.beryl.set_event(event, "active"))
    assert "active or canceled, not completed" in await refused(place.quartz.set_event(event, "completed"))
    await place.quartz.set_event(event, "active")
    await place.quartz.set_event(event, "completed")
    await bot.until("scheduled_event_update", 2)
    assert "no event" in await refused(place.beryl.interest(event))
    where = {"location": "Lyria", "end": (begins + timedelta(hours=1)).isoformat()}
    second = await opal.create_event("Trip", begins.isoformat(), **where)
    await opal.delete_event(second)
    await bot.until("scheduled_event_delete")
    assert "in the future" in await refused(opal.create_event("Late", place.world.clock.now()))
    assert "a location and an end" in await refused(opal.create_event("Where", begins))
    assert "no time" in await refused(opal.create_event("When", "soon"))
    assert "zone" in await refused(opal.create_event("When", "2030-01-01T00:00:00"))
    assert "not a voice channel" in await refused(opal.create_event("Where", begins, channel=place.text))
    assert "may not create events" in await refused(place.beryl.create_event("Mine", begins))


async def test_reactions_pins_edits_and_deletions(place: Place, bot: LoopbackBot, opal: Person) -> None:
    said = await place.quartz.send(place.text, "hello")
    await place.beryl.react(said["id"], "⛏️")
    await place.beryl.react(said["id"], "⛏️")
    await bot.until("raw_reaction_add")
    await place.beryl.unreact(said["id"], "⛏️")
    await bot.until("raw_reaction_remove")
    assert "Unknown Emoji" in await refused(place.beryl.react(said["id"], "pick"))
    assert "Unknown Emoji" in await refused(place.beryl.unreact(said["id"], "⛏️"))
    assert "may not take the reactions" in await refused(place.beryl.unreact(said["id"], "⛏️", place.quartz))
    assert "may not pin" in await refused(place.beryl.pin(said["id"]))
    await opal.pin(said["id"])
    await bot.until("guild_channel_pins_update")
    assert place.world.messages(place.text.id)[0]["pinned"]
    await opal.unpin(said["id"])
    edited = await place.quartz.edit_message(said["id"], "hello all")
    assert edited["content"] == "hello all"
    await bot.until("message_edit")
    assert "did not write" in await refused(opal.edit_message(said["id"], "no"))
    assert "may not delete" in await refused(place.beryl.delete_message(said["id"]))
    await opal.delete_message(said["id"])
    await bot.until("message_delete")
    assert "sees no message" in await refused(place.quartz.react(said["id"], "⛏️"))
    hidden = place.guild.create_channel("staff", overwrites={place.guild.id: (0, permissions.VIEW_CHANNEL)})
    secret = await opal.send(hidden, "secret")
    assert "sees no message" in await refused(place.beryl.react(secret["id"], "⛏️"))


async def test_direct_messages_are_sent_and_seen(place: Place, bot: LoopbackBot) -> None:
    assert place.beryl.direct_messages() == []
    user = await bot.fetch_user(place.beryl.id)
    asked = await user.send("How much ore?")
    assert [each["content"] for each in place.beryl.direct_messages()] == ["How much ore?"]
    answer = await place.beryl.send_direct("12 SCU")
    await bot.until("message", 2)
    assert answer["channel_id"] == str(asked.channel.id)
    assert [each["content"] for each in place.beryl.direct_messages()] == ["How much ore?", "12 SCU"]
    assert place.quartz.direct_messages() == []
    await place.beryl.react(asked.id, "👍")
    await bot.until("raw_reaction_add")
    assert "sees no message" in await refused(place.quartz.react(asked.id, "👍"))
    assert "direct channel" in await refused(place.beryl.delete_message(asked.id))
    await place.beryl.delete_message(answer["id"])
    assert "1 to 2000" in await refused(place.beryl.send_direct(" "))


async def test_the_bot_is_removed_and_invited(place: Place, bot: LoopbackBot, opal: Person) -> None:
    await opal.remove_bot()
    await bot.until("guild_remove")
    assert "not a member" in await refused(opal.remove_bot())
    assert "not a member" in await refused(place.beryl.send_direct("hello?"))
    await opal.invite_bot(permissions.EVERYONE)
    await bot.until("guild_join")
    assert "already" in await refused(opal.invite_bot())


async def test_a_hub_is_set_up_by_who_may(place: Place, opal: Person) -> None:
    assert "may not set up other bots" in await refused(place.beryl.create_hub(place.alpha))
    await opal.create_hub(place.alpha, "{name}'s den")
    await place.beryl.join(place.alpha)
    await place.world.clock.advance(1)
    assert place.guild.channels[place.beryl.channel_id or 0].name == "Beryl's den"
