"""The limits of what concerns people: members, bans, invites, webhooks, events, command permissions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.server.limits.fields import Fields
from sandbox.server.limits.violation import Violation

_WEEK = 604_800
_LONGEST_TIMEOUT = timedelta(days=28)
_LONGEST_INVITE = 5_184_000
_NOT_IN_NAMES = ("clyde", "discord")
_STAGE, _VOICE, _EXTERNAL = 1, 2, 3


def check_member(body: Any, now: datetime) -> list[Violation]:
    """Check the body that changes a member."""
    fields = Fields(body)
    fields.text("nick", 0, 32)
    fields.ids("roles", 0, 350)
    fields.flag("mute")
    fields.flag("deaf")
    fields.id("channel_id")
    fields.number("flags", 0, 2**31 - 1)
    until = fields.moment("communication_disabled_until")
    if until is not None and until > now + _LONGEST_TIMEOUT:
        words = f"Must be before {(now + _LONGEST_TIMEOUT).isoformat()}."
        fields.add("communication_disabled_until", "DATE_TIME_TYPE_MAX", words)
    return fields.violations


def check_ban(body: Any) -> list[Violation]:
    """Check the body that bans one user; there need not be one."""
    fields = Fields(body or {})
    fields.number("delete_message_seconds", 0, _WEEK)
    fields.number("delete_message_days", 0, 7)
    return fields.violations


def check_bulk_ban(body: Any) -> list[Violation]:
    """Check the body that bans many users."""
    fields = Fields(body)
    fields.ids("user_ids", 1, 200, required=True)
    fields.number("delete_message_seconds", 0, _WEEK)
    return fields.violations


def check_webhook(body: Any, *, creating: bool = False) -> list[Violation]:
    """Check the body that makes or changes a webhook."""
    fields = Fields(body)
    if creating or "name" in fields:
        name = fields.text("name", 1, 80, required=True)
        _check_shown_name(fields, "name", name)
    fields.id("channel_id")
    return fields.violations


def check_shown_name(body: Any) -> list[Violation]:
    """Check the name that a webhook's message is to bear."""
    fields = Fields(body)
    _check_shown_name(fields, "username", fields.text("username", 1, 80))
    return fields.violations


def _check_shown_name(fields: Fields, field: str, name: str | None) -> None:
    for word in _NOT_IN_NAMES:
        if name and word in name.lower():
            words = f'Username cannot contain "{word}"'
            fields.add(field, "USERNAME_INVALID_CONTAINS", words)


def check_invite(body: Any) -> list[Violation]:
    """Check the body that makes an invite; there need not be one."""
    fields = Fields(body or {})
    fields.number("max_age", 0, _LONGEST_INVITE)
    fields.number("max_uses", 0, 100)
    fields.flag("temporary")
    fields.flag("unique")
    return fields.violations


def check_event(body: Any, kind: int, now: datetime, *, creating: bool = False) -> list[Violation]:
    """Check the body that makes a scheduled event, or changes one to be of a kind."""
    fields = Fields(body)
    if creating or "name" in fields:
        fields.text("name", 1, 100, required=True)
    fields.text("description", 0, 1000)
    fields.choice("privacy_level", (2,), required=creating)
    fields.choice("entity_type", (_STAGE, _VOICE, _EXTERNAL), required=creating)
    fields.choice("status", range(1, 5))
    fields.id("channel_id", required=creating and kind in (_STAGE, _VOICE))
    start = fields.moment("scheduled_start_time", required=creating)
    end = fields.moment("scheduled_end_time", required=creating and kind == _EXTERNAL)
    if start is not None and start <= now:
        words = "Cannot schedule event in the past."
        fields.add("scheduled_start_time", "GUILD_SCHEDULED_EVENT_SCHEDULE_PAST", words)
    if start is not None and end is not None and end <= start:
        words = "Cannot schedule event end before start."
        fields.add("scheduled_end_time", "GUILD_SCHEDULED_EVENT_SCHEDULE_END_BEFORE_START", words)
    if kind == _EXTERNAL and (creating or "entity_metadata" in fields):
        metadata = body.get("entity_metadata") if isinstance(body, dict) else None
        if metadata is None:
            fields.add("entity_metadata", "BASE_TYPE_REQUIRED", "This field is required")
        else:
            inner = Fields(metadata, ("entity_metadata",))
            inner.text("location", 1, 100, required=True)
            return [*fields.violations, *inner.violations]
    return fields.violations


def check_command_permissions(body: Any) -> list[Violation]:
    """Check the body that says who may use a command."""
    fields = Fields(body)
    if "permissions" not in fields:
        fields.add("permissions", "BASE_TYPE_REQUIRED", "This field is required")
    for each in fields.items("permissions", 0, 100):
        each.id("id", required=True)
        each.choice("type", (1, 2, 3), required=True)
        each.flag("permission")
    return fields.violations
