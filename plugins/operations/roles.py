"""Who holds the role that a guild asks for: as it is now, as it changes, and once the role itself is gone.

A role that is gone is asked of nobody, or all would lose their time without a word. When it went is heard in
the same order as what members were given and lost before, so it is that order which decides what news of a
member's roles still mean, not what is left of the role by the time they are handled.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import discord

from core.events import MemberRolesChanged, Resync, RoleDeleted
from plugins.operations import quiet, store
from plugins.operations.rules.linking import NO_ROLE, Roles
from redlegion import Context

NAME = "operations"

_gone: WeakKeyDictionary[discord.Client, dict[int, int]] = WeakKeyDictionary()


def roles_now(ctx: Context) -> Roles:
    """Return what is known now of who holds the role that the guild asks for."""
    wanted, guild = _wanted(ctx), ctx.guild
    if wanted is None or is_gone(ctx):
        return NO_ROLE
    if guild is None:
        return Roles(required=True)
    return Roles(required=True, held={each.id: each.get_role(wanted) is not None for each in guild.members})


def role_of(ctx: Context, user_id: int) -> Roles:
    """Return what `roles_now` does, for one member only."""
    wanted, guild = _wanted(ctx), ctx.guild
    if wanted is None or is_gone(ctx):
        return NO_ROLE
    member = guild.get_member(user_id) if guild is not None else None
    held = {} if member is None else {user_id: member.get_role(wanted) is not None}
    return Roles(required=True, held=held)


def is_gone(ctx: Context) -> bool:
    """Return whether the guild asks for a role that no longer exists, so that nobody needs it."""
    wanted, guild = _wanted(ctx), ctx.guild
    return wanted is not None and guild is not None and guild.get_role(wanted) is None


async def change_role(ctx: Context, event: MemberRolesChanged) -> None:
    """Let a member's time count from when they got the required role, or no longer once it is taken."""
    wanted = _wanted(ctx)
    if wanted is None or _told(ctx).get(ctx.guild_id) == wanted or not await quiet.anything_runs(ctx):
        return
    held = wanted in event.role_ids
    await ctx.write(
        store.change_role,
        ctx.guild_id,
        event.user_id,
        held,
        event.at,
        ctx.clock.now(),
        unseen_since=event.unseen_since,
    )


async def role_deleted(ctx: Context, event: RoleDeleted) -> None:
    """Let everybody's time count from when the required role was deleted."""
    if event.role_id != _wanted(ctx):
        return
    notice(ctx)
    if await quiet.anything_runs(ctx):
        await ctx.voice.settled()
        await ctx.write(store.resync_links, ctx.guild_id, NO_ROLE, event.at, unseen_since=event.unseen_since)


async def look_again(ctx: Context, event: Resync) -> None:
    """Decide anew for everybody whose sessions go on: changes of roles may have been missed."""
    now, unseen_since = ctx.clock.now(), event.unseen_since
    if unseen_since is None and event.reason in {"overflow", "breaker", "enabled"}:
        # It was seen, but not by us, and nobody can tell when.
        unseen_since = now
    await ctx.write(store.resync_links, ctx.guild_id, roles_now(ctx), now, unseen_since=unseen_since)


def notice(ctx: Context) -> None:
    """Note whether the required role is gone, and tell it to the log the first time."""
    wanted, told = _wanted(ctx), _told(ctx)
    if wanted is None or not is_gone(ctx):
        told.pop(ctx.guild_id, None)
    elif told.get(ctx.guild_id) != wanted:
        told[ctx.guild_id] = wanted
        ctx.log.warning(
            "the required role %d of guild %d is gone, so none is required until another one is set with "
            "/plugins settings",
            wanted,
            ctx.guild_id,
        )


def _told(ctx: Context) -> dict[int, int]:
    return _gone.setdefault(ctx.bot, {})


def _wanted(ctx: Context) -> int | None:
    settings: Any = (ctx if ctx.plugin == NAME else ctx.peer(NAME)).settings
    wanted: int | None = settings.required_role_id
    return wanted
