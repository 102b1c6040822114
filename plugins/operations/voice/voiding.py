"""Voiding a voice session: it is asked before, said in words, and can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import discord
from discord import app_commands

from plugins.operations import service, store
from plugins.operations.rules.values import OperationView
from plugins.operations.store import VoiceStay
from plugins.operations.views import duration
from plugins.operations.voice import embeds
from redlegion import Component, Context, UserError, custom_id, deferred_if_slow, reply, shown
from redlegion import translate as _

Interaction = discord.Interaction[Any]

#: A number of fewer digits fits in 64 bits whatever they are.
_MOST_DIGITS = 19


async def choices(
    ctx: Context, user_id: int | None, typed: str, *, voided: bool
) -> list[app_commands.Choice[str]]:
    """Offer a member's newest sessions whose words hold what was typed; none before a member is chosen."""
    if user_id is None:
        return []
    stays = await ctx.read(store.recent_stays, ctx.guild_id, user_id, voided=voided)
    found: dict[str, str] = {}
    for each in stays:
        words = _words(ctx, each)[:90]
        # Discord refuses two choices of one name, which very short stays may have.
        same = sum(name.startswith(words) for name in found)
        found[f"{words} ({same + 1})" if same else words] = str(each.session_id)
    return [
        app_commands.Choice(name=name, value=value)
        for name, value in found.items()
        if typed.casefold() in name.casefold() or typed == value
    ]


async def ask(interaction: Interaction, ctx: Context, user_id: int, session: str, reason: str) -> None:
    """Show what would be voided, with a button that does it.

    :raises UserError: there is no such session of this member, it is void already, or nothing but spaces is
        the reason.
    """
    if not reason.strip():
        raise UserError(
            _("A reason of nothing but spaces says nothing."), _("Say in a few words why it is voided.")
        )
    stay = await _stay(ctx, user_id, session)
    if stay.void_reason is not None:
        raise _already_void()
    with _refusals():
        await ctx.read(store.refuse_paid, ctx.guild_id, stay.session_id)
    view = discord.ui.View(timeout=None)
    view.add_item(
        discord.ui.Button(
            label=_("Void the session"),
            style=discord.ButtonStyle.danger,
            custom_id=custom_id(service.NAME, "voice_void", stay.session_id),
        )
    )
    embed = embeds.void_embed(stay, reason.strip(), lambda channel: f"<#{channel}>")
    await reply(interaction, embed=embed, view=shown(view), ephemeral=True)


async def confirmed(interaction: Interaction, ctx: Context, key: str) -> None:
    """Void the session: the button under the question, which holds the reason."""
    message = interaction.message
    fields = message.embeds[0].fields if message is not None and message.embeds else []
    reason = str(fields[-1].value or "").strip() if fields else ""
    if not reason:
        raise UserError(
            _("This message is from an older version of me and no longer works."), _("Run /voice void again.")
        )
    stay = await _stay(ctx, None, key)
    async with deferred_if_slow(interaction):
        # What was said before must be committed before credit is computed anew.
        await ctx.voice.settled()
        names = service.display_names(ctx, [stay.user_id])
        with _refusals():
            touched = await ctx.write(
                store.void,
                ctx.guild_id,
                stay.session_id,
                interaction.user.id,
                reason,
                at=ctx.clock.now(),
                names=names,
            )
    if touched is None:
        raise _already_void()
    words = _("✅ Voided: {session}. It credits nothing any more.").format(session=_mentioned(stay))
    text = "\n".join([words, *_consequences(touched)])
    if interaction.response.is_done():
        await interaction.edit_original_response(content=text, embed=None, view=None)
    else:
        await interaction.response.edit_message(content=text, embed=None, view=None)


async def take_back(interaction: Interaction, ctx: Context, user_id: int, session: str) -> None:
    """Let a voided session count again.

    :raises UserError: there is no such session of this member, or it is not void.
    """
    stay = await _stay(ctx, user_id, session)
    async with deferred_if_slow(interaction, ephemeral=True):
        await ctx.voice.settled()
        names = service.display_names(ctx, [stay.user_id])
        with _refusals():
            touched = await ctx.write(
                store.unvoid,
                ctx.guild_id,
                stay.session_id,
                interaction.user.id,
                at=ctx.clock.now(),
                names=names,
            )
    if touched is None:
        raise UserError(
            _("This session is not void, so there is nothing to take back."),
            _("Pick one from the list that the option `session` offers."),
        )
    words = _("✅ It counts again: {session}.").format(session=_mentioned(stay))
    await reply(interaction, "\n".join([words, *_consequences(touched)]), ephemeral=True)


def components() -> list[Component]:
    """Return the handler of the button that voids."""
    return [Component(action="voice_void", handler=confirmed, rank="officer")]


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except store.AlreadyPaid as error:
        raise UserError(
            _("This session is part of {title}, whose payroll is locked, so it stays as it is.").format(
                title=error.operation.title
            ),
            _("What was paid by then can only be settled between you."),
        ) from None
    except store.NoSuchSession:
        raise _unknown() from None


async def _stay(ctx: Context, user_id: int | None, session: str) -> VoiceStay:
    """Return the session that is meant.

    :param user_id: whose it must be; None for anybody's.
    :raises UserError: there is no such session.
    """
    text = session.strip()
    found = None
    if text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS:
        found = await ctx.read(store.find_stay, ctx.guild_id, int(text))
    if found is None:
        raise _unknown()
    if user_id not in (None, found.user_id):
        raise UserError(
            _("This voice session is <@{owner}>'s, not <@{member}>'s.").format(
                owner=found.user_id, member=user_id
            ),
            _("Choose <@{owner}> as the member, or pick another session from the list.").format(
                owner=found.user_id
            ),
        )
    return found


def _unknown() -> UserError:
    return UserError(
        _("There is no such voice session here."),
        _("Pick one from the list that the option `session` offers; it lists those of the chosen member."),
    )


def _already_void() -> UserError:
    return UserError(
        _("This session is void already; the first reason stays."), _("/voice unvoid takes it back.")
    )


def _words(ctx: Context, stay: VoiceStay) -> str:
    """Return a session as a menu shows it, which knows neither mentions nor Discord's times."""
    guild = ctx.guild
    channel = guild.get_channel(stay.channel_id) if guild is not None else None
    place = channel.name if channel is not None else _("a channel that is gone")
    began = stay.joined.astimezone(ctx.settings.tz).strftime("%Y-%m-%d %H:%M")
    lasted = None if stay.left is None else int((stay.left - stay.joined).total_seconds())
    length = _("goes on") if lasted is None else duration(lasted)
    return f"{began} · {place} · {length}"


def _mentioned(stay: VoiceStay) -> str:
    return f"<@{stay.user_id}> <#{stay.channel_id}> {embeds.span_of(stay)}"


def _consequences(touched: list[OperationView]) -> list[str]:
    """Say what became of the operations that a session touches."""
    return [
        _("{title}: its participants were computed anew.").format(title=each.title)
        if each.ended_at is not None
        else _("{title} goes on without an interruption; its credit follows.").format(title=each.title)
        for each in touched
    ]
