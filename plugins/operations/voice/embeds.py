"""What /voice says in words: embeds that stay inside Discord's limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import discord

from plugins.operations.rules.spans import seconds
from plugins.operations.rules.statistics import MemberEvening, Step
from plugins.operations.rules.values import OperationView
from plugins.operations.store import Evening, VoiceStay
from plugins.operations.views import COLOUR, duration, fit, footnote, headed, plain, timed
from redlegion import translate as _

#: Stays listed on one page.
STEPS_PER_PAGE = 20
#: Characters of a list; Discord takes 4,096 in a description.
_LIST = 3_900
_MICROSECOND = timedelta(microseconds=1)
#: Characters of the reason of a voiding in a list.
_REASON = 100

Named = Callable[[int], str]


def member_embed(
    evening: Evening, member: MemberEvening, name: str, page: int, channel: Named
) -> discord.Embed:
    """Return one member's evening: the figures, and a page of the chain of their channels.

    :param page: from 0; one that does not exist is the last.
    :param channel: how a channel is named.
    """
    pages = pages_of(member)
    page = min(page, pages - 1)
    embed = _about(evening)
    shown = member.steps[page * STEPS_PER_PAGE : (page + 1) * STEPS_PER_PAGE]
    head = ["**" + plain(name) + "**", *_namesakes(evening)]
    embed.description = fit([*head, *(_step_line(step, channel) for step in shown)], _LIST)
    embed.add_field(name=_("Credited"), value=timed(member.seconds, member.estimated, exact=True))
    embed.add_field(name=_("Of the operation"), value=_percent(member.present))
    embed.add_field(name=_("Deafened"), value=_percent(member.deafened))
    embed.add_field(name=_("First seen"), value=_when(member.first_seen))
    last = _when(member.last_seen)
    if member.sits_in is not None:
        last = _("is in {channel} now").format(channel=channel(member.sits_in))
    embed.add_field(name=_("Last seen"), value=last)
    if member.channels:
        totals = sorted(member.channels.items(), key=lambda each: (-each[1], each[0]))
        lines = [f"{channel(each)} · {duration(seconds, exact=True)}" for each, seconds in totals]
        embed.add_field(name=_("By channel"), value=fit(lines, 1_000), inline=False)
    _foot(embed, member.estimated or any(_unsure(step) for step in shown), page, pages)
    return embed


def totals_embed(evening: Evening, channel: Named) -> discord.Embed:
    """Return what all members may see of an operation: sums, and nobody's name."""
    embed = _about(evening)
    sums: Counter[int] = Counter()
    for member in evening.members:
        sums.update(member.channels)
    lines = [f"{channel(each)} · {duration(seconds, exact=True)}" for each, seconds in sums.most_common()]
    if not lines:
        ended = evening.operation.ended_at is not None
        lines = [_("Nobody has any credited time.") if ended else _("Nobody has any credited time yet.")]
    embed.description = fit([*_namesakes(evening), *lines], _LIST)
    _add_sums(embed, evening)
    _foot(embed, any(member.estimated for member in evening.members), 0, 1)
    return embed


def operation_embed(
    evening: Evening, members: Sequence[MemberEvening], first: int, pages: tuple[int, int], called: Named
) -> discord.Embed:
    """Return what officers see of an operation: everybody on this page, with their figures.

    :param members: those on this page.
    :param first: the place of the first of them.
    :param pages: (page from 0, number of pages).
    :param called: what a member is called.
    """
    embed = _about(evening)
    lines = [
        _member_line(place, member, called(member.user_id)) for place, member in enumerate(members, first)
    ]
    if not lines:
        ended = evening.operation.ended_at is not None
        lines = [
            _("Nobody sat in a tracked channel.") if ended else _("Nobody has sat in a tracked channel yet.")
        ]
    embed.description = fit([*_namesakes(evening), *lines], _LIST)
    _add_sums(embed, evening)
    _foot(embed, any(member.estimated for member in members), *pages)
    return embed


def void_embed(stay: VoiceStay, reason: str, channel: Named) -> discord.Embed:
    """Return the question whether a session is to be voided; its last field is the reason, as given."""
    embed = discord.Embed(title=_("Void this session?"), colour=COLOUR)
    embed.description = _(
        "{member} in {channel}, {span}. It is kept, but credits nothing any more; "
        "/voice unvoid takes it back."
    ).format(member=f"<@{stay.user_id}>", channel=channel(stay.channel_id), span=span_of(stay))
    embed.add_field(name=_("Reason"), value=reason, inline=False)
    return embed


def span_of(stay: VoiceStay) -> str:
    """Return when a session began and ended, as Discord shows times."""
    joined = int(stay.joined.timestamp())
    if stay.left is None:
        return _("since {since}").format(since=f"<t:{joined}:f>")
    seconds = int((stay.left - stay.joined).total_seconds())
    return f"<t:{joined}:f>–<t:{int(stay.left.timestamp())}:t> ({duration(seconds)})"


def pages_of(member: MemberEvening) -> int:
    """Return how many pages a member's chain takes."""
    return max(-(-len(member.steps) // STEPS_PER_PAGE), 1)


def same_title(operation: OperationView, namesakes: Sequence[int]) -> list[str]:
    """Return a line that says which operation this is, where others have its title; none otherwise."""
    if not namesakes:
        return []
    others = ", ".join(f"#{each}" for each in namesakes)
    return [
        _("This is #{id}; {others} has the same title: pick it with `operation`.").format(
            id=operation.id, others=others
        )
        if len(namesakes) == 1
        else _("This is #{id}; {others} have the same title: pick one with `operation`.").format(
            id=operation.id, others=others
        )
    ]


def _about(evening: Evening) -> discord.Embed:
    return discord.Embed(title=headed(evening.operation, evening.namesakes), colour=COLOUR)


def _namesakes(evening: Evening) -> list[str]:
    return same_title(evening.operation, evening.namesakes)


def _add_sums(embed: discord.Embed, evening: Evening) -> None:
    earned = [member for member in evening.members if member.seconds > 0]
    # Rounded as credit is, so that nobody was there longer than it ran.
    ran = seconds(sum((closed - opened) // _MICROSECOND for opened, closed in evening.windows))
    embed.add_field(name=_("Duration"), value=duration(ran, exact=True))
    embed.add_field(name=_("Members"), value=str(len(earned)))
    together = sum(member.seconds for member in earned)
    embed.add_field(name=_("Time together"), value=duration(together, exact=True))


def _member_line(place: int, member: MemberEvening, name: str) -> str:
    who = f"{place}. {plain(name)}"
    if not member.seconds and not any(step.counted for step in member.steps):
        voided = [step.void_reason for step in member.steps if step.void_reason is not None]
        if not voided:
            return _("{member} · no time: the required role was missing").format(member=who)
        reason = plain(voided[-1][:_REASON])
        if len(voided) == len(member.steps):
            return _("{member} · no time: voided: {reason}").format(member=who, reason=reason)
        return _("{member} · no time: the required role was missing; voided: {reason}").format(
            member=who, reason=reason
        )
    parts = [who, timed(member.seconds, member.estimated, exact=True), _percent(member.present)]
    if member.deafened >= 0.005:
        parts.append(_("deafened {percent}").format(percent=_percent(member.deafened)))
    return " · ".join(parts)


def _step_line(step: Step, channel: Named) -> str:
    begun, ended = int(step.start.timestamp()), int(step.end.timestamp())
    length = timed(step.seconds, _unsure(step), exact=True)
    words = f"<t:{begun}:t>–<t:{ended}:t> {channel(step.channel_id)} · {length}"
    if step.via_channel_id is not None:
        words = _("{stay} (through {channel})").format(stay=words, channel=channel(step.via_channel_id))
    if step.counted:
        return words
    if step.void_reason is not None:
        return _("{stay} · voided: {reason}").format(stay=words, reason=plain(step.void_reason[:_REASON]))
    return _("{stay} · not counted, the required role was missing").format(stay=words)


def _unsure(step: Step) -> bool:
    return step.start_estimated or step.end_estimated


def _when(at: datetime) -> str:
    return f"<t:{int(at.timestamp())}:t>"


def _percent(share: float) -> str:
    return _("{percent} %").format(percent=round(100 * share))


def _foot(embed: discord.Embed, estimated: bool, page: int, pages: int) -> None:
    parts = []
    if pages > 1:
        parts.append(_("Page {page} of {pages}").format(page=page + 1, pages=pages))
    if estimated:
        parts.append(footnote())
    if parts:
        embed.set_footer(text=" · ".join(parts))
