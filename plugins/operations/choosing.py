"""Which operation a command means."""

from __future__ import annotations

import re

from discord import app_commands

from plugins.operations import store
from plugins.operations.rules.values import OperationView
from plugins.operations.views import plain
from redlegion import Context, UserError
from redlegion import translate as _

#: A number of fewer digits than this is worth a look.
_MOST_DIGITS = 20
_LARGEST = 2**63 - 1
#: The id, alone or at the end of a choice as it is shown.
_NUMBERED = re.compile(r"#([0-9]+)$")


class NothingToShow(UserError):
    """A member has no evening that could be shown; time outside of operations they may have."""


async def choose_operation(ctx: Context, wanted: str | None) -> OperationView:
    """Return the operation that is meant.

    Of several of one title the one that runs, or began last, is meant.

    :param wanted: its id from the menu, "#47", its title as typed, with or without "#47" after it; None for
        the one that runs or ran last.
    :raises UserError: there is none, or none is called so.
    """
    recent = await ctx.read(store.recent_operations, ctx.guild_id)
    if wanted is None:
        if not recent:
            raise NothingToShow(
                _("There has been no operation here yet."),
                _("Once an officer starts one with /mining start, your time is shown here."),
            )
        return recent[0]
    text = wanted.strip().casefold()
    if numbered := _NUMBERED.search(text):
        text = numbered[1]
    for each in recent:
        if text in (str(each.id), each.title.casefold()):
            return each
    if text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS and int(text) <= _LARGEST:
        found = await ctx.read(store.get_operation, ctx.guild_id, int(text))
        if found is not None:
            return found
    raise UserError(
        _("No operation is called “{name}”.").format(name=plain(wanted[:100])),
        _("Pick one from the list that the option `operation` offers."),
    )


async def operation_choices(ctx: Context, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the operations whose title, or "#" and id, holds what was typed."""
    recent = await ctx.read(store.recent_operations, ctx.guild_id)
    return [
        app_commands.Choice(name=f"{each.badge} {each.title}"[:75] + f" · #{each.id}", value=str(each.id))
        for each in recent
        if typed.casefold() in f"{each.title} · #{each.id}".casefold()
    ]
