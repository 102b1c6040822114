"""What moderators did, as a guild's audit log keeps it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from sandbox.server import permissions
from sandbox.server.payloads import Json

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild

KEPT = 5_000
"""Entries kept; Discord forgets after 45 days."""


class Action(IntEnum):
    """Discord's numbers of what can be done."""

    GUILD_UPDATE = 1
    CHANNEL_CREATE = 10
    CHANNEL_UPDATE = 11
    CHANNEL_DELETE = 12
    OVERWRITE_CREATE = 13
    OVERWRITE_UPDATE = 14
    OVERWRITE_DELETE = 15
    KICK = 20
    BAN = 22
    UNBAN = 23
    MEMBER_UPDATE = 24
    MEMBER_ROLES = 25
    MEMBER_MOVE = 26
    MEMBER_DISCONNECT = 27
    BOT_ADD = 28
    ROLE_CREATE = 30
    ROLE_UPDATE = 31
    ROLE_DELETE = 32
    INVITE_CREATE = 40
    INVITE_DELETE = 42
    WEBHOOK_CREATE = 50
    WEBHOOK_UPDATE = 51
    WEBHOOK_DELETE = 52
    EMOJI_CREATE = 60
    EMOJI_UPDATE = 61
    EMOJI_DELETE = 62
    MESSAGE_DELETE = 72
    MESSAGE_BULK_DELETE = 73
    MESSAGE_PIN = 74
    MESSAGE_UNPIN = 75
    EVENT_CREATE = 100
    EVENT_UPDATE = 101
    EVENT_DELETE = 102
    THREAD_CREATE = 110
    THREAD_UPDATE = 111
    THREAD_DELETE = 112
    COMMAND_PERMISSIONS = 121


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: who, what, to whom, and what it changed."""

    id: int
    actor_id: int
    action: Action
    target_id: int | None
    changes: tuple[Json, ...] = ()
    options: Json | None = None
    reason: str | None = None


class AuditLog:
    """A guild's audit log; each entry is dispatched to a bot that may see it."""

    def __init__(self, guild: Guild) -> None:
        self._guild = guild
        self.entries: deque[Entry] = deque(maxlen=KEPT)

    def write(
        self,
        actor_id: int,
        action: Action,
        target_id: int | None,
        *,
        changes: Iterable[Json] = (),
        options: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> Entry:
        """Add an entry. ``options`` are kept as text, as Discord keeps them."""
        guild = self._guild
        entry = Entry(
            guild.world.mint.next(),
            actor_id,
            action,
            target_id,
            tuple(changes),
            {name: str(value) for name, value in options.items()} if options else None,
            reason,
        )
        self.entries.append(entry)
        bot = guild.members.get(guild.world.bot_user.id)
        if bot is not None and permissions.in_guild(guild, bot) & permissions.VIEW_AUDIT_LOG:
            body = shape(entry) | {"guild_id": str(guild.id)}
            guild.world.hub.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE", body, guild_id=guild.id)
        return entry


def changed(before: Json | None, after: Json | None, names: Iterable[str]) -> list[Json]:
    """Return the changes between two shapes of a thing; None: it was not there, or is not any more."""
    found: list[Json] = []
    for name in names:
        old, new = (before or {}).get(name), (after or {}).get(name)
        if old == new:
            continue
        change: Json = {"key": name}
        if old is not None:
            change["old_value"] = old
        if new is not None:
            change["new_value"] = new
        found.append(change)
    return found


def shape(one: Entry) -> Json:
    """Return an audit log entry as JSON."""
    body: Json = {
        "id": str(one.id),
        "user_id": str(one.actor_id),
        "target_id": None if one.target_id is None else str(one.target_id),
        "action_type": int(one.action),
    }
    if one.changes:
        body["changes"] = list(one.changes)
    if one.options:
        body["options"] = one.options
    if one.reason:
        body["reason"] = one.reason
    return body
