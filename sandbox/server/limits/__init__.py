"""Discord's written limits that its OpenAPI document is silent on, as pure functions over JSON bodies."""

from __future__ import annotations

from sandbox.server.limits.callbacks import check_callback
from sandbox.server.limits.commands import check_commands
from sandbox.server.limits.guilds import (
    check_channel,
    check_emoji,
    check_guild,
    check_overwrite,
    check_role,
    check_thread,
    image_of,
)
from sandbox.server.limits.members import (
    check_ban,
    check_bulk_ban,
    check_command_permissions,
    check_event,
    check_invite,
    check_member,
    check_shown_name,
    check_webhook,
)
from sandbox.server.limits.messages import check_message
from sandbox.server.limits.violation import Violation, error_body

__all__ = [
    "Violation",
    "check_ban",
    "check_bulk_ban",
    "check_callback",
    "check_channel",
    "check_command_permissions",
    "check_commands",
    "check_emoji",
    "check_event",
    "check_guild",
    "check_invite",
    "check_member",
    "check_message",
    "check_overwrite",
    "check_role",
    "check_shown_name",
    "check_thread",
    "check_webhook",
    "error_body",
    "image_of",
]
