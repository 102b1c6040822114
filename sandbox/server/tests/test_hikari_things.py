"""hikari with reactions, threads, pins, events, channels, roles, bans, webhooks and direct messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import hikari
import pytest
from support.hikari_bot import Rabbit, rabbit
from support.loopback import Place


@pytest.fixture
async def hopper(place: Place) -> AsyncIterator[Rabbit]:
    helper = place.guild.create_role("Helper", permissions=1 << 3)
    place.guild.members[place.world.bot_user.id].roles.append(helper.id)
    async with rabbit(place.server) as hopper:
        yield hopper


@pytest.fixture
async def message(hopper: Rabbit, place: Place) -> hikari.Message:
    return await hopper.rest.create_message(place.text.id, "Vote")


def _soon(place: Place, hours: float) -> datetime:
    return place.world.clock.now() + timedelta(hours=hours)


async def test_reactions(hopper: Rabbit, message: hikari.Message) -> None:
    added = await hopper.hears(hikari.GuildReactionAddEvent, lambda: message.add_reaction("👍"))
    assert (added.emoji_name, added.message_id) == ("👍", message.id)
    users = [one.id async for one in hopper.rest.fetch_reactions_for_emoji(message.channel_id, message, "👍")]
    me = hopper.bot.get_me()
    assert me is not None
    assert users == [me.id]
    again = await hopper.rest.fetch_message(message.channel_id, message)
    assert [(one.emoji, one.count, one.is_me) for one in again.reactions] == [("👍", 1, True)]
    await hopper.hears(hikari.GuildReactionDeleteEvent, lambda: message.remove_reaction("👍"))
    await message.add_reaction("🎉")
    await hopper.hears(hikari.GuildReactionDeleteAllEvent, message.remove_all_reactions)


async def test_pins(hopper: Rabbit, place: Place, message: hikari.Message) -> None:
    await hopper.hears(
        hikari.GuildPinsUpdateEvent, lambda: hopper.rest.pin_message(place.text.id, message.id)
    )
    pins = [one.message.id async for one in hopper.rest.fetch_pins(place.text.id)]
    assert pins == [message.id]
    await hopper.rest.unpin_message(place.text.id, message.id)


async def test_threads(hopper: Rabbit, place: Place, message: hikari.Message) -> None:
    made = await hopper.hears(
        hikari.GuildThreadCreateEvent,
        lambda: hopper.rest.create_message_thread(place.text.id, message.id, "Talk"),
    )
    assert made.thread.parent_id == place.text.id
    await hopper.rest.create_message(made.thread_id, "In here")
    await hopper.rest.edit_channel(made.thread_id, name="Long talk")
    await hopper.rest.add_thread_member(made.thread_id, place.quartz.id)
    members = await hopper.rest.fetch_thread_members(made.thread_id)
    assert {one.user_id for one in members} >= {place.quartz.id}
    gone = await hopper.hears(
        hikari.GuildThreadDeleteEvent, lambda: hopper.rest.delete_channel(made.thread_id)
    )
    assert gone.thread_id == made.thread_id


async def test_scheduled_events(hopper: Rabbit, place: Place) -> None:
    made = await hopper.hears(
        hikari.ScheduledEventCreateEvent,
        lambda: hopper.rest.create_voice_event(place.guild.id, place.alpha.id, "Sunday", _soon(place, 24)),
    )
    assert made.event.name == "Sunday"
    changed = await hopper.rest.edit_scheduled_event(place.guild.id, made.event_id, name="Monday")
    assert changed.name == "Monday"
    there = await hopper.rest.fetch_scheduled_events(place.guild.id)
    assert [one.id for one in there] == [made.event_id]
    outside = await hopper.rest.create_external_event(
        place.guild.id, "Fair", "Area 18", _soon(place, 1), _soon(place, 2)
    )
    assert outside.location == "Area 18"
    await hopper.hears(
        hikari.ScheduledEventDeleteEvent,
        lambda: hopper.rest.delete_scheduled_event(place.guild.id, made.event_id),
    )


async def test_channels_and_roles(hopper: Rabbit, place: Place) -> None:
    made = await hopper.hears(
        hikari.GuildChannelCreateEvent,
        lambda: hopper.rest.create_guild_text_channel(place.guild.id, "loot", topic="Who gets what"),
    )
    assert made.channel.name == "loot"
    await hopper.rest.edit_channel(made.channel_id, name="spoils")
    overwritten = await hopper.hears(
        hikari.GuildChannelUpdateEvent,
        lambda: hopper.rest.edit_permission_overwrite(
            made.channel_id,
            place.quartz.id,
            target_type=hikari.PermissionOverwriteType.MEMBER,
            deny=hikari.Permissions.SEND_MESSAGES,
        ),
        lambda event: place.quartz.id in getattr(event.channel, "permission_overwrites", {}),
    )
    assert overwritten.channel.name == "spoils"
    await hopper.hears(hikari.GuildChannelDeleteEvent, lambda: hopper.rest.delete_channel(made.channel_id))

    role = await hopper.rest.create_role(place.guild.id, name="Pilot", color=0x336699)
    given = await hopper.hears(
        hikari.MemberUpdateEvent,
        lambda: hopper.rest.add_role_to_member(place.guild.id, place.quartz.id, role.id),
    )
    assert role.id in given.member.role_ids
    renamed = await hopper.rest.edit_member(place.guild.id, place.quartz.id, nickname="Captain")
    assert renamed.nickname == "Captain"
    await hopper.hears(hikari.RoleDeleteEvent, lambda: hopper.rest.delete_role(place.guild.id, role.id))


async def test_bans(hopper: Rabbit, place: Place) -> None:
    await hopper.hears(
        hikari.BanCreateEvent,
        lambda: hopper.rest.ban_user(place.guild.id, place.beryl.id, reason="Stole ore"),
    )
    ban = await hopper.rest.fetch_ban(place.guild.id, place.beryl.id)
    assert ban.reason == "Stole ore"
    await hopper.hears(hikari.BanDeleteEvent, lambda: hopper.rest.unban_user(place.guild.id, place.beryl.id))
    log = await hopper.rest.fetch_audit_log(place.guild.id)
    kinds = {entry.action_type for page in log for entry in page.entries.values()}
    assert hikari.AuditLogEventType.MEMBER_BAN_ADD in kinds


async def test_webhooks_and_direct_messages(hopper: Rabbit, place: Place) -> None:
    hook = await hopper.rest.create_webhook(place.text.id, "Herald")
    said = await hook.execute("Hear, hear", username="The herald")
    assert (said.author.username, said.webhook_id) == ("The herald", hook.id)
    await hopper.rest.delete_webhook(hook.id)
    direct = await hopper.rest.create_dm_channel(place.quartz.id)
    sent = await direct.send("Psst")
    assert sent.guild_id is None
