"""Which intent lets which event through."""

from __future__ import annotations

GUILDS = 1 << 0
MEMBERS = 1 << 1
PRESENCES = 1 << 8
VOICE_STATES = 1 << 7
GUILD_MESSAGES = 1 << 9
GUILD_TYPING = 1 << 11
DIRECT_MESSAGES = 1 << 12
MESSAGE_CONTENT = 1 << 15

KNOWN = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))
PRIVILEGED = {"members": MEMBERS, "presences": PRESENCES, "message_content": MESSAGE_CONTENT}

REQUIRED = {
    "GUILD_CREATE": GUILDS,
    "GUILD_UPDATE": GUILDS,
    "GUILD_DELETE": GUILDS,
    "GUILD_ROLE_CREATE": GUILDS,
    "GUILD_ROLE_UPDATE": GUILDS,
    "GUILD_ROLE_DELETE": GUILDS,
    "CHANNEL_CREATE": GUILDS,
    "CHANNEL_UPDATE": GUILDS,
    "CHANNEL_DELETE": GUILDS,
    "GUILD_MEMBER_ADD": MEMBERS,
    "GUILD_MEMBER_UPDATE": MEMBERS,
    "GUILD_MEMBER_REMOVE": MEMBERS,
    "VOICE_STATE_UPDATE": VOICE_STATES,
}
"""Events that are not here (interactions, replies to the client's own requests) need none."""
MESSAGES = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK"})


def required(event: str, *, in_guild: bool) -> int:
    """Return the intent an event needs, 0 for none."""
    if event in MESSAGES:
        return GUILD_MESSAGES if in_guild else DIRECT_MESSAGES
    return REQUIRED.get(event, 0)
