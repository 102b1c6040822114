"""Ranks: guest < member < officer < admin, and which one a member holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

import discord
from discord import app_commands

from core.i18n import translate as _

RANK_KEY = "redlegion_rank"
F = TypeVar("F")


class Rank(StrEnum):
    """What a member may do in a guild; each rank includes the ones before it."""

    GUEST = "guest"
    MEMBER = "member"
    OFFICER = "officer"
    ADMIN = "admin"

    @property
    def level(self) -> int:
        """Return 0 for guest up to 3 for admin."""
        return list(Rank).index(self)

    def includes(self, other: Rank) -> bool:
        """Say whether a holder of this rank may do what `other` may."""
        return self.level >= other.level


#: What a guild has that maps no role to a rank.
NO_RANKS: Mapping[int, Rank] = MappingProxyType({})
#: Roles that one sentence names.
MOST_NAMED = 10


def requires(rank: Rank | str) -> Callable[[F], F]:
    """Name the least rank that may run a command; every command states one.

    :param rank: guest, member, officer or admin.
    """
    wanted = Rank(rank)

    def mark(target: F) -> F:
        if isinstance(target, app_commands.Command):
            target.extras[RANK_KEY] = wanted
        else:
            target.__dict__[RANK_KEY] = wanted
        return target

    return mark


def rank_needed(command: app_commands.Command[Any, ..., Any]) -> Rank | None:
    """Return the rank that `requires` put on a command, or None when it states none."""
    rank = command.extras.get(RANK_KEY) or getattr(command.callback, RANK_KEY, None)
    return rank if isinstance(rank, Rank) else None


def rank_of(
    member: discord.Member | discord.User,
    permissions: discord.Permissions,
    mapping: Mapping[int, Rank] = NO_RANKS,
) -> Rank:
    """Return the rank of a member of a guild.

    Who may Manage Server is always an admin, so nobody can lock everybody out. For the others the guild's
    mapping decides; in a guild without one Manage Events makes an officer, and everyone else is a member.

    :param permissions: the member's permissions where the interaction was made.
    :param mapping: ranks by role id.
    :returns: with a mapping the highest rank among the member's roles; without such a role a member where no
        role is needed to be one, else a guest. Somebody who is not in the guild is a guest.
    """
    if not isinstance(member, discord.Member):
        return Rank.GUEST
    if permissions.administrator or permissions.manage_guild:
        return Rank.ADMIN
    if mapping:
        given = [mapping[role.id] for role in member.roles if role.id in mapping]
        least = Rank.GUEST if Rank.MEMBER in mapping.values() else Rank.MEMBER
        return max([least, *given], key=lambda rank: rank.level)
    return Rank.OFFICER if permissions.manage_events else Rank.MEMBER


def whom_to_ask(needed: Rank, mapping: Mapping[int, Rank] = NO_RANKS) -> str:
    """Return one sentence that tells a member who has, or can give, the rank that they lack.

    :param mapping: the guild's ranks by role id.
    """
    if not mapping:
        if needed is Rank.ADMIN:
            return _("Ask an admin: who may Manage Server is one.")
        return _("Ask an officer: who may Manage Events is one, and every admin.")
    roles = [role_id for role_id, rank in mapping.items() if rank.includes(needed)]
    if not roles:
        return _("No role has this rank here; ask somebody who may Manage Server.")
    roles.sort(key=lambda role_id: (mapping[role_id].level, role_id))
    return _("It comes with {roles}; ask somebody who may Manage Server for such a role.").format(
        roles=role_names(roles)
    )


def role_names(role_ids: Sequence[int]) -> str:
    """Return roles as Discord shows them, the first ten of them."""
    words = ", ".join(f"<@&{role_id}>" for role_id in role_ids[:MOST_NAMED])
    rest = len(role_ids) - MOST_NAMED
    return words if rest <= 0 else _("{names} and {n} more").format(names=words, n=rest)
