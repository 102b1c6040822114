"""Users, members and voice states as JSON."""

from __future__ import annotations

from sandbox.server.members import Member, User, VoiceState
from sandbox.server.payloads import Json, optional_id, stamp


def user(account: User) -> Json:
    """Return a user object."""
    body: Json = {
        "id": str(account.id),
        "username": account.username,
        "avatar": None,
        "discriminator": "0000" if account.bot else "0",
        "public_flags": account.flags,
        "flags": account.flags,
        "global_name": account.global_name,
        "banner": None,
        "accent_color": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
    }
    if account.bot:
        body["bot"] = True
    return body


def own_user(account: User) -> Json:
    """Return the user object of the account that asks."""
    return user(account) | {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}


def member(person: Member, *, deaf: bool = False, mute: bool = False, with_user: bool = True) -> Json:
    """Return a member object; messages carry it without the user."""
    body: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": stamp(person.timed_out_until) if person.timed_out_until else None,
        "flags": 0,
        "joined_at": stamp(person.joined_at),
        "nick": person.nick,
        "pending": False,
        "premium_since": None,
        "roles": [str(role) for role in person.roles],
        "mute": mute,
        "deaf": deaf,
    }
    if with_user:
        body["user"] = user(person.user)
    return body


def voice_state(state: VoiceState, person: Member | None = None) -> Json:
    """Return a voice state; with its member for a gateway event, without inside GUILD_CREATE."""
    body: Json = {
        "channel_id": optional_id(state.channel_id),
        "user_id": str(state.user_id),
        "session_id": state.session_id,
        "deaf": state.deaf,
        "mute": state.mute,
        "self_deaf": state.self_deaf,
        "self_mute": state.self_mute,
        "self_stream": state.self_stream,
        "self_video": state.self_video,
        "suppress": state.suppress,
        "request_to_speak_timestamp": (
            stamp(state.request_to_speak_at) if state.request_to_speak_at is not None else None
        ),
    }
    if person is not None:
        body["guild_id"] = str(state.guild_id)
        body["member"] = member(person, deaf=state.deaf, mute=state.mute)
    return body
