"""What /operation says: windows as Discord shows times, and who gains or loses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import discord

from plugins.operations.rules.values import OperationView
from plugins.operations.rules.windows import Bounds
from plugins.operations.store import Gain, Planned
from plugins.operations.views import COLOUR, duration, fit, headed, plain
from redlegion import plural
from redlegion import translate as _

_LIST = 2_400
_WINDOWS = 700
#: Seconds from which on an end is shown with its date.
_LONG = 12 * 3600

Named = Callable[[int], str]


def windows_embed(
    operation: OperationView, windows: Sequence[Bounds], now: datetime, namesakes: Sequence[int] = ()
) -> discord.Embed:
    """Return the windows of an operation, and what can be done with them.

    :param namesakes: ids of other operations of this title.
    """
    embed = discord.Embed(title=headed(operation, namesakes), colour=COLOUR)
    seconds = sum(((closed or now) - opened).total_seconds() for opened, closed in windows)
    embed.description = "\n".join(
        [
            _("Voice time counts in these windows, {length} in all:").format(length=duration(int(seconds))),
            fit(window_lines(windows, now), _LIST),
        ]
    )
    embed.set_footer(
        text=_("Its payroll is locked, so they stay as they are.")
        if operation.payroll_processed
        else _("Officers change them with /operation edit, pause and count.")
    )
    return embed


def edit_embed(planned: Planned, called: Named, now: datetime, *, done: bool) -> discord.Embed:
    """Return what an edit means: the windows before and after, and who gains or loses time.

    :param called: what a member is called.
    :param done: it was made; otherwise it is asked whether to make it.
    """
    embed = discord.Embed(title=headed(planned.operation, planned.namesakes), colour=COLOUR)
    changed = [gain for gain in planned.gains if gain.change]
    same = len(planned.gains) - len(changed)
    lines = [gain_line(gain, called(gain.user_id)) for gain in changed]
    kept = plural(same, "{n} member keeps their time.", "{n} members keep their time.").format(n=same)
    embed.description = "\n".join(
        [
            _("✅ The windows are changed.") if done else _("Change the windows like this?"),
            "",
            "**" + _("Before") + "**",
            fit(window_lines(planned.before, now), _WINDOWS),
            "**" + (_("Now") if done else _("Then")) + "**",
            fit(window_lines(planned.after, now), _WINDOWS),
            "",
            "**" + _("Who gains or loses") + "**",
            fit(lines, _LIST) or _("Nobody gains or loses time."),
            *([kept] if same else []),
        ]
    )
    return embed


def window_lines(windows: Sequence[Bounds], now: datetime) -> list[str]:
    """Return one line for each window, numbered as the option `window` takes it."""
    return [f"{place}. {_window(opened, closed, now)}" for place, (opened, closed) in enumerate(windows, 1)]


def gain_line(gain: Gain, name: str) -> str:
    """Return what an edit means for one member."""
    sign = "+" if gain.change > 0 else "−"
    # To the second, or three numbers in a line would not add up.
    before, after = duration(gain.before, exact=True), duration(gain.after, exact=True)
    return f"{plain(name)} · {before} → {after} ({sign}{duration(abs(gain.change), exact=True)})"


def _window(opened: datetime, closed: datetime | None, now: datetime) -> str:
    begun = f"<t:{int(opened.timestamp())}:f>"
    seconds = int(((closed or now) - opened).total_seconds())
    if closed is None:
        return _("since {since}, {length} so far").format(since=begun, length=duration(seconds))
    style = "t" if seconds < _LONG else "f"
    return f"{begun}–<t:{int(closed.timestamp())}:{style}> ({duration(seconds)})"
