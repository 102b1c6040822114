"""/voice why: each of a member's sessions with what was decided on it, when and for which reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import discord

from plugins.operations import store
from plugins.operations.choosing import choose_operation
from plugins.operations.keys import numbers
from plugins.operations.roles import role_of
from plugins.operations.rules.linking import Decision, Reason
from plugins.operations.store import History, Judged
from plugins.operations.views import COLOUR, duration, fit, headed, plain
from plugins.operations.voice.embeds import same_title
from plugins.operations.voice.pages import channel_names, replace, turning
from plugins.operations.windows.embeds import window_lines
from redlegion import Component, Context, UserError, clean_name, deferred_if_slow, reply
from redlegion import translate as _

Interaction = discord.Interaction[Any]

ACTION = "voice_why"
PER_PAGE = 6
#: Decisions of one session that are listed; the newest are left out.
_MOST = 8
_LIST = 3_900
#: A decision that was made so much later than it holds from says when it was made.
_LATER = timedelta(seconds=5)


async def show(interaction: Interaction, ctx: Context, wanted: str | None, user_id: int) -> None:
    """Answer with a member's sessions and what was decided on them."""
    async with deferred_if_slow(interaction, ephemeral=True):
        operation = await choose_operation(ctx, wanted)
        embed, view = await _page(ctx, operation.id, user_id, 0)
    await reply(interaction, embed=embed, view=view, ephemeral=True)


async def turn(interaction: Interaction, ctx: Context, key: str) -> None:
    """Show other sessions."""
    operation_id, user_id, page = numbers(key, 3)
    async with deferred_if_slow(interaction):
        embed, view = await _page(ctx, operation_id, user_id, page)
    await replace(interaction, (embed, view, None))


def components() -> list[Component]:
    """Return the handler of the buttons."""
    return [Component(action=ACTION, handler=turn, rank="officer")]


async def _page(
    ctx: Context, operation_id: int, user_id: int, page: int
) -> tuple[discord.Embed, discord.ui.View]:
    await ctx.voice.settled()
    now = ctx.clock.now()
    roles = role_of(ctx, user_id)
    found = await ctx.read(store.history, ctx.guild_id, operation_id, user_id, now, roles)
    if found is None:
        raise UserError(_("There is no such operation here."), _("Run the command again and pick one."))
    if not found.sessions:
        raise UserError(
            _("<@{user}> was not in voice while {title} ran, so nothing was decided.").format(
                user=user_id, title=found.operation.title
            ),
            _("Pick another operation with `operation`; /operation windows shows when it ran."),
        )
    pages = -(-len(found.sessions) // PER_PAGE)
    page = min(page, pages - 1)
    embed = _embed(ctx, found, user_id, page, pages)
    return embed, turning(ACTION, f"{operation_id}.{user_id}", page, pages)


def _embed(ctx: Context, found: History, user_id: int, page: int, pages: int) -> discord.Embed:
    embed = discord.Embed(title=headed(found.operation, found.namesakes), colour=COLOUR)
    guild = ctx.guild
    member = guild.get_member(user_id) if guild is not None else None
    name = plain(clean_name(member.display_name)) if member is not None else f"<@{user_id}>"
    now = ctx.clock.now()
    lines = ["**" + _("Why {name}'s time counts or does not").format(name=name) + "**"]
    lines += same_title(found.operation, found.namesakes)
    if not page:
        lines += [_("The operation ran:"), *window_lines(found.windows, now)]
    channel = channel_names(ctx, {})
    for each in found.sessions[page * PER_PAGE : (page + 1) * PER_PAGE]:
        lines += ["", *_session_lines(each, channel(each.session.channel_id))]
    embed.description = fit(lines, _LIST)
    notes = [_("✅: the operation ran, the channel was tracked, and no required role was missing.")]
    if pages > 1:
        notes.insert(0, _("Page {page} of {pages}").format(page=page + 1, pages=pages))
    embed.set_footer(text=" · ".join(notes))
    return embed


def _session_lines(judged: Judged, channel: str) -> list[str]:
    session = judged.session
    begun = f"<t:{int(session.joined.timestamp())}:f>"
    if session.left is None:
        span = _("since {since}").format(since=begun)
    else:
        span = f"{begun}–<t:{int(session.left.timestamp())}:t>"
    sums = _("{counted} of {lasted} counted").format(
        counted=duration(judged.counted, exact=True), lasted=duration(judged.lasted, exact=True)
    )
    lines = [f"**{channel}** {span}", sums]
    if judged.void_reason is not None:
        lines.append("❌ " + _("voided: {reason}").format(reason=plain(judged.void_reason)))
    if session.afk:
        lines.append("❌ " + _("the AFK channel never counts"))
    elif not judged.decisions:
        lines.append(_("nothing was decided on it yet"))
    shown = judged.decisions[:_MOST]
    lines += [_decision_line(each) for each in shown]
    if left := len(judged.decisions) - len(shown):
        lines.append(_("… and {count} more").format(count=left))
    return lines


def _decision_line(decision: Decision) -> str:
    mark = "✅" if decision.linked else "❌"
    words = f"{mark} <t:{int(decision.since.timestamp())}:T> {_why(decision)}"
    if decision.unseen_since is not None:
        since = f"<t:{int(decision.unseen_since.timestamp())}:T>"
        words = _("{decision}; ≈ I was offline when the roles changed, at some time since {when}").format(
            decision=words, when=since
        )
    if decision.decided_at - decision.since < _LATER:
        return words
    decided = f"<t:{int(decision.decided_at.timestamp())}:f>"
    return _("{decision} (decided {when})").format(decision=words, when=decided)


def _why(decision: Decision) -> str:
    match decision.reason:
        case Reason.COUNTS:
            return _("counts")
        case Reason.UNKNOWN:
            return _("counts, though I could not see which roles the member held")
        case Reason.ROLE:
            return _("the required role is missing")
        case Reason.CLOSED:
            words = _("outside the operation's windows")
        case Reason.UNTRACKED:
            words = _("the channel does not count for the operation")
    if decision.held is False:
        return _("{reason}; the required role is missing too").format(reason=words)
    return words
