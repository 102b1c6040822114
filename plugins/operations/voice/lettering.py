"""Text on a picture: names in any script, with the fonts that are there."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import reportlab
from PIL import ImageDraw, ImageFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from core import fonts

_VERA = Path(reportlab.__file__).parent / "fonts"
_UNKNOWN = "?"
_CUT = "…"

Font = ImageFont.FreeTypeFont


class Lettering:
    """Letters of one size.

    :param size: in pixels.
    """

    def __init__(self, size: int, *, bold: bool = False) -> None:
        regular = _VERA / ("VeraBd.ttf" if bold else "Vera.ttf")
        self.size = size
        self._fonts = [(_glyphs(str(regular)), ImageFont.truetype(str(regular), size))]
        for file in _others():
            self._fonts.append((_glyphs(file), ImageFont.truetype(file, size)))

    def width(self, text: str) -> float:
        """Return how many pixels a text takes."""
        return sum(font.getlength(part) for font, part in self._runs(text))

    def fitting(self, text: str, room: float) -> str:
        """Return a text that takes at most `room` pixels, cut with a mark."""
        text = " ".join(text.split())
        if self.width(text) <= room:
            return text
        while text and self.width(text + _CUT) > room:
            text = text[:-1]
        return text.rstrip() + _CUT

    def draw(self, on: ImageDraw.ImageDraw, left: float, middle: float, text: str, colour: str) -> None:
        """Write a text that begins at `left` and whose height is centred on `middle`, both in pixels."""
        for font, part in self._runs(text):
            on.text((left, middle), part, fill=colour, font=font, anchor="lm")
            left += font.getlength(part)

    def _runs(self, text: str) -> list[tuple[Font, str]]:
        found: list[tuple[Font, str]] = []
        for char in unicodedata.normalize("NFC", text):
            if unicodedata.category(char) in ("Cc", "Cf", "Cs"):
                continue
            font, drawn = self._pick(char)
            if found and found[-1][0] is font:
                found[-1] = (font, found[-1][1] + drawn)
            else:
                found.append((font, drawn))
        return found

    def _pick(self, char: str) -> tuple[Font, str]:
        # A letter without its accent still reads; the first part of a Korean syllable does not.
        base = char if "가" <= char <= "힣" else unicodedata.normalize("NFKD", char)[0]
        for drawn in (char, base):
            for glyphs, font in self._fonts:
                if ord(drawn) in glyphs:
                    return font, drawn
        return self._fonts[0][1], _UNKNOWN


@lru_cache(maxsize=8)
def _glyphs(file: str) -> frozenset[int]:
    return frozenset(TTFont(Path(file).stem, file).face.charToGlyph)


@lru_cache(maxsize=1)
def _others() -> tuple[str, ...]:
    """Return what the machine has for letters that Vera lacks: a wide font, an East Asian one, emoji."""
    groups = (fonts.wide_files(), fonts.east_asian_files(), fonts.emoji_files())
    return tuple(file for files in groups if (file := next(filter(_usable, files), None)) is not None)


def _usable(file: str) -> bool:
    try:
        _glyphs(file)
    except (TTFError, OSError):
        return False
    return True
