"""Bans."""

from __future__ import annotations

from sandbox.server import moderation, permissions
from sandbox.server.errors import RestError, unknown
from sandbox.server.guilds import Guild
from sandbox.server.limits import check_ban, check_bulk_ban
from sandbox.server.rest import checks, queries
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_ALL = "/guilds/{guild_id}/bans"
_ONE = _ALL + "/{user_id}"
_DAY = 86_400


def _guild(call: Call, *, more: int = 0) -> Guild:
    guild = call.guild()
    checks.in_guild(guild, permissions.BAN_MEMBERS | more)
    return guild


@routes("GET", _ALL)
def listing(call: Call) -> Answer:
    """Return bans in the order of their users' ids."""
    guild = _guild(call)
    return 200, [
        moderation.shape(guild.bans[each]) for each in queries.page(call, sorted(guild.bans), 1000, 1000)
    ]


@routes("GET", _ONE)
def get(call: Call) -> Answer:
    """Return one ban."""
    guild = _guild(call)
    found = guild.bans.get(call.id("user_id"))
    if found is None:
        raise unknown("ban")
    return 200, moderation.shape(found)


@routes("PUT", _ONE)
def ban(call: Call) -> Answer:
    """Ban a user, member or not."""
    guild, user_id = _guild(call), call.id("user_id")
    body = dict(call.body or {})
    if "delete_message_seconds" in call.query:
        body["delete_message_seconds"] = queries.number(call, "delete_message_seconds", 0, 0, 604_800)
    checks.kept(check_ban(body))
    user = call.world.users.get(user_id)
    if user is None:
        raise unknown("user")
    member = guild.members.get(user_id)
    if member is not None:
        checks.above(guild, member)
    days = int(body.get("delete_message_days") or 0)
    seconds = int(body.get("delete_message_seconds") or days * _DAY)
    moderation.ban(guild, call.world.bot_user.id, user, call.reason, seconds)
    return 204, None


@routes("DELETE", _ONE)
def unban(call: Call) -> Answer:
    """Let a user come back."""
    guild, user_id = _guild(call), call.id("user_id")
    if user_id not in guild.bans:
        raise unknown("ban")
    moderation.unban(guild, call.world.bot_user.id, user_id, call.reason)
    return 204, None


@routes("POST", "/guilds/{guild_id}/bulk-ban")
def bulk_ban(call: Call) -> Answer:
    """Ban up to 200 users; those the bot cannot ban are told."""
    guild = _guild(call, more=permissions.MANAGE_GUILD)
    body = call.json()
    checks.kept(check_bulk_ban(body))
    me = guild.members[call.world.bot_user.id]
    banned, failed = [], []
    for user_id in dict.fromkeys(int(each) for each in body["user_ids"]):
        user, member = call.world.users.get(user_id), guild.members.get(user_id)
        allowed = member is None or permissions.outranks(guild, me, member)
        if user is None or user_id in guild.bans or not allowed or user_id == me.user.id:
            failed.append(str(user_id))
            continue
        seconds = int(body.get("delete_message_seconds") or 0)
        moderation.ban(guild, me.user.id, user, call.reason, seconds)
        banned.append(str(user_id))
    if not banned:
        raise RestError(400, 500_000, "Failed to ban users")
    return 200, {"banned_users": banned, "failed_users": failed}
