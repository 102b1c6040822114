"""Voice states of others and of the bot itself on a stage, and the regions."""

from __future__ import annotations

from datetime import datetime

from sandbox.server import permissions
from sandbox.server.channels import STAGE
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.guilds import Guild
from sandbox.server.members import VoiceState
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_NOT_A_STAGE = RestError(400, 50024, "Cannot execute action on this channel type")
_MISSING = RestError(403, 50013, "Missing Permissions")


@routes("GET", "/voice/regions")
def regions(call: Call) -> Answer:
    """Return the voice regions."""
    known = (("us-east", "US East"), ("rotterdam", "Rotterdam"))
    return 200, [
        {"id": key, "name": name, "custom": False, "deprecated": False, "optimal": key == "us-east"}
        for key, name in known
    ]


def _on_stage(call: Call, guild: Guild, user_id: int) -> tuple[VoiceState, int]:
    """Return a state on the stage that the body names, and the bot's bits there. Raises RestError."""
    state = guild.voice_states.get(user_id)
    if state is None or state.channel_id is None:
        raise RestError(400, 40032, "Target user is not connected to voice.")
    channel = guild.channels[state.channel_id]
    named = call.json().get("channel_id")
    if channel.type != STAGE:
        raise _NOT_A_STAGE
    if named is not None and str(named) != str(channel.id):
        raise unknown("voice state")
    return state, permissions.in_channel(guild, guild.members[call.world.bot_user.id], channel)


def _suppress(call: Call) -> bool | None:
    given = call.json().get("suppress")
    if given is not None and not isinstance(given, bool):
        raise invalid_form(("suppress",), "BASE_TYPE_BAD_TYPE", "Must be either true or false.")
    return given


@routes("PATCH", "/guilds/{guild_id}/voice-states/@me")
def edit_own(call: Call) -> Answer:
    """Step on or off a stage, or ask to."""
    guild, body = call.guild(), call.json()
    state, bits = _on_stage(call, guild, call.world.bot_user.id)
    suppress = _suppress(call)
    if suppress is False and not bits & permissions.MUTE_MEMBERS:
        raise _MISSING
    if "request_to_speak_timestamp" in body:
        given = body["request_to_speak_timestamp"]
        if given is not None:
            _check_time(given)
            if not bits & permissions.REQUEST_TO_SPEAK:
                raise _MISSING
        # A client's own clock is not the sandbox's: what it asks for counts from now.
        state.request_to_speak_at = call.world.clock.now() if given is not None else None
    _set(call, guild, state, suppress)
    return 204, None


@routes("PATCH", "/guilds/{guild_id}/voice-states/{user_id}")
def edit_other(call: Call) -> Answer:
    """Bring a member on a stage or off it; who is brought on is asked, and counted as asking."""
    guild = call.guild()
    member = call.member(guild)
    state, bits = _on_stage(call, guild, member.user.id)
    if not bits & permissions.MUTE_MEMBERS:
        raise _MISSING
    suppress = _suppress(call)
    if suppress is not None:
        invited = not suppress and not member.user.bot
        state.request_to_speak_at = call.world.clock.now() if invited else None
    _set(call, guild, state, suppress)
    return 204, None


def _set(call: Call, guild: Guild, state: VoiceState, suppress: bool | None) -> None:
    call.world.voice.set_flags(guild, state.user_id, **({} if suppress is None else {"suppress": suppress}))


def _check_time(given: object) -> None:
    try:
        datetime.fromisoformat(str(given))
    except ValueError:
        raise invalid_form(
            ("request_to_speak_timestamp",),
            "DATE_TIME_TYPE_PARSE",
            f"Could not parse {given}. Should be ISO8601.",
        ) from None
