"""The payroll as a PDF of A4 pages: what was sold, where the money went, who gets what."""

from __future__ import annotations

import io
import threading
from functools import partial

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    PageTemplate,
    Paragraph,
    Spacer,
)

from plugins.payroll.output import fonts
from plugins.payroll.output.pages import NumberedCanvas, draw_page
from plugins.payroll.output.tables import (
    facts_table,
    footnotes,
    ore_table,
    payslip_table,
    styles,
    waterfall,
)
from plugins.payroll.rules.report import Sheet
from redlegion import translate as _

MARGIN = 18 * mm
TOP = 18 * mm
BOTTOM = 18 * mm
WIDTH = A4[0] - 2 * MARGIN

# reportlab keeps a document's state in its global fonts: one document at a time.
_building = threading.Lock()


def build_pdf(sheet: Sheet) -> bytes:
    """Return the PDF; the same sheet gives the same bytes on one machine.

    :param sheet: a locked payroll with its operation.
    """
    fonts.ready()
    with _building:
        out = io.BytesIO()
        document = BaseDocTemplate(
            out,
            pagesize=A4,
            leftMargin=MARGIN,
            rightMargin=MARGIN,
            topMargin=TOP,
            bottomMargin=BOTTOM,
            title=_("Payroll {id}: {title}").format(id=sheet.payroll.id, title=sheet.title),
            author=sheet.guild_name,
            subject=_("Payslips in whole aUEC"),
            creator="Red Legion",
            invariant=1,
        )
        frame = Frame(
            MARGIN,
            BOTTOM,
            WIDTH,
            A4[1] - TOP - BOTTOM,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        document.addPageTemplates(PageTemplate(id="page", frames=[frame]))
        document.build(
            _story(sheet), canvasmaker=partial(NumberedCanvas, on_page=partial(draw_page, sheet=sheet))
        )
        return out.getvalue()


def _story(sheet: Sheet) -> list[Flowable]:
    style = styles()
    story: list[Flowable] = [
        Paragraph(fonts.markup(sheet.title), style["title"]),
        Paragraph(fonts.markup(sheet.guild_name), style["subtitle"]),
        Spacer(1, 4 * mm),
        facts_table(sheet, WIDTH),
        Spacer(1, 7 * mm),
        Paragraph(_("Ore sold"), style["heading"]),
        ore_table(sheet, WIDTH),
        Spacer(1, 7 * mm),
        CondPageBreak(60 * mm),
        Paragraph(_("Where the money went"), style["heading"]),
        waterfall(sheet, WIDTH),
        Spacer(1, 7 * mm),
        CondPageBreak(45 * mm),
        Paragraph(_("Payslips"), style["heading"]),
        payslip_table(sheet, WIDTH),
        Spacer(1, 4 * mm),
    ]
    story += [Paragraph(note, style["note"]) for note in footnotes(sheet)]
    return story
