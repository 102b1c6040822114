"""The tables of the PDF."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Paragraph, Table

from plugins.payroll.output import fonts
from plugins.payroll.output.pages import GREEN, GREY, INK, LINE, PALE, RED
from plugins.payroll.rules.report import Sheet
from plugins.payroll.rules.split import Payslip
from plugins.payroll.words import (
    auec,
    duration,
    form_label,
    hms,
    percent,
    price_lists,
    scu,
    share,
    source_of,
    utc,
)
from redlegion import translate as _

SIZE = 8.5


@lru_cache(maxsize=1)
def styles() -> dict[str, ParagraphStyle]:
    """Return the paragraph styles by name."""
    fonts.ready()
    body = ParagraphStyle("body", fontName=fonts.REGULAR, fontSize=SIZE, leading=SIZE + 3, textColor=INK)
    return {
        "body": body,
        "title": ParagraphStyle("title", body, fontName=fonts.BOLD, fontSize=19, leading=24),
        "subtitle": ParagraphStyle("subtitle", body, fontSize=11, leading=15, textColor=GREY),
        "heading": ParagraphStyle(
            "heading", body, fontName=fonts.BOLD, fontSize=11.5, leading=16, spaceAfter=4
        ),
        "label": ParagraphStyle("label", body, fontSize=7, leading=9, textColor=GREY),
        "small": ParagraphStyle("small", body, fontSize=7.2, leading=9.5, textColor=GREY),
        "note": ParagraphStyle("note", body, fontSize=7.2, leading=10, textColor=GREY),
        "right": ParagraphStyle("right", body, alignment=TA_RIGHT),
    }


def facts_table(sheet: Sheet, width: float) -> Flowable:
    """Return the box with what, when and who."""
    payroll = sheet.payroll
    length = int((sheet.ended_at - sheet.started_at).total_seconds())
    paid = sum(slip.seconds > 0 for slip in payroll.payslips)
    facts = [
        (_("Event"), f"#{payroll.operation_id}"),
        (_("From"), utc(sheet.started_at)),
        (_("To"), utc(sheet.ended_at)),
        (_("Duration"), duration(length)),
        (_("Payroll"), _("{id} (version {version})").format(id=payroll.id, version=payroll.version)),
        (_("Members paid"), _("{paid} of {all}").format(paid=paid, all=len(payroll.payslips))),
        (_("Prices"), f"{form_label(payroll.form)}: {price_lists(payroll.sold)}"),
        (_("Locked by"), payroll.locked_by_name or "–"),
    ]
    style = styles()
    cells = [
        [Paragraph(fonts.markup(label), style["label"]), Paragraph(fonts.markup(value), style["body"])]
        for label, value in facts
    ]
    table = Table([cells[:4], cells[4:]], colWidths=[width * 0.19, width * 0.27, width * 0.32, width * 0.22])
    table.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), PALE),
            ("LINEABOVE", (0, 0), (-1, 0), 1.2, RED),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ("LEFTPADDING", (0, 0), (-1, -1), 7),
        ]
    )
    return table


def ore_table(sheet: Sheet, width: float) -> Flowable:
    """Return what was sold, dearest line first, with where each price comes from."""
    style = styles()
    lines = sorted(sheet.payroll.sold, key=lambda line: (-(line.value or 0), line.name, line.material_id))
    rows: list[list[Any]] = [
        [_("Ore"), _("SCU"), _("aUEC per SCU"), _("Price from"), _("Value")],
        *(
            [
                Paragraph(fonts.markup(line.name), style["body"]),
                scu(line.centi_scu or 0),
                auec(line.price or 0),
                Paragraph(fonts.markup(source_of(line)), style["small"]),
                auec(line.value or 0),
            ]
            for line in lines
        ),
        [
            _("Gross"),
            scu(sum(line.centi_scu or 0 for line in lines)),
            "",
            "",
            auec(sheet.payroll.gross),
        ],
    ]
    widths = [width * part for part in (0.28, 0.14, 0.16, 0.24, 0.18)]
    table = Table(rows, colWidths=widths, repeatRows=1)
    table.setStyle([*_grid(len(rows), right=(1, 2, 4)), *_total(len(rows) - 1)])
    return table


def waterfall(sheet: Sheet, width: float) -> Flowable:
    """Return the way from the gross to the payouts, each step with its part of the whole as a bar."""
    payroll = sheet.payroll
    after_expenses = payroll.gross - payroll.expenses
    shared = after_expenses - payroll.org_cut
    steps: list[tuple[str, int, int, Any]] = [(_("Gross"), payroll.gross, 0, INK)]
    if payroll.expenses:
        steps.append((_("− Expenses paid back"), payroll.expenses, after_expenses, RED))
    steps += [
        (_("− Org cut ({rate})").format(rate=percent(payroll.org_cut_bp)), payroll.org_cut, shared, RED),
        (_("= Shared by time"), shared, 0, GREY),
        (
            _("− Transfer fees ({rate} each, rounded up)").format(rate=percent(payroll.fee_bp)),
            payroll.fees,
            payroll.payouts_total,
            RED,
        ),
        (_("= Payouts"), payroll.payouts_total, 0, GREEN),
    ]
    bar = width * 0.36
    rows = []
    for label, amount, start, colour in steps:
        sign = "−" if label.startswith("−") else ""
        rows.append([label, f"{sign}{auec(amount)}", _bar(bar - 14, amount, start, payroll.gross, colour)])
    table = Table(rows, colWidths=[width * 0.42, width * 0.22, bar])
    table.setStyle(
        [
            *_text(),
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("LINEBELOW", (0, 0), (-1, -2), 0.4, LINE),
            ("LEFTPADDING", (2, 0), (2, -1), 14),
            ("RIGHTPADDING", (2, 0), (2, -1), 0),
            ("FONTNAME", (0, 0), (1, 0), fonts.BOLD),
            *_total(len(rows) - 1),
        ]
    )
    return table


def payslip_table(sheet: Sheet, width: float) -> Flowable:
    """Return a line per member, longest time first, and the totals."""
    payroll = sheet.payroll
    name_style = styles()["body"]
    head = ["#", _("Name"), _("Time"), _("Share"), _("Gross"), _("Fee"), _("Net")]
    lines: list[list[Any]] = [
        [
            str(number),
            Paragraph(_name(slip), name_style),
            ("≈ " if slip.estimated else "") + hms(slip.seconds),
            share(slip.seconds, sheet.seconds),
            auec(slip.gross),
            auec(slip.fee),
            auec(slip.net),
        ]
        for number, slip in enumerate(payroll.payslips, start=1)
    ]
    total = [
        "",
        _("Total"),
        hms(sheet.seconds),
        share(1, 1),
        auec(sum(slip.gross for slip in payroll.payslips)),
        auec(payroll.fees),
        auec(payroll.payouts_total),
    ]
    widths = _payslip_widths(width, [row[4:] for row in [*lines, total]])
    rows = [head, *lines, total]
    table = Table(rows, colWidths=widths, repeatRows=1)
    table.setStyle([*_grid(len(rows), right=(0, 2, 3, 4, 5, 6)), *_total(len(rows) - 1)])
    return table


def footnotes(sheet: Sheet) -> list[str]:
    """Return what a reader has to know, as paragraph markup."""
    notes = [
        _(
            "Shares are in proportion to credited time, in whole aUEC by largest remainder (ties: longer, "
            "then lower id). Org cut is rounded down, each transfer fee up, each ore line half up."
        )
    ]
    if sheet.any_estimated:
        notes.append(_("≈ Part of this time was not seen but estimated after an outage."))
    names = [sheet.title, sheet.guild_name, *(slip.name for slip in sheet.payroll.payslips)]
    if any(fonts.loses_characters(name) for name in names):
        notes.append(_("? stands for a character that no font here can draw; the CSV has it."))
    if any(fonts.doubtful(slip.name) for slip in sheet.payroll.payslips):
        notes.append(_("A number after a name is the member's id: not every viewer can show that name."))
    if any(
        line.price_source == "offline sample" for line in sheet.payroll.sold if line.overridden_by is None
    ):
        notes.append(
            _("“offline sample” prices are historical figures that ship with the bot. Powered by UEX.")
        )
    return [fonts.markup(note) for note in notes]


def _payslip_widths(width: float, amounts: Sequence[Sequence[str]]) -> list[float]:
    # Huge sums take the room they need; the name gets the rest.
    per_digit = SIZE * 0.645
    money = [max(46.0, max(len(row[column]) for row in amounts) * per_digit + 12) for column in range(3)]
    fixed = [28.0, 64.0, 56.0]
    name = max(60.0, width - sum(fixed) - sum(money))
    widths = [fixed[0], name, *fixed[1:], *money]
    scale = width / sum(widths)
    return [value * scale for value in widths]


def _name(slip: Payslip) -> str:
    # A name that may come out empty or unreadable must still tell who is paid.
    marked = fonts.markup(slip.name)
    if not fonts.doubtful(slip.name):
        return marked
    return f'{marked} <font size="6.5" color="{GREY.hexval().replace("0x", "#")}">{slip.user_id}</font>'


def _bar(width: float, amount: int, start: int, whole: int, colour: Any) -> Drawing:
    drawing = Drawing(width, 8)
    drawing.add(Rect(0, 0, width, 8, fillColor=PALE, strokeColor=None))
    if whole > 0 and amount > 0:
        left, length = width * (start / whole), max(0.8, width * (amount / whole))
        drawing.add(Rect(min(left, width - length), 0, length, 8, fillColor=colour, strokeColor=None))
    return drawing


def _text() -> list[tuple[Any, ...]]:
    return [
        ("FONT", (0, 0), (-1, -1), fonts.REGULAR, SIZE),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
    ]


def _grid(rows: int, *, right: Sequence[int]) -> list[tuple[Any, ...]]:
    return [
        *_text(),
        *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in right),
        ("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE),
        *(("BACKGROUND", (0, row), (-1, row), PALE) for row in range(2, rows, 2)),
        ("BACKGROUND", (0, 0), (-1, 0), INK),
        ("TEXTCOLOR", (0, 0), (-1, 0), white),
        ("FONT", (0, 0), (-1, 0), fonts.BOLD, SIZE - 0.7),
        ("TOPPADDING", (0, 0), (-1, 0), 4),
        ("BOTTOMPADDING", (0, 0), (-1, 0), 4.5),
    ]


def _total(row: int) -> list[tuple[Any, ...]]:
    return [
        ("FONTNAME", (0, row), (-1, row), fonts.BOLD),
        ("LINEABOVE", (0, row), (-1, row), 0.9, INK),
        ("LINEBELOW", (0, row), (-1, row), 0, white),
        ("BACKGROUND", (0, row), (-1, row), white),
    ]
