"""The lists of members that a client asks for by op 8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.server.gateway import intents, ready
from sandbox.server.gateway.session import Session

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member
    from sandbox.server.world import World

Json = dict[str, Any]
CHUNK = 1000
MOST_IDS = 100
MOST_FOUND = 100
"""Members that a query finds at the most, whatever its limit."""
LONGEST_NONCE = 32


def answers(world: World, session: Session, asked: Json) -> list[Json]:
    """Return the GUILD_MEMBERS_CHUNK payloads that answer op 8. Raises ValueError for what is not described.

    ``query`` "" with ``limit`` 0 asks for everybody, which takes the members intent, and ``presences`` the
    presences intent; a nonce longer than 32 bytes is ignored, as on Discord.
    """
    given = asked.get("guild_id")
    if isinstance(given, list):
        (given,) = given
    guild = world.guilds.get(int(given or 0))
    if guild is None or world.bot_user.id not in guild.members or not session.sees(guild.id):
        return []
    if guild.id in world.hub.unavailable:
        return []
    found, missing = (
        _by_id(guild, asked) if asked.get("user_ids") is not None else _by_name(session, guild, asked)
    )
    pieces = [found[at : at + CHUNK] for at in range(0, len(found), CHUNK)] or [[]]
    nonce = asked.get("nonce")
    return [
        {
            "guild_id": str(guild.id),
            "members": [ready.member(guild, each) for each in piece],
            "chunk_index": index,
            "chunk_count": len(pieces),
            "not_found": missing,
        }
        | (_presences(world, session, guild, piece) if asked.get("presences") else {})
        | ({"nonce": nonce} if nonce is not None and len(str(nonce).encode()) <= LONGEST_NONCE else {})
        for index, piece in enumerate(pieces)
    ]


def _presences(world: World, session: Session, guild: Guild, piece: list[Member]) -> Json:
    if not session.intents & intents.PRESENCES:
        return {}
    return {"presences": world.presences.of_guild(guild, {each.user.id for each in piece})}


def _by_id(guild: Guild, asked: Json) -> tuple[list[Member], list[str]]:
    given = asked["user_ids"]
    wanted = [int(each) for each in (given if isinstance(given, list) else [given])]
    if len(wanted) > MOST_IDS:
        raise ValueError(f"{len(wanted)} user_ids are more than {MOST_IDS}")
    found = [guild.members[each] for each in wanted if each in guild.members]
    return found, [str(each) for each in wanted if each not in guild.members]


def _by_name(session: Session, guild: Guild, asked: Json) -> tuple[list[Member], list[str]]:
    query, limit = str(asked.get("query") or "").lower(), int(asked.get("limit") or 0)
    if limit < 0:
        raise ValueError("limit must be 0 or more")
    if not query and not limit:
        return (list(guild.members.values()) if session.intents & intents.MEMBERS else []), []
    matching = [
        member
        for member in guild.members.values()
        if member.user.username.lower().startswith(query) or member.display_name.lower().startswith(query)
    ]
    return matching[: min(limit or MOST_FOUND, MOST_FOUND)], []
