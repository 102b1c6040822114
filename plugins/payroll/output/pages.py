"""What stands on every page: the head, the line below, and "page 2 of 5"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from plugins.payroll.output import fonts
from plugins.payroll.rules.report import Sheet
from plugins.payroll.words import utc
from redlegion import translate as _

INK = HexColor("#1f2933")
GREY = HexColor("#616e7c")
LINE = HexColor("#cbd2d9")
PALE = HexColor("#f5f7fa")
RED = HexColor("#a61b1b")
GREEN = HexColor("#207227")
_MARGIN = 18 * mm


class NumberedCanvas(Canvas):  # type: ignore[misc]
    """A canvas that knows the number of pages when it draws them: it keeps each page until the end.

    :param on_page: called with (canvas, page, pages) before a page is written.
    """

    def __init__(self, *args: Any, on_page: Callable[[Any, int, int], None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: list[dict[str, Any]] = []
        self._on_page = on_page

    def showPage(self) -> None:
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        pages = len(self._kept)
        for number, state in enumerate(self._kept, start=1):
            self.__dict__.update(state)
            self._on_page(self, number, pages)
            super().showPage()
        super().save()


def draw_page(canvas: Any, page: int, pages: int, *, sheet: Sheet) -> None:
    """Draw head and foot of a page."""
    width, height = A4
    canvas.saveState()
    canvas.setFillColor(RED)
    canvas.rect(0, height - 9 * mm, width, 9 * mm, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#ffffff"))
    canvas.setFont(fonts.BOLD, 9.5)
    canvas.drawString(_MARGIN, height - 6 * mm, _("PAYROLL {id}").format(id=sheet.payroll.id))
    if page > 1:
        _draw_right(canvas, width - _MARGIN, height - 6 * mm, sheet.title, size=8.5, room=width / 2)
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(_MARGIN, 13 * mm, width - _MARGIN, 13 * mm)
    canvas.setFillColor(GREY)
    canvas.setFont(fonts.REGULAR, 7)
    locked_at = sheet.payroll.locked_at
    locked = _("Locked {time}").format(time=utc(locked_at)) if locked_at is not None else _("Draft")
    canvas.drawString(_MARGIN, 9 * mm, _("{locked} · all amounts in whole aUEC").format(locked=locked))
    canvas.drawRightString(
        width - _MARGIN, 9 * mm, _("Page {page} of {pages}").format(page=page, pages=pages)
    )
    canvas.restoreState()


def _draw_right(canvas: Any, right: float, y: float, text: str, *, size: float, room: float) -> None:
    parts = fonts.runs(text)
    while parts and _width(parts, size) > room:
        font, part = parts.pop()
        if len(part) > 2:
            parts.append((font, part[:-2].rstrip() + ("…" if font == fonts.REGULAR else "")))
    x = right - _width(parts, size)
    for font, part in parts:
        canvas.setFont(font, size)
        canvas.drawString(x, y, part)
        x += pdfmetrics.stringWidth(part, font, size)


def _width(parts: list[tuple[str, str]], size: float) -> float:
    return float(sum(pdfmetrics.stringWidth(part, font, size) for font, part in parts))
