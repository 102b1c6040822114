"""Step three: what it comes to, before anything is final."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from plugins.operations import fit, plain
from plugins.payroll.rules.report import OreLine, Payroll
from plugins.payroll.rules.split import Split, split
from plugins.payroll.store import Bench
from plugins.payroll.views.modals import PER_MODAL
from plugins.payroll.views.parts import button, heading, panel, rows, text
from plugins.payroll.words import auec, hms, percent, price_lists, price_problem, scu
from redlegion import translate as _

TOP = 10
NAME = 24
TABLE_LIMIT = 1500
PROBLEM_LIMIT = 700


def preview_panel(bench: Bench) -> discord.ui.LayoutView:
    """Return the panel that shows prices, split and payouts, and asks for the word."""
    payroll = bench.payroll
    parts = [heading(bench), _ores(payroll)]
    if payroll.complete:
        result = split(payroll.worth, bench.members, org_cut_bp=payroll.org_cut_bp, fee_bp=payroll.fee_bp)
        parts += [_sums(payroll, result), _payouts(result)]
    else:
        parts.append(_missing(payroll))
    key = payroll.id
    buttons = [
        button(
            _("Confirm"), "confirm", key, style=discord.ButtonStyle.success, disabled=not payroll.complete
        ),
        button(_("Edit quantities"), "edit", key),
        button(
            _("Change prices"),
            "prices",
            key,
            style=discord.ButtonStyle.secondary if payroll.complete else discord.ButtonStyle.primary,
        ),
        button(_("Cancel"), "cancel", key, style=discord.ButtonStyle.danger),
    ]
    return panel(text("\n\n".join(parts)), *rows(buttons))


def prices_panel(bench: Bench) -> discord.ui.LayoutView:
    """Return the panel that asks which prices to change, where there are more than one form can hold."""
    payroll = bench.payroll
    sold = payroll.sold
    buttons = []
    for number, start in enumerate(range(0, len(sold), PER_MODAL)):
        part = sold[start : start + PER_MODAL]
        missing = any(line.price is None or line.price_problem is not None for line in part)
        names = _("{first} to {last}").format(first=part[0].name, last=part[-1].name)
        buttons.append(
            button(
                part[0].name if len(part) == 1 else names,
                "prices",
                f"{payroll.id}.{number}",
                style=discord.ButtonStyle.primary if missing else discord.ButtonStyle.secondary,
            )
        )
    parts = [heading(bench), _ores(payroll), _("**Which prices do you want to change?**")]
    back = button(_("Back to the preview"), "preview", payroll.id)
    return panel(text("\n\n".join(parts)), *rows(buttons), *rows([back]))


def message_panel(words: str) -> discord.ui.LayoutView:
    """Return a panel with words and nothing to press."""
    return panel(text(words))


def _ores(payroll: Payroll) -> str:
    sold = payroll.sold
    lines = [
        f"{line.name[:22]:<22}{scu(line.centi_scu or 0):>12} {_price(line):>13} {_value(line):>14}"
        for line in sold
    ]
    ore, amount, price, value = _("Ore"), _("SCU"), _("aUEC/SCU"), _("Value")
    head = f"{ore:<22}{amount:>12} {price:>13} {value:>14}"
    table = f"```\n{head}\n{fit(lines, TABLE_LIMIT)}\n```"
    notes = [_("Prices: {lists}").format(lists=price_lists(sold))]
    by: dict[int, list[str]] = {}
    for line in sold:
        if line.overridden_by is not None:
            by.setdefault(line.overridden_by, []).append(line.name)
    notes += [
        _("\\* typed by {who}: {names}").format(who=f"<@{who}>", names=", ".join(names[:8]))
        for who, names in by.items()
    ]
    return "\n".join([table, *(f"-# {note}" for note in notes)])


def _price(line: OreLine) -> str:
    if line.price is None:
        return _("missing")
    return auec(line.price) + ("*" if line.overridden_by is not None else "")


def _value(line: OreLine) -> str:
    return "?" if line.value is None else auec(line.value)


def _sums(payroll: Payroll, result: Split) -> str:
    steps: Sequence[tuple[str, int]] = (
        (_("Gross"), result.gross),
        (_("− Org cut ({rate})").format(rate=percent(payroll.org_cut_bp)), result.org_cut),
        (_("− Transfer fees"), result.fees),
        (_("= Payouts"), result.payouts_total),
    )
    width = max(len(label) for label, _amount in steps) + 2
    lines = [f"{label:<{width}}{auec(amount):>18}" for label, amount in steps]
    return "```\n" + "\n".join(lines) + "\n```"


def _payouts(result: Split) -> str:
    shown = result.payslips[:TOP]
    lines = [
        f"{place}. {plain(slip.name[:NAME])} · {'≈ ' if slip.estimated else ''}{hms(slip.seconds)}"
        f" · **{auec(slip.net)}**"
        for place, slip in enumerate(shown, start=1)
    ]
    left = len(result.payslips) - len(shown)
    if left:
        lines.append(_("and {count} more").format(count=left))
    if any(slip.estimated for slip in result.payslips):
        lines.append("-# " + _("≈ part of the time is estimated, after an outage"))
    return "\n".join([_("**Payouts in aUEC, after the fee**"), *lines])


def _missing(payroll: Payroll) -> str:
    lines = [f"⚠️ **{line.name}**: {price_problem(error)}" for line, error in payroll.price_problems]
    unpriced = [line.name for line in payroll.unpriced if line.price_problem is None]
    if unpriced:
        lines.append(
            _(
                "⚠️ No price is known for {names}. Set it with “Change prices”; it never counts as zero."
            ).format(names=", ".join(unpriced))
        )
    if not payroll.entered:
        lines.append(_("⚠️ A quantity is missing. Enter it with “Edit quantities”."))
    return fit(lines, PROBLEM_LIMIT)
