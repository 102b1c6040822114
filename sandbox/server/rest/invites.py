"""Invites."""

from __future__ import annotations

from sandbox.server import permissions
from sandbox.server.audit import Action, changed
from sandbox.server.channels import CATEGORY
from sandbox.server.errors import RestError
from sandbox.server.invites import MOST, Invite, details, shape
from sandbox.server.limits import check_invite
from sandbox.server.payloads import Json
from sandbox.server.rest import checks, queries
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_CHANNEL = "/channels/{channel_id}/invites"
_ONE = "/invites/{code}"
_TOLD = ("code", "max_age", "max_uses", "uses", "temporary", "channel_id", "inviter_id")


def _told(invite: Invite) -> Json:
    return details(invite) | {
        "code": invite.code,
        "channel_id": str(invite.channel_id),
        "inviter_id": str(invite.inviter.id),
    }


@routes("POST", _CHANNEL)
def create(call: Call) -> Answer:
    """Make an invite to a channel."""
    channel, body = call.channel(), call.body or {}
    checks.in_channel(call, channel, permissions.CREATE_INVITE)
    checks.kept(check_invite(body))
    if not channel.guild_id or channel.type == CATEGORY or channel.thread is not None:
        raise RestError(400, 50024, "Cannot execute action on this channel type")
    world = call.world
    guild = world.guilds[channel.guild_id]
    known = {each.code for each in world.invites.of_guild(guild)}
    if len(known) >= MOST:
        raise RestError(400, 30016, f"Maximum number of invites reached ({MOST})")
    age = body.get("max_age")
    invite = world.invites.create(
        channel,
        world.bot_user,
        max_age=86_400 if age is None else age,
        max_uses=body.get("max_uses") or 0,
        temporary=bool(body.get("temporary")),
        unique=bool(body.get("unique")),
    )
    if invite.code not in known:
        changes = changed(None, _told(invite), _TOLD)
        checks.note(call, guild, Action.INVITE_CREATE, None, changes=changes)
    return 200, shape(world, invite, whole=True)


@routes("GET", _CHANNEL)
def of_channel(call: Call) -> Answer:
    """Return a channel's invites."""
    channel = call.channel()
    checks.in_channel(call, channel, permissions.MANAGE_CHANNELS)
    if not channel.guild_id:
        raise RestError(400, 50024, "Cannot execute action on this channel type")
    known = call.world.invites.of_guild(call.world.guilds[channel.guild_id])
    return 200, [shape(call.world, each, whole=True) for each in known if each.channel_id == channel.id]


@routes("GET", "/guilds/{guild_id}/invites")
def of_guild(call: Call) -> Answer:
    """Return a guild's invites."""
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_GUILD)
    return 200, [shape(call.world, each, whole=True) for each in call.world.invites.of_guild(guild)]


@routes("GET", _ONE)
def get(call: Call) -> Answer:
    """Return an invite."""
    invite = call.world.invites.get(call.parameters["code"])
    return 200, shape(call.world, invite, counts=queries.flag(call, "with_counts"))


@routes("DELETE", _ONE)
def delete(call: Call) -> Answer:
    """Revoke an invite: who manages its channel may, or who manages its guild."""
    invite = call.world.invites.get(call.parameters["code"])
    guild = call.world.guilds[invite.guild_id]
    me = guild.members.get(call.world.bot_user.id)
    if me is None:
        raise RestError(403, 50001, "Missing Access")
    if not permissions.in_guild(guild, me) & permissions.MANAGE_GUILD:
        checks.in_channel(call, call.world.channels[invite.channel_id], permissions.MANAGE_CHANNELS)
    body = shape(call.world, invite)
    call.world.invites.delete(invite)
    checks.note(call, guild, Action.INVITE_DELETE, None, changes=changed(_told(invite), None, _TOLD))
    return 200, body
