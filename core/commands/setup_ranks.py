"""`/setup ranks`: which roles make a member, an officer, an admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import discord

from core.commands.panels import Interaction, button, panel, rows, show
from core.commands.patience import deferred_if_slow
from core.commands.replies import outdated, selected
from core.commands.table import CORE
from core.guilds.rank_table import MOST_ROLES
from core.guilds.ranks import Rank, role_names
from core.i18n import translate as _
from core.manifest import Component, custom_id

if TYPE_CHECKING:
    from core.context import Context

#: The ranks that roles can give; who has none is a guest.
GIVEN = (Rank.ADMIN, Rank.OFFICER, Rank.MEMBER)


def rank_words(rank: Rank) -> str:
    """Return what a rank is called."""
    return {
        Rank.GUEST: _("guest"),
        Rank.MEMBER: _("member"),
        Rank.OFFICER: _("officer"),
        Rank.ADMIN: _("admin"),
    }[rank]


def ranks_text(mapping: Mapping[int, Rank]) -> str:
    """Return in words who holds which rank.

    :param mapping: ranks by role id.
    """
    if not mapping:
        return _(
            "No role gives a rank: who may Manage Server is an admin, who may Manage Events an officer, "
            "everybody else a member."
        )
    lines = []
    for rank in GIVEN:
        roles = sorted(role_id for role_id, each in mapping.items() if each is rank)
        names = role_names(roles) if roles else _("no role")
        lines.append(f"**{rank_words(rank).capitalize()}**: {names}")
    lines.append(
        _("Everybody else is a guest.")
        if Rank.MEMBER in mapping.values()
        else _("Everybody else is a member.")
    )
    lines.append(_("Who may Manage Server is always an admin."))
    return "\n".join(lines)


def ranks_panel(
    mapping: Mapping[int, Rank], guild: discord.Guild | None, note: str = ""
) -> discord.ui.LayoutView:
    """Return the panel with a menu of roles for each rank.

    :param note: what has just happened, a sentence.
    """
    heading = ["### " + _("Ranks in this server"), ranks_text(mapping), *([note] if note else [])]
    items: list[discord.ui.Item[Any] | str] = ["\n".join(heading)]
    for rank in GIVEN:
        there = [
            role_id
            for role_id, each in mapping.items()
            if each is rank and (guild is None or guild.get_role(role_id) is not None)
        ]
        menu: discord.ui.RoleSelect[Any] = discord.ui.RoleSelect(
            custom_id=custom_id(CORE, "rank_roles", rank.value),
            placeholder=_("Roles that make an {rank}: none").format(rank=rank_words(rank))
            if rank is not Rank.MEMBER
            else _("Roles that make a member: none"),
            min_values=0,
            max_values=MOST_ROLES,
            default_values=[
                discord.SelectDefaultValue(id=role_id, type=discord.SelectDefaultValueType.role)
                for role_id in there[:MOST_ROLES]
            ],
        )
        items.append(discord.ui.ActionRow(menu))
    if mapping:
        items += rows(
            [button(_("Go by Discord's permissions again"), "rank_clear", style=discord.ButtonStyle.danger)]
        )
    return panel(items)


async def choose_roles(interaction: Interaction, ctx: Context, key: str) -> None:
    """Let exactly the chosen roles give a rank, from now on."""
    if key not in set(GIVEN):
        raise outdated()
    rank = Rank(key)
    guilds = ctx.runtime.guilds
    before = guilds.ranks(ctx.guild_id)
    chosen = [int(value) for value in selected(interaction)]
    moved = [role_id for role_id in chosen if before.get(role_id, rank) is not rank]
    async with deferred_if_slow(interaction, ephemeral=True):
        await guilds.set_rank_roles(ctx.guild_id, rank, chosen, interaction.user.id)
    note = _("✅ Saved, and in effect now.")
    if moved:
        note += " " + _("A role gives one rank only, so {roles} moved to {rank}.").format(
            roles=role_names(moved), rank=rank_words(rank)
        )
    await show(interaction, ranks_panel(guilds.ranks(ctx.guild_id), ctx.guild, note))


async def clear(interaction: Interaction, ctx: Context, key: str) -> None:
    """Map no role any more."""
    async with deferred_if_slow(interaction, ephemeral=True):
        await ctx.runtime.guilds.set_ranks(ctx.guild_id, {}, interaction.user.id)
    note = _("✅ Saved, and in effect now. /setup audit shows how it was before.")
    await show(interaction, ranks_panel(ctx.runtime.guilds.ranks(ctx.guild_id), ctx.guild, note))


def rank_components() -> list[Component]:
    """Return the handlers of the panel; all of them are for admins."""
    return [
        Component(action="rank_roles", handler=choose_roles, rank="admin"),
        Component(action="rank_clear", handler=clear, rank="admin"),
    ]
