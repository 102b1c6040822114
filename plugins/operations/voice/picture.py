"""Draws who was where when, as a PNG; slow, so never on the event loop."""

from __future__ import annotations

import io
from datetime import datetime

from PIL import Image, ImageDraw

from plugins.operations.rules.statistics import Step
from plugins.operations.voice.lettering import Lettering
from plugins.operations.voice.timeline import OTHER, Look, Timeline, time_marks

WIDTH = 1280
_MARGIN = 28
_GAP = 14
_TITLE, _SUBTITLE, _AXIS = 40, 30, 34
_MARK_ROOM = 110
_HATCH = 18
#: From so many rows on they are drawn narrow.
_MANY = 30

_PAPER, _INK, _FAINT, _GRID = "#FFFFFF", "#1B1F24", "#59616B", "#D5DAE1"
_ZEBRA, _RUNNING, _EDGE = "#F4F5F7", "#E3EEFA", "#6C8EBF"
_UNCOUNTED = "#E1E4E8"

_Draw = ImageDraw.ImageDraw
_Box = tuple[float, float, float, float]


def draw_timeline(timeline: Timeline) -> bytes:
    """Return the picture as a PNG; the time goes from left to right, a row is a member.

    :param timeline: with at most 60 rows.
    """
    return _Sheet(timeline).png()


class _Sheet:
    def __init__(self, timeline: Timeline) -> None:
        self._all = timeline
        many = len(timeline.rows) > _MANY
        self._height_of_row = 26 if many else 36
        self._letters = Lettering(16 if many else 20)
        self._small = Lettering(13 if many else 15)
        self._legend = Lettering(18)
        self._axis = Lettering(17)
        names = max((self._letters.width(row.label) for row in timeline.rows), default=120.0)
        totals = max((self._letters.width(row.total) for row in timeline.rows), default=0.0)
        self._left = _MARGIN + min(max(names, 120.0), 330.0) + _GAP
        self._right = WIDTH - _MARGIN - totals - (_GAP if totals else 0)
        self._top = _MARGIN + _TITLE + _SUBTITLE + _AXIS
        self._bottom = self._top + max(len(timeline.rows), 1) * self._height_of_row
        self._entries = legend_of(timeline)
        lines = self._legend_lines()
        height = int(self._bottom + _GAP + lines * 32 + _MARGIN)
        self._image = Image.new("RGB", (WIDTH, height), _PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def png(self) -> bytes:
        timeline = self._all
        bold = Lettering(27, bold=True)
        room = WIDTH - 2 * _MARGIN
        bold.draw(self._draw, _MARGIN, _MARGIN + _TITLE / 2 - 4, bold.fitting(timeline.title, room), _INK)
        subtitle = self._legend.fitting(timeline.subtitle, room)
        self._legend.draw(self._draw, _MARGIN, _MARGIN + _TITLE + _SUBTITLE / 2 - 6, subtitle, _FAINT)
        self._background()
        for number in range(len(timeline.rows)):
            self._row(number)
        if not timeline.rows:
            middle = (self._top + self._bottom) / 2
            self._letters.draw(self._draw, self._left + _GAP, middle, timeline.words["nobody"], _FAINT)
        self._draw.rectangle((self._left, self._top, self._right, self._bottom), outline=_GRID)
        self._draw_legend()
        out = io.BytesIO()
        self._image.save(out, "PNG", optimize=True)
        return out.getvalue()

    def _x(self, at: datetime) -> float:
        start, end = self._all.span
        return self._left + (self._right - self._left) * ((at - start) / (end - start))

    def _background(self) -> None:
        draw, timeline = self._draw, self._all
        for number in range(0, len(timeline.rows), 2):
            top = self._top + number * self._height_of_row
            draw.rectangle((_MARGIN - 8, top, WIDTH - _MARGIN + 8, top + self._height_of_row), fill=_ZEBRA)
        for opened, closed in timeline.windows:
            draw.rectangle((self._x(opened), self._top, self._x(closed), self._bottom), fill=_RUNNING)
        start, end = timeline.span
        most = max(int((self._right - self._left) / _MARK_ROOM), 2)
        for at, label in time_marks(start, end, timeline.zone, most):
            x = self._x(at)
            draw.line((x, self._top - 5, x, self._bottom), fill=_GRID)
            width = self._axis.width(label)
            left = min(max(x - width / 2, self._left), self._right - width)
            self._axis.draw(draw, left, self._top - _AXIS / 2 - 2, label, _FAINT)
        for opened, closed in timeline.windows:
            for x in (self._x(opened), self._x(closed)):
                draw.line((x, self._top, x, self._bottom), fill=_EDGE, width=2)

    def _row(self, number: int) -> None:
        row = self._all.rows[number]
        top = self._top + number * self._height_of_row
        middle = top + self._height_of_row / 2
        name = self._letters.fitting(row.label, self._left - _GAP - _MARGIN)
        self._letters.draw(self._draw, _MARGIN, middle, name, _INK)
        total = WIDTH - _MARGIN - self._letters.width(row.total)
        self._letters.draw(self._draw, total, middle, row.total, _INK)
        for step in row.steps:
            self._step(step, top + 4, top + self._height_of_row - 4)

    def _step(self, step: Step, top: float, bottom: float) -> None:
        left = self._x(step.start)
        right = max(self._x(step.end), left + 3)
        box = (left, top, right, bottom)
        look = self._all.looks.get(step.channel_id, OTHER)
        _bar(self._draw, box, look, counted=step.counted)
        hatched = min(_HATCH, right - left)
        if step.start_estimated:
            _hatch(self._image, (left, top, left + hatched, bottom))
        if step.end_estimated:
            _hatch(self._image, (right - hatched, top, right, bottom))
        inset = 7 + (_HATCH if step.start_estimated else 0)
        room = right - left - inset - 7 - (_HATCH if step.end_estimated else 0)
        name = self._all.channels.get(step.channel_id, "")
        if name and self._small.width(name) <= room:
            colour = _on(look.colour) if step.counted else _INK
            if look.lined and step.counted:
                begins = left + 2 + (_HATCH if step.start_estimated else 0)
                clear = (begins, top + 1, left + inset + self._small.width(name) + 4, bottom - 1)
                self._draw.rectangle(clear, fill=look.colour)
            self._small.draw(self._draw, left + inset, (top + bottom) / 2, name, colour)

    def _legend_lines(self) -> int:
        return self._lay_legend(None)

    def _draw_legend(self) -> None:
        self._lay_legend(self._draw)

    def _lay_legend(self, draw: _Draw | None) -> int:
        """Put the entries side by side, as many as fit in a line; returns the number of lines."""
        left, line = float(_MARGIN), 0
        for kind, name in self._entries:
            label = self._legend.fitting(name, 260 if isinstance(kind, Look) else 600)
            width = 34 + self._legend.width(label) + 26
            if left > _MARGIN and left + width > WIDTH - _MARGIN + 26:
                left, line = float(_MARGIN), line + 1
            if draw is not None:
                middle = self._bottom + _GAP + line * 32 + 18
                self._swatch(kind, (left, middle - 9, left + 26, middle + 9))
                self._legend.draw(draw, left + 34, middle, label, _INK)
            left += width
        return line + 1

    def _swatch(self, kind: Look | str, box: _Box) -> None:
        if isinstance(kind, Look):
            _bar(self._draw, box, kind, counted=True)
        elif kind == "uncounted":
            _bar(self._draw, box, OTHER, counted=False)
        elif kind == "estimated":
            _bar(self._draw, box, OTHER, counted=True)
            _hatch(self._image, box)
        else:
            self._draw.rectangle(box, fill=_RUNNING, outline=_EDGE, width=2)


def legend_of(timeline: Timeline) -> list[tuple[Look | str, str]]:
    """Return what the legend explains: only what is in the picture."""
    steps = [step for row in timeline.rows for step in row.steps]
    here = {step.channel_id for step in steps}
    found: list[tuple[Look | str, str]] = [
        (look, timeline.channels.get(channel, ""))
        for channel, look in timeline.looks.items()
        if look != OTHER and channel in here
    ]
    if any(timeline.looks.get(channel, OTHER) == OTHER for channel in here):
        found.append((OTHER, timeline.words["others"]))
    voided = {step.void_reason is not None for step in steps if not step.counted}
    if voided:
        # They look the same; what is said is what is there.
        why = "either" if len(voided) > 1 else "voided" if True in voided else "uncounted"
        found.append(("uncounted", timeline.words[why]))
    if any(step.start_estimated or step.end_estimated for step in steps):
        found.append(("estimated", timeline.words["estimated"]))
    return [*found, ("running", timeline.words["running"])]


def _bar(draw: _Draw, box: _Box, look: Look, *, counted: bool) -> None:
    if not counted:
        draw.rounded_rectangle(box, 3, fill=_UNCOUNTED, outline=look.colour, width=2)
        return
    draw.rounded_rectangle(box, 3, fill=look.colour, outline=_PAPER, width=1)
    if look.lined:
        middle = (box[1] + box[3]) / 2
        draw.line((box[0] + 2, middle, box[2] - 2, middle), fill=_INK, width=3)


def _hatch(image: Image.Image, box: _Box) -> None:
    """Lay slanted lines over a part of a bar."""
    left, top, right, bottom = (round(each) for each in box)
    if right <= left or bottom <= top:
        return
    part = image.crop((left, top, right, bottom))
    draw = ImageDraw.Draw(part)
    height = bottom - top
    for x in range(-height, right - left + height, 11):
        # Dark beside light, so that it shows on every colour.
        draw.line((x, height, x + height, 0), fill=_PAPER, width=3)
        draw.line((x + 3, height, x + height + 3, 0), fill=_INK, width=2)
    image.paste(part, (left, top))


def _on(colour: str) -> str:
    """Return the colour of letters that can be read on another."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return _INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else _PAPER
