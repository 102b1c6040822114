"""What a server's own settings at Discord say of a command: who sees it, who does not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ROLE, USER, CHANNEL = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants to use a command, and where.

    :param role_ids: the member's roles, without @everyone.
    :param channel_id: of the channel, or of the channel that a thread hangs on.
    """

    guild_id: int
    user_id: int
    role_ids: Collection[int]
    channel_id: int
    administrator: bool = False


def hidden_by(
    listed: Sequence[Mapping[str, Any]], command_id: int | None, application_id: int, asker: Asker
) -> str | None:
    """Return what hides a command from a member: "channel", "user", "role", "everyone", or None.

    What is set for the command goes before what is set for all commands of the bot, and a member's own
    entry before those of roles; administrators see everything.

    :param listed: as Discord lists a guild's command permissions.
    :param command_id: of the top-level command; None when it is not in the menu.
    """
    if asker.administrator:
        return None
    rules = {int(each["id"]): each["permissions"] for each in listed}
    for key in (command_id, application_id):
        found = rules.get(key, ()) if key is not None else ()
        by_kind = {(int(rule["type"]), int(rule["id"])): bool(rule["permission"]) for rule in found}
        # The guild's id less one stands for all its channels.
        where = by_kind.get((CHANNEL, asker.channel_id), by_kind.get((CHANNEL, asker.guild_id - 1)))
        if where is False:
            return "channel"
        own = by_kind.get((USER, asker.user_id))
        if own is not None:
            return None if own else "user"
        held = [by_kind[ROLE, role] for role in asker.role_ids if (ROLE, role) in by_kind]
        if held:
            return None if any(held) else "role"
        everyone = by_kind.get((ROLE, asker.guild_id))
        if everyone is not None:
            return None if everyone else "everyone"
    return None
