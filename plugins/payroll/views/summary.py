"""What everybody sees of a locked payroll."""

from __future__ import annotations

import discord

from plugins.operations import plain
from plugins.payroll.rules.report import Sheet
from plugins.payroll.views.parts import COLOUR
from plugins.payroll.words import auec, hms, percent, price_lists
from redlegion import translate as _

TOP = 5
NAME = 32


def summary_embed(sheet: Sheet) -> discord.Embed:
    """Return the short public summary that goes with the files."""
    payroll = sheet.payroll
    embed = discord.Embed(
        title=_("Payroll {id}: {title}").format(id=payroll.id, title=sheet.title)[:256],
        colour=COLOUR,
        timestamp=payroll.locked_at,
    )
    embed.add_field(name=_("Gross"), value=f"{auec(payroll.gross)} aUEC")
    if payroll.expenses:
        embed.add_field(name=_("Expenses"), value=f"{auec(payroll.expenses)} aUEC")
    embed.add_field(
        name=_("Org cut ({rate})").format(rate=percent(payroll.org_cut_bp)),
        value=f"{auec(payroll.org_cut)} aUEC",
    )
    embed.add_field(name=_("Transfer fees"), value=f"{auec(payroll.fees)} aUEC")
    embed.add_field(name=_("Payouts"), value=f"**{auec(payroll.payouts_total)} aUEC**")
    embed.add_field(name=_("Members paid"), value=str(sum(slip.net > 0 for slip in payroll.payslips)))
    lines = [
        f"{plain(slip.name[:NAME])} · {'≈ ' if slip.estimated else ''}{hms(slip.seconds)}"
        f" · **{auec(slip.net)}**"
        for slip in payroll.payslips[:TOP]
    ]
    left = len(payroll.payslips) - TOP
    if left > 0:
        lines.append(_("and {count} more in the files below").format(count=left))
    embed.description = "\n".join(lines)
    footer = _("Prices: {lists}").format(lists=price_lists(payroll.sold))
    if sheet.any_estimated:
        footer += " · " + _("≈ partly estimated after an outage")
    embed.set_footer(text=footer[:2048])
    return embed
