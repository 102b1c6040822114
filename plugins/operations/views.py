"""What members see of operations: embeds that stay inside Discord's limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import discord

from plugins.operations.rules.values import OperationView, ParticipantView, Summary
from plugins.operations.store import Progress
from redlegion import translate as _

COLOUR = discord.Colour.from_rgb(196, 57, 43)
#: Characters for the list in one embed; Discord takes 4,096 in a description and 6,000 in all embeds.
LIST_LIMIT = 3500
ESTIMATED = "≈"
#: Seconds below which a span is always told to the second.
_SHORT = 600


def duration(seconds: int, *, exact: bool = False) -> str:
    """Return a span as people read it, for example "1 h 52 min" or "1 min 20 s".

    :param seconds: at least 0.
    :param exact: to the second, for parts that a reader adds up; otherwise from ten minutes on whole minutes,
        rounded down.
    """
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        words = _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
    else:
        words = _("{minutes} min").format(minutes=minutes)
    if rest and (exact or seconds < _SHORT):
        return _("{time} {seconds} s").format(time=words, seconds=rest)
    return words


def fit(lines: Sequence[str], limit: int, more: Callable[[int], str] | None = None) -> str:
    """Join lines; those that do not fit are counted in a last one.

    :param limit: characters in all, the last line included.
    :param more: makes the last line from the number of those left out.
    """
    tell = more or (lambda left: _("… and {count} more").format(count=left))
    whole = "\n".join(lines)
    if len(whole) <= limit:
        return whole
    kept: list[str] = []
    used = len(tell(len(lines)))
    for line in lines:
        used += len(line) + 1
        if used > limit:
            break
        kept.append(line)
    return "\n".join([*kept, tell(len(lines) - len(kept))])


def plain(name: str) -> str:
    """Return a name that shows as it is written, without formatting or mentions."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(name))


def summary_embed(summary: Summary) -> discord.Embed:
    """Return the answer to a stop: how long it ran, who took part, what to do next."""
    operation = summary.operation
    embed = discord.Embed(title=_("{title} has ended").format(title=headed(operation)), colour=COLOUR)
    people = summary.participants
    lines = [_participant_line(place, person) for place, person in enumerate(people, start=1)]
    embed.description = fit(lines, LIST_LIMIT) or _(
        "Nobody sat in a tracked channel, so there is nothing to share."
    )
    embed.add_field(name=_("Duration"), value=_span(operation))
    embed.add_field(name=_("Members"), value=str(len(people)))
    embed.add_field(name=_("Time together"), value=duration(sum(person.seconds for person in people)))
    if people:
        embed.add_field(name=_("Next"), value=_("Share the proceeds with /payroll calculate."), inline=False)
    if any(person.estimated for person in people):
        embed.set_footer(text=footnote())
    return embed


def status_embed(
    progress: Progress, names: Mapping[int, str], now: datetime, limit: int = LIST_LIMIT
) -> discord.Embed:
    """Return how a running operation stands: who sits where, and what each has earned so far.

    :param names: what members are called now; for the rest the stored names serve.
    :param now: aware.
    :param limit: characters for the lists.
    """
    operation = progress.operation

    def called(user_id: int) -> str:
        return plain(names.get(user_id) or progress.names.get(user_id) or _("member {id}").format(id=user_id))

    sitting = sum(len(users) for users in progress.sitting.values())
    running = int((now - operation.started_at).total_seconds())
    places = []
    for channel in progress.channels:
        users = progress.sitting.get(channel.channel_id, ())
        people = ", ".join(called(user) for user in users[:10]) or "—"
        if len(users) > 10:
            people = _("{names} and {count} more").format(names=people, count=len(users) - 10)
        places.append(f"<#{channel.channel_id}> ({len(users)}): {people}")
    earned = sorted(progress.credits.values(), key=lambda each: (-each.seconds, each.user_id))
    credited = [f"{called(each.user_id)} · {timed(each.seconds, each.estimated)}" for each in earned]
    embed = discord.Embed(title=_("{title} is running").format(title=headed(operation)), colour=COLOUR)
    embed.description = "\n".join(
        [
            _("Since {since} ({duration}), {count} in voice now.").format(
                since=f"<t:{int(operation.started_at.timestamp())}:t>",
                duration=duration(running),
                count=sitting,
            ),
            "",
            "**" + _("In voice") + "**",
            fit(places, limit // 2),
            "",
            "**" + _("Credited so far") + "**",
            fit(credited, limit // 2) or "—",
        ]
    )
    embed.set_footer(
        text=footnote()
        if any(each.estimated for each in earned)
        else _("An officer ends it with /mining stop.")
    )
    return embed


def headed(operation: OperationView, namesakes: Sequence[int] = ()) -> str:
    """Return the heading of what is told of an operation.

    :param namesakes: ids of other operations of this title; with any, its own id is told.
    """
    words = f"{operation.badge} {operation.title}"
    return f"{words} · #{operation.id}" if namesakes else words


def _participant_line(place: int, person: ParticipantView) -> str:
    return f"{place}. {plain(person.name)} · {timed(person.seconds, person.estimated)}"


def timed(seconds: int, estimated: bool, *, exact: bool = False) -> str:
    """Return credited time as people read it, marked where it is partly estimated.

    :param exact: to the second.
    """
    words = duration(seconds, exact=exact)
    return f"{ESTIMATED} {words}" if estimated else words


def add_role_gone(embed: discord.Embed) -> None:
    """Tell officers that the role which earns time is gone, and how that is mended."""
    embed.add_field(
        name=_("Required role"),
        value=_(
            "It no longer exists, so nobody needs it: everybody earns time. An admin chooses another one, or "
            "none, with /plugins settings."
        ),
        inline=False,
    )


def footnote() -> str:
    """Return what the mark of estimated time means."""
    return _(
        "{mark} Partly estimated: I was offline for a moment while the member came, went, moved or changed "
        "roles."
    ).format(mark=ESTIMATED)


def _span(operation: OperationView) -> str:
    ended = operation.ended_at or operation.started_at
    length = duration(int((ended - operation.started_at).total_seconds()))
    return f"{length} (<t:{int(operation.started_at.timestamp())}:t>–<t:{int(ended.timestamp())}:t>)"
