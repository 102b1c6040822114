"""Pieces that several panels share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from plugins.payroll.store import Bench
from plugins.payroll.words import auec, duration, form_label, percent
from redlegion import custom_id, plural, shown
from redlegion import translate as _

COLOUR = discord.Colour.from_rgb(166, 27, 27)
PLUGIN = "payroll"
PER_ROW = 5

Button = discord.ui.Button[Any]
Row = discord.ui.ActionRow[Any]
Select = discord.ui.Select[Any]


def button(
    label: str,
    action: str,
    key: str | int,
    *,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    disabled: bool = False,
) -> Button:
    """Return a button that the router sends to `action`."""
    return discord.ui.Button(
        label=label[:80], custom_id=custom_id(PLUGIN, action, key), style=style, disabled=disabled
    )


def rows(buttons: Sequence[Button]) -> list[Row]:
    """Return the buttons in rows of five."""
    starts = range(0, len(buttons), PER_ROW)
    return [discord.ui.ActionRow(*buttons[start : start + PER_ROW]) for start in starts]


def panel(*items: discord.ui.Item[Any]) -> discord.ui.LayoutView:
    """Return a message made of one framed box."""
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container(*items, accent_colour=COLOUR))
    return shown(view)


def text(content: str) -> discord.ui.TextDisplay[Any]:
    """Return a piece of text in Discord's markdown."""
    return discord.ui.TextDisplay(content)


def heading(bench: Bench) -> str:
    """Return the first lines of a draft's panel."""
    payroll, operation = bench.payroll, bench.operation
    paid = [member for member in bench.members if member.seconds > 0]
    facts = [
        members(len(paid)),
        _("{time} together").format(time=duration(sum(member.seconds for member in paid))),
        _("{form} prices").format(form=form_label(payroll.form)),
        _("org cut {rate}").format(rate=percent(payroll.org_cut_bp)),
        _("transfer fee {rate}").format(rate=percent(payroll.fee_bp)),
    ]
    title = _("Payroll for {badge} {title}").format(badge=operation.badge, title=operation.title)
    return f"### {title}\n{' · '.join(facts)}"


def members(count: int) -> str:
    """Return "1 member" or "24 members"."""
    return plural(count, "{n} member", "{n} members").format(n=count)


def price_text(price: int | None) -> str:
    """Return a price per SCU, or that it is missing."""
    return _("no price yet") if price is None else _("{price} aUEC per SCU").format(price=auec(price))
