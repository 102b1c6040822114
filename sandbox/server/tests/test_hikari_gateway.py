"""hikari's gateway: guilds, members, voice, and coming back from every way of being thrown out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import hikari
import pytest
from support.hikari_bot import Rabbit, rabbit
from support.loopback import Place


@pytest.fixture
async def hopper(place: Place) -> AsyncIterator[Rabbit]:
    async with rabbit(place.server) as hopper:
        yield hopper


async def test_it_knows_itself_its_application_and_the_guild(hopper: Rabbit, place: Place) -> None:
    me = hopper.bot.get_me()
    assert me is not None
    assert me.id == place.world.bot_user.id
    assert (await hopper.rest.fetch_my_user()).username == me.username
    application = await hopper.rest.fetch_application()
    assert application.id == place.world.application_id
    guild = hopper.bot.cache.get_guild(place.guild.id)
    assert guild is not None
    fetched = await hopper.rest.fetch_guild(place.guild.id)
    assert fetched.owner_id == guild.owner_id == place.guild.owner_id
    assert set(fetched.roles) == set(place.guild.roles)
    channels = await hopper.rest.fetch_guild_channels(place.guild.id)
    assert {one.id for one in channels} == set(place.guild.channels)


async def test_members_come_by_chunk_by_name_and_by_request(hopper: Rabbit, place: Place) -> None:
    everybody = await hopper.hears(
        hikari.MemberChunkEvent, lambda: hopper.bot.request_guild_members(place.guild.id)
    )
    assert set(everybody.members) == set(place.guild.members)
    found = await hopper.hears(
        hikari.MemberChunkEvent,
        lambda: hopper.bot.request_guild_members(place.guild.id, query="qua", limit=5, nonce="once"),
    )
    assert (list(found.members), found.nonce) == ([place.quartz.id], "once")
    named = await hopper.hears(
        hikari.MemberChunkEvent,
        lambda: hopper.bot.request_guild_members(place.guild.id, users=[place.beryl.id, 77]),
    )
    assert (list(named.members), list(named.not_found)) == ([place.beryl.id], [77])
    member = await hopper.rest.fetch_member(place.guild.id, place.quartz.id)
    assert member.username == "quartz"
    listed = [one.id async for one in hopper.rest.fetch_members(place.guild.id)]
    assert set(listed) == set(place.guild.members)


async def test_new_members_come_and_are_seen(hopper: Rabbit, place: Place) -> None:
    joined = await hopper.hears(hikari.MemberCreateEvent, lambda: place.guild.add_member("garnet"))
    assert joined.member.username == "garnet"


async def test_voice_states_of_people_and_its_own(hopper: Rabbit, place: Place) -> None:
    joined = await hopper.hears(hikari.VoiceStateUpdateEvent, lambda: place.quartz.join(place.dispatch))
    assert (joined.old_state, joined.state.channel_id) == (None, place.dispatch.id)
    muted = await hopper.hears(hikari.VoiceStateUpdateEvent, lambda: place.quartz.set_voice(self_mute=True))
    assert muted.state.is_self_muted
    moved = await hopper.hears(hikari.VoiceStateUpdateEvent, lambda: place.quartz.move(place.alpha))
    assert moved.old_state is not None
    assert (moved.old_state.channel_id, moved.state.channel_id) == (place.dispatch.id, place.alpha.id)
    left = await hopper.hears(hikari.VoiceStateUpdateEvent, place.quartz.leave)
    assert left.state.channel_id is None

    server = await hopper.hears(
        hikari.VoiceServerUpdateEvent,
        lambda: hopper.bot.update_voice_state(place.guild.id, place.dispatch.id, self_deaf=True),
        lambda event: event.raw_endpoint is not None,
    )
    assert server.token
    mine = hopper.bot.cache.get_voice_state(place.guild.id, place.world.bot_user.id)
    assert mine is not None
    assert mine.channel_id == place.dispatch.id


async def test_it_resumes_after_a_drop_and_hears_what_it_missed(hopper: Rabbit, place: Place) -> None:
    missed: list[int | None] = []

    async def note(event: hikari.VoiceStateUpdateEvent) -> None:
        missed.append(event.state.channel_id)

    hopper.bot.event_manager.subscribe(hikari.VoiceStateUpdateEvent, note)

    async def drop() -> None:
        assert place.world.faults.drop_gateway() == 1
        await place.quartz.join(place.dispatch)
        await place.quartz.move(place.alpha)

    await hopper.hears(hikari.ShardResumedEvent, drop)
    last = await hopper.hears(hikari.VoiceStateUpdateEvent, place.quartz.leave)
    assert last.state.channel_id is None
    assert missed == [place.dispatch.id, place.alpha.id, None]


async def test_it_resumes_when_asked_to_reconnect_or_told_of_a_resumable_session(
    hopper: Rabbit, place: Place
) -> None:
    before = list(place.world.hub.sessions)
    await hopper.hears(hikari.ShardResumedEvent, place.world.faults.reconnect)
    await hopper.hears(hikari.ShardResumedEvent, lambda: place.world.faults.invalid_session(resumable=True))
    assert list(place.world.hub.sessions) == before


async def test_it_identifies_anew_when_its_session_is_gone(hopper: Rabbit, place: Place) -> None:
    before = list(place.world.hub.sessions)
    await hopper.hears(hikari.ShardReadyEvent, lambda: place.world.faults.invalid_session(resumable=False))
    assert len(place.world.hub.sessions) == 1
    assert list(place.world.hub.sessions) != before
    heard = await hopper.hears(hikari.VoiceStateUpdateEvent, lambda: place.quartz.join(place.dispatch))
    assert heard.state.user_id == place.quartz.id
