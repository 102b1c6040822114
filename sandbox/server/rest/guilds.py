"""A guild as a whole."""

from __future__ import annotations

from sandbox.server import permissions
from sandbox.server.audit import Action, changed
from sandbox.server.channels import TEXT
from sandbox.server.errors import Refused, invalid_form, unknown
from sandbox.server.guilds import Guild
from sandbox.server.limits import check_guild
from sandbox.server.payloads import Json, optional_id
from sandbox.server.payloads import guilds as shapes
from sandbox.server.payloads.emojis import emoji
from sandbox.server.rest import checks, queries
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_PLAIN = (
    "description",
    "verification_level",
    "default_message_notifications",
    "explicit_content_filter",
    "preferred_locale",
    "system_channel_flags",
    "premium_progress_bar_enabled",
)
_CHANNELS = (
    "system_channel_id",
    "rules_channel_id",
    "public_updates_channel_id",
    "safety_alerts_channel_id",
)
_TOLD = ("name", "afk_channel_id", "afk_timeout", *_PLAIN, *_CHANNELS)


@routes("GET", "/guilds/{guild_id}")
def get_guild(call: Call) -> Answer:
    """Return a guild."""
    guild = call.guild()
    body = shapes.guild(guild)
    if queries.flag(call, "with_counts"):
        body |= {"approximate_member_count": len(guild.members), "approximate_presence_count": 0}
    return 200, body


@routes("GET", "/guilds/{guild_id}/preview")
def preview(call: Call) -> Answer:
    """Return what shows a guild to those outside; this one shows itself only to its members."""
    guild = call.world.guilds.get(call.id("guild_id"))
    if guild is None or call.world.bot_user.id not in guild.members:
        raise unknown("guild")
    return 200, {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "description": guild.settings.get("description"),
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": [],
        "approximate_member_count": len(guild.members),
        "approximate_presence_count": 0,
        "emojis": [emoji(each) for each in guild.emojis.values()],
        "stickers": [],
    }


@routes("PATCH", "/guilds/{guild_id}")
def edit_guild(call: Call) -> Answer:
    """Change a guild; pictures are taken and not kept."""
    guild, body = call.guild(), call.json()
    checks.in_guild(guild, permissions.MANAGE_GUILD)
    checks.kept(check_guild(body))
    before = shapes.guild(guild)
    _set_channels(guild, body)
    if "name" in body:
        guild.name = body["name"]
    if body.get("afk_timeout") is not None:
        guild.afk_timeout = int(body["afk_timeout"])
    guild.settings |= {
        name: body[name]
        for name in _PLAIN
        if name in body and (body[name] is not None or name == "description")
    }
    changes = changed(before, shapes.guild(guild), _TOLD)
    if changes:
        guild.updated()
        checks.note(call, guild, Action.GUILD_UPDATE, guild.id, changes=changes)
    return 200, shapes.guild(guild)


def _set_channels(guild: Guild, body: Json) -> None:
    for name in _CHANNELS:
        if name in body:
            channel = guild.channels.get(int(body[name] or 0))
            if body[name] and (channel is None or channel.type != TEXT):
                raise invalid_form((name,), "CHANNEL_TYPE_INVALID", "Invalid channel type")
            guild.settings[name] = optional_id(channel.id if channel else None)
    if "afk_channel_id" in body:
        afk = guild.channels.get(int(body["afk_channel_id"] or 0))
        if body["afk_channel_id"] and afk is None:
            raise unknown("channel")
        try:
            guild.set_afk_channel(afk)
        except Refused:
            raise invalid_form(("afk_channel_id",), "CHANNEL_TYPE_INVALID", "Invalid channel type") from None
