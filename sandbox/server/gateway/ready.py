"""What a session is told when it begins, and the lists of members it asks for."""

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
CHUNK = 1000
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
        shown = [member for user_id, member in guild.members.items() if user_id in seen]
    return guilds.guild_create(guild, [_member(guild, each) for each in shown])


def _member(guild: Guild, member: Member) -> Json:
    state = guild.voice_states.get(member.user.id)
    return people.member(member, deaf=bool(state and state.deaf), mute=bool(state and state.mute))


def chunks(world: World, session: Session, asked: Json) -> list[Json]:
    """Return the GUILD_MEMBERS_CHUNK payloads that answer op 8."""
    answers: list[Json] = []
    given = asked.get("guild_id")
    for guild_id in given if isinstance(given, list) else [given]:
        guild = world.guilds.get(int(guild_id or 0))
        if guild is None or world.bot_user.id not in guild.members or not session.sees(guild.id):
            continue
        found, missing = _asked(session, guild, asked)
        pieces = [found[at : at + CHUNK] for at in range(0, len(found), CHUNK)] or [[]]
        for index, piece in enumerate(pieces):
            body: Json = {
                "guild_id": str(guild.id),
                "members": [_member(guild, each) for each in piece],
                "chunk_index": index,
                "chunk_count": len(pieces),
                "not_found": missing,
            }
            if asked.get("presences"):
                body["presences"] = []
            if asked.get("nonce") is not None:
                body["nonce"] = asked["nonce"]
            answers.append(body)
    return answers


def _asked(session: Session, guild: Guild, asked: Json) -> tuple[list[Member], list[str]]:
    if asked.get("user_ids") is not None:
        given = asked["user_ids"]
        wanted = [str(each) for each in (given if isinstance(given, list) else [given])]
        found = [guild.members[int(each)] for each in wanted if int(each) in guild.members]
        return found, [each for each in wanted if int(each) not in guild.members]
    query, limit = str(asked.get("query") or "").lower(), int(asked.get("limit") or 0)
    if not query and not limit and not session.intents & intents.MEMBERS:
        return [], []
    matching = [
        member
        for member in guild.members.values()
        if member.user.username.lower().startswith(query) or member.display_name.lower().startswith(query)
    ]
    return (matching[:limit] if limit else matching), []
