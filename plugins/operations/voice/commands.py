"""/voice me, member, operation, why, void and unvoid."""

from __future__ import annotations

from typing import Any, cast

import discord
from discord import app_commands

from plugins.operations.choosing import operation_choices
from plugins.operations.voice import pages, voiding, why
from redlegion import Context, Rank, requires

Interaction = discord.Interaction[Any]
Choices = list[app_commands.Choice[str]]

voice = app_commands.Group(name="voice", description="Time spent in voice channels", guild_only=True)


@voice.command(name="me", description="See where you were during an operation, and what it earned you")
@app_commands.describe(operation="Which one; the one that runs or ran last by default")
@requires("member")
async def me(interaction: Interaction, operation: str | None = None) -> None:
    """Show the asking member's own evening."""
    await pages.show_member(interaction, Context.of(interaction), operation, interaction.user.id)


@voice.command(name="member", description="See where a member was during an operation")
@app_commands.describe(
    member="Whose time", operation="Which operation; the one that runs or ran last by default"
)
@requires("officer")
async def one(interaction: Interaction, member: discord.User, operation: str | None = None) -> None:
    """Show somebody's evening."""
    await pages.show_member(interaction, Context.of(interaction), operation, member.id)


@voice.command(name="operation", description="See how an operation went; officers see who was where")
@app_commands.describe(operation="Which one; the one that runs or ran last by default")
@requires("member")
async def whole(interaction: Interaction, operation: str | None = None) -> None:
    """Show an operation: names and a picture are for officers."""
    ctx = Context.of(interaction)
    rank = ctx.runtime.guilds.rank_of(ctx.guild_id, interaction.user, interaction.permissions)
    await pages.show_operation(interaction, ctx, operation, everybody=rank.includes(Rank.OFFICER))


@voice.command(name="why", description="See why a member's voice sessions count for an operation or do not")
@app_commands.describe(
    member="Whose time", operation="Which operation; the one that runs or ran last by default"
)
@requires("officer")
async def reasons(interaction: Interaction, member: discord.User, operation: str | None = None) -> None:
    """Show what was decided on somebody's sessions."""
    await why.show(interaction, Context.of(interaction), operation, member.id)


@voice.command(name="void", description="Let a voice session count for nothing, with a reason")
@app_commands.describe(
    member="Whose session", session="Which of their sessions", reason="Why; kept in the change log"
)
@requires("officer")
async def void(
    interaction: Interaction,
    member: discord.User,
    session: str,
    reason: app_commands.Range[str, 1, 300],
) -> None:
    """Ask whether a session is to be voided."""
    await voiding.ask(interaction, Context.of(interaction), member.id, session, reason)


@voice.command(name="unvoid", description="Let a voided voice session count again")
@app_commands.describe(member="Whose session", session="Which of their voided sessions")
@requires("officer")
async def unvoid(interaction: Interaction, member: discord.User, session: str) -> None:
    """Take a voiding back."""
    await voiding.take_back(interaction, Context.of(interaction), member.id, session)


@me.autocomplete("operation")
@one.autocomplete("operation")
@whole.autocomplete("operation")
@reasons.autocomplete("operation")
async def operations(interaction: Interaction, typed: str) -> Choices:
    """Offer the operations whose title holds what was typed."""
    return await operation_choices(Context.of(interaction), typed)


@void.autocomplete("session")
async def sessions(interaction: Interaction, typed: str) -> Choices:
    """Offer the chosen member's newest sessions."""
    return await voiding.choices(Context.of(interaction), _member_in(interaction), typed, voided=False)


@unvoid.autocomplete("session")
async def voided_sessions(interaction: Interaction, typed: str) -> Choices:
    """Offer the chosen member's voided sessions."""
    return await voiding.choices(Context.of(interaction), _member_in(interaction), typed, voided=True)


def _member_in(interaction: Interaction) -> int | None:
    """Return who has been filled in beside the option that is being typed, None for nobody yet."""
    member = cast(Any, getattr(interaction.namespace, "member", None))
    return int(member.id) if member is not None else None
