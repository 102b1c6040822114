"""What a session is told when it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.server.gateway import intents
from sandbox.server.gateway.session import Session
from sandbox.server.payloads import application, guilds, people

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member
    from sandbox.server.world import World

Json = dict[str, Any]
_EVERYBODY = intents.MEMBERS | intents.PRESENCES


def ready(world: World, session: Session, resume_url: str) -> Json:
    """Return the READY payload; every guild is still unavailable in it."""
    me = people.own_user(world.bot_user)
    return {
        "v": 10,
        "user_settings": {},
        "user": me,
        "session_type": "normal",
        "session_id": session.id,
        "resume_gateway_url": resume_url,
        "relationships": [],
        "private_channels": [],
        "presences": [],
        "guilds": [{"id": str(guild.id), "unavailable": True} for guild in own_guilds(world, session)],
        "guild_join_requests": [],
        "geo_ordered_rtc_regions": [],
        "game_relationships": [],
        "auth": {},
        "application": {"id": str(world.application_id), "flags": application.flags(world)},
        "shard": list(session.shard),
        "_trace": ["sandbox"],
    }


def own_guilds(world: World, session: Session) -> list[Guild]:
    """Return the guilds that the bot is a member of and the session's shard has."""
    return [
        guild
        for guild in world.guilds.values()
        if session.sees(guild.id) and world.bot_user.id in guild.members
    ]


def guild_create(world: World, session: Session, guild: Guild) -> Json:
    """Return GUILD_CREATE as a session's intents allow.

    As on Discord all members come with it only with the members and presences intents, up to the large
    threshold; otherwise the bot and those in voice.
    """
    if session.intents & _EVERYBODY == _EVERYBODY and len(guild.members) <= session.large_threshold:
        shown = list(guild.members.values())
    else:
        seen = {world.bot_user.id, *guild.voice_states}
        shown = [each for user_id, each in guild.members.items() if user_id in seen]
    body = guilds.guild_create(guild, [member(guild, each) for each in shown])
    if session.intents & intents.PRESENCES:
        body["presences"] = world.presences.of_guild(guild)
    return body


def member(guild: Guild, one: Member) -> Json:
    """Return a member as events carry it."""
    state = guild.voice_states.get(one.user.id)
    return people.member(one, deaf=bool(state and state.deaf), mute=bool(state and state.mute))
