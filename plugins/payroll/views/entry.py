"""Step one and two: which event, which ores, how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from plugins.market import Material
from plugins.operations import OperationView, fit
from plugins.payroll.rules.report import OreLine
from plugins.payroll.store import Bench
from plugins.payroll.views.modals import PER_MODAL
from plugins.payroll.views.parts import (
    PLUGIN,
    Button,
    Row,
    button,
    heading,
    members,
    panel,
    price_text,
    rows,
    text,
)
from plugins.payroll.words import duration, month, quantity_problem, scu
from redlegion import custom_id
from redlegion import translate as _

PER_PAGE = 25
LIST_LIMIT = 2600


def event_panel(operations: Sequence[OperationView], key: str) -> discord.ui.LayoutView:
    """Return the panel that asks which event to pay.

    :param operations: at most 25.
    :param key: the command's options, for the next step.
    """
    options = [
        discord.SelectOption(
            label=f"{each.badge} {each.title}"[:100], value=str(each.id), description=_event_line(each)[:100]
        )
        for each in operations
    ]
    select: discord.ui.Select[Any] = discord.ui.Select(
        custom_id=custom_id(PLUGIN, "event", key), placeholder=_("Which event?"), options=options
    )
    return panel(
        text("### " + _("Payroll") + "\n" + _("Pick the event to pay out.")), discord.ui.ActionRow(select)
    )


def entry_panel(bench: Bench, page: int = 0) -> discord.ui.LayoutView:
    """Return the panel where ores are picked and quantities entered.

    :param page: which 25 of the materials are offered, from 0.
    """
    payroll = bench.payroll
    pages = max(1, -(-len(bench.offered) // PER_PAGE))
    page = min(max(page, 0), pages - 1)
    navigation = []
    if pages > 1:
        navigation = [
            button(_("Dearer ores"), "page", f"{payroll.id}.{page - 1}", disabled=page == 0),
            button(_("More ores"), "page", f"{payroll.id}.{page + 1}", disabled=page == pages - 1),
        ]
    preview = button(
        _("Preview"), "preview", payroll.id, style=discord.ButtonStyle.success, disabled=not payroll.entered
    )
    cancel = button(_("Cancel"), "cancel", payroll.id, style=discord.ButtonStyle.danger)
    offered = bench.offered[page * PER_PAGE : (page + 1) * PER_PAGE]
    return panel(
        text(f"{heading(bench)}\n\n{_progress(bench)}"),
        _ore_select(bench, offered, page, pages),
        *rows(navigation),
        *rows(_quantity_buttons(payroll.ores, payroll.id)),
        *rows([preview, cancel]),
    )


def _event_line(operation: OperationView) -> str:
    parts = [members(operation.participants)]
    if operation.ended_at is not None:
        parts.append(duration(int((operation.ended_at - operation.started_at).total_seconds())))
        parts.append(_("ended {time} UTC").format(time=f"{operation.ended_at:%Y-%m-%d %H:%M}"))
    return ", ".join(parts)


def _progress(bench: Bench) -> str:
    payroll = bench.payroll
    if not payroll.ores:
        return _("**What was sold?** Pick the ores below, then enter how much of each.")
    lines = [_line(line) for line in payroll.ores]
    if payroll.problems:
        words = _("**Please correct the quantities marked ⚠️.** What you typed is kept.")
    elif payroll.unasked:
        words = _("**Now enter the quantities in SCU.**")
    elif not payroll.sold:
        words = _("**No quantity is above zero, so there is nothing to pay out.**")
    else:
        words = _("**All quantities are in.** Look at the preview.")
    return words + "\n" + fit(lines, LIST_LIMIT)


def _line(line: OreLine) -> str:
    problem = line.problem
    if problem is not None:
        return f"⚠️ **{line.name}**: {quantity_problem(problem)}"
    if line.entered is None:
        return f"▫️ {line.name}: " + _("not entered yet")
    if not line.sold:
        return f"▪️ {line.name}: " + _("not sold")
    return f"✅ {line.name}: {scu(line.centi_scu or 0)} SCU"


def _ore_select(bench: Bench, offered: Sequence[Material], page: int, pages: int) -> Row:
    picked = {line.material_id for line in bench.payroll.ores}
    options = [
        discord.SelectOption(
            label=material.name[:100],
            value=str(material.id),
            description=_material_line(material)[:100],
            default=material.id in picked,
        )
        for material in offered
    ]
    if not options:
        # Discord takes no select without options; without materials there is nothing to pick.
        options = [discord.SelectOption(label=_("No materials are known"), value="0")]
    placeholder = _("Pick the ores that were sold")
    if pages > 1:
        placeholder = _("{words} (page {page} of {pages})").format(
            words=placeholder, page=page + 1, pages=pages
        )
    select: discord.ui.Select[Any] = discord.ui.Select(
        custom_id=custom_id(PLUGIN, "ores", f"{bench.payroll.id}.{page}"),
        placeholder=placeholder,
        min_values=0,
        max_values=len(options),
        options=options,
    )
    return discord.ui.ActionRow(select)


def _material_line(material: Material) -> str:
    price = price_text(material.price)
    if material.price is None:
        return _("{price}: you will be asked").format(price=price)
    return f"{price} · {material.source}, {month(material.as_of)}"


def _quantity_buttons(ores: Sequence[OreLine], payroll_id: int) -> list[Button]:
    buttons = []
    for number, start in enumerate(range(0, len(ores), PER_MODAL)):
        part = ores[start : start + PER_MODAL]
        open_ = any(line.entered is None or line.problem is not None for line in part)
        label = (
            _("Quantities {first}-{last}").format(first=start + 1, last=start + len(part))
            if len(ores) > PER_MODAL
            else _("Quantities")
        )
        style = discord.ButtonStyle.primary if open_ else discord.ButtonStyle.secondary
        buttons.append(button(label, "quantities", f"{payroll_id}.{number}", style=style))
    return buttons
