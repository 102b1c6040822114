"""The limits of guilds, roles, channels, threads and emojis."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from sandbox.server.limits.fields import Fields
from sandbox.server.limits.violation import Violation

TEXT, VOICE, CATEGORY, NEWS, STAGE, FORUM, MEDIA = 0, 2, 4, 5, 13, 15, 16
CHANNEL_TYPES = (TEXT, VOICE, CATEGORY, NEWS, STAGE, FORUM, MEDIA)
THREAD_TYPES = (10, 11, 12)
ARCHIVE_MINUTES = (60, 1440, 4320, 10080)
AFK_SECONDS = (60, 300, 900, 1800, 3600)
LARGEST_EMOJI = 256 * 1024
_SIX_HOURS = 21_600
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|avif);base64,([A-Za-z0-9+/=]+)")
_WORD = re.compile(r"\w+")


def check_guild(body: Any) -> list[Violation]:
    """Check the body that changes a guild."""
    fields = Fields(body)
    if "name" in fields:
        fields.text("name", 2, 100, required=True)
    fields.text("description", 0, 300)
    fields.choice("afk_timeout", AFK_SECONDS)
    fields.choice("verification_level", range(5))
    fields.choice("default_message_notifications", range(2))
    fields.choice("explicit_content_filter", range(3))
    fields.number("system_channel_flags", 0, 2**31 - 1)
    for name in ("afk_channel_id", "system_channel_id", "rules_channel_id", "public_updates_channel_id"):
        fields.id(name)
    return fields.violations


def check_role(body: Any) -> list[Violation]:
    """Check the body that makes or changes a role."""
    fields = Fields(body)
    fields.text("name", 1, 100)
    fields.bits("permissions")
    fields.number("color", 0, 0xFFFFFF)
    fields.flag("hoist")
    fields.flag("mentionable")
    return fields.violations


def check_channel(body: Any, kind: int, *, creating: bool = False) -> list[Violation]:
    """Check the body that makes or changes a guild's channel of a kind."""
    fields = Fields(body)
    if creating or "name" in fields:
        fields.text("name", 1, 100, required=True)
    fields.choice("type", CHANNEL_TYPES)
    fields.text("topic", 0, 4096 if kind in (FORUM, MEDIA) else 1024)
    fields.number("user_limit", 0, 10_000 if kind == STAGE else 99)
    fields.number("bitrate", 8_000, 64_000 if kind == STAGE else 96_000)
    fields.number("rate_limit_per_user", 0, _SIX_HOURS)
    fields.number("default_thread_rate_limit_per_user", 0, _SIX_HOURS)
    fields.choice("default_auto_archive_duration", ARCHIVE_MINUTES)
    fields.choice("video_quality_mode", (1, 2))
    fields.choice("default_sort_order", (0, 1))
    fields.choice("default_forum_layout", (0, 1, 2))
    fields.number("flags", 0, 2**31 - 1)
    fields.text("rtc_region", 0, 100)
    fields.object("default_reaction_emoji")
    fields.number("position", 0, 2**31 - 1)
    fields.flag("nsfw")
    fields.id("parent_id")
    for each in fields.items("permission_overwrites", 0, 100):
        each.id("id", required=True)
        each.choice("type", (0, 1), required=True)
        each.bits("allow")
        each.bits("deny")
    for each in fields.items("available_tags", 0, 20):
        each.text("name", 0, 20, required=True)
        each.flag("moderated")
        each.id("emoji_id")
    return fields.violations


def check_overwrite(body: Any) -> list[Violation]:
    """Check the body that sets what one role or member may do in a channel."""
    fields = Fields(body)
    fields.choice("type", (0, 1), required=True)
    fields.bits("allow")
    fields.bits("deny")
    return fields.violations


def check_thread(body: Any, *, creating: bool = False) -> list[Violation]:
    """Check the body that starts or changes a thread."""
    fields = Fields(body)
    if creating or "name" in fields:
        fields.text("name", 1, 100, required=True)
    fields.choice("auto_archive_duration", ARCHIVE_MINUTES)
    fields.number("rate_limit_per_user", 0, _SIX_HOURS)
    fields.choice("type", THREAD_TYPES)
    fields.ids("applied_tags", 0, 5)
    for name in ("archived", "locked", "invitable"):
        fields.flag(name)
    return fields.violations


def check_emoji(body: Any, *, creating: bool = False) -> list[Violation]:
    """Check the body that makes or changes an emoji of a guild."""
    fields = Fields(body)
    name = fields.text("name", 2, 32, required=creating)
    if name and not _WORD.fullmatch(name):
        fields.add("name", "STRING_TYPE_REGEX", "String value did not match validation regex.")
    fields.ids("roles", 0, 1521)
    if creating:
        _check_image(fields, body.get("image") if isinstance(body, dict) else None)
    return fields.violations


def image_of(data: str) -> tuple[str, bytes] | None:
    """Return the content type and bytes of an image in a data address, None when it is none."""
    found = _IMAGE.fullmatch(data)
    if found is None:
        return None
    try:
        return f"image/{found[1]}", base64.b64decode(found[2], validate=True)
    except binascii.Error:
        return None


def _check_image(fields: Fields, value: Any) -> None:
    if value is None:
        fields.add("image", "BASE_TYPE_REQUIRED", "This field is required")
        return
    image = image_of(value) if isinstance(value, str) else None
    if image is None:
        fields.add("image", "IMAGE_INVALID", "Invalid image data")
    elif len(image[1]) > LARGEST_EMOJI:
        fields.add("image", "BINARY_TYPE_MAX_SIZE", "File cannot be larger than 256.0 kb.")
