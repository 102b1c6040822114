"""Guilds, roles and channels as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.channels import CATEGORY, DM, FORUMS, STAGE, THREADED, VOICE_LIKE, Channel, Tag
from sandbox.server.members import Role, User
from sandbox.server.payloads import Json, optional_id, people, stamp, threads
from sandbox.server.payloads.emojis import emoji
from sandbox.server.payloads.events import event

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild

LARGE = 250
"""Members from which on a guild counts as large."""


def role(one: Role) -> Json:
    """Return a role object."""
    body: Json = {
        "id": str(one.id),
        "name": one.name,
        "permissions": str(one.permissions),
        "position": one.position,
        "color": one.color,
        "colors": {"primary_color": one.color, "secondary_color": None, "tertiary_color": None},
        "hoist": one.hoist,
        "managed": one.managed,
        "mentionable": one.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    if one.bot_id is not None:
        body["tags"] = {"bot_id": str(one.bot_id)}
    return body


def channel(one: Channel) -> Json:
    """Return a guild channel object, or a thread object."""
    if one.thread is not None:
        return threads.thread(one)
    body: Json = {
        "id": str(one.id),
        "type": one.type,
        "guild_id": str(one.guild_id),
        "name": one.name,
        "position": one.position,
        "flags": one.flags,
        "parent_id": optional_id(one.parent_id),
        "permission_overwrites": [
            {"id": str(each.id), "type": each.kind, "allow": str(each.allow), "deny": str(each.deny)}
            for each in one.overwrites.values()
        ],
    }
    if one.type == CATEGORY:
        return body
    body |= {
        "nsfw": one.nsfw,
        "rate_limit_per_user": one.rate_limit,
        "last_message_id": optional_id(one.last_message_id),
    }
    if one.type in THREADED:
        body["topic"] = one.topic
        body["last_pin_timestamp"] = stamp(one.last_pin) if one.last_pin else None
        body["default_thread_rate_limit_per_user"] = one.thread_rate_limit
        if one.auto_archive is not None:
            body["default_auto_archive_duration"] = one.auto_archive
    if one.type in FORUMS:
        body |= {
            "available_tags": [tag(each) for each in one.tags],
            "default_reaction_emoji": one.default_reaction,
            "default_sort_order": one.sort_order,
            "default_forum_layout": one.layout,
        }
    if one.type in VOICE_LIKE:
        body |= {
            "bitrate": one.bitrate,
            "user_limit": one.user_limit,
            "rtc_region": one.rtc_region,
            "video_quality_mode": one.video_quality,
        }
        if one.type == STAGE:
            body["topic"] = one.topic
    return body


def tag(one: Tag) -> Json:
    """Return a forum tag object."""
    return {
        "id": str(one.id),
        "name": one.name,
        "moderated": one.moderated,
        "emoji_id": optional_id(one.emoji_id),
        "emoji_name": one.emoji_name,
    }


def direct_channel(one: Channel, recipient: User) -> Json:
    """Return a DM channel object."""
    return {
        "id": str(one.id),
        "type": DM,
        "flags": 0,
        "last_message_id": optional_id(one.last_message_id),
        "recipients": [people.user(recipient)],
    }


def partial_channel(one: Channel, permissions: int) -> Json:
    """Return a channel as interactions carry it."""
    return channel(one) | {"permissions": str(permissions)}


def guild(one: Guild) -> Json:
    """Return a guild object as REST answers it."""
    return {
        "id": str(one.id),
        "name": one.name,
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": [],
        "banner": None,
        "owner_id": str(one.owner_id),
        "application_id": None,
        "region": "deprecated",
        "afk_channel_id": optional_id(one.afk_channel_id),
        "afk_timeout": one.afk_timeout,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 0,
        "roles": [role(each) for each in one.roles.values()],
        "default_message_notifications": 1,
        "mfa_level": 0,
        "explicit_content_filter": 0,
        "max_presences": None,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "premium_progress_bar_enabled_user_updated_at": None,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [emoji(each) for each in one.emojis.values()],
        "stickers": [],
        "incidents_data": None,
    } | one.settings


def guild_create(one: Guild, members: list[Json], joined: str | None = None) -> Json:
    """Return the GUILD_CREATE payload with the given member objects.

    Voice states in it lack their guild_id, as Discord's do.
    """
    me = one.members.get(one.world.bot_user.id)
    return guild(one) | {
        "joined_at": joined or stamp(me.joined_at if me else one.world.clock.now()),
        "large": len(one.members) >= LARGE,
        "unavailable": False,
        "member_count": len(one.members),
        "voice_states": [people.voice_state(state) for state in one.voice_states.values()],
        "members": members,
        "channels": [channel(each) for each in one.channels.values()],
        "threads": [threads.thread_for(one.world, each) for each in one.world.threads.seen_by_bot(one)],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [event(each) for each in one.events.values()],
        "soundboard_sounds": [],
        "activity_instances": [],
        "embedded_activities": [],
        "geo_restricted": False,
        "lazy": True,
        "version": int(one.world.clock.now().timestamp() * 1000),
    }
