"""Ranks: guest < member < officer < admin, and which one a member holds."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import discord
from discord import app_commands

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


def rank_of(member: discord.Member | discord.User, permissions: discord.Permissions) -> Rank:
    """Return a member's rank by Discord permissions, until a guild maps roles to ranks.

    Manage Server makes an admin, Manage Events an officer, everyone else in the guild a member.

    :param permissions: the member's permissions where the interaction was made.
    """
    if not isinstance(member, discord.Member):
        return Rank.GUEST
    if permissions.administrator or permissions.manage_guild:
        return Rank.ADMIN
    if permissions.manage_events:
        return Rank.OFFICER
    return Rank.MEMBER
