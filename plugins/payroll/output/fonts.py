"""Fonts for names in any script, from what is there.

reportlab brings Bitstream Vera (Latin-1 and a little more). What it lacks is looked up, in this order, in a
wider TrueType font where the machine has one, in Vera without the accent, and in the East Asian fonts that
PDF viewers bring themselves. What is left is printed as "?", and the document says so.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import lru_cache
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from core.fonts import wide_files

REGULAR = "RedLegion"
BOLD = "RedLegion-Bold"
WIDE = "RedLegion-Wide"
REPLACEMENT = "?"

# A viewer's own East Asian fonts, by the legacy encoding that has the same characters.
_VIEWER_FONTS = (("HeiseiKakuGo-W5", "shift_jis"), ("STSong-Light", "gb2312"), ("HYGothic-Medium", "euc_kr"))
_lock = threading.Lock()


@lru_cache(maxsize=1)
def _register() -> tuple[frozenset[int], frozenset[int]]:
    """Register the fonts once per process; return what Vera and the wide font can draw."""
    pdfmetrics.registerFont(TTFont(REGULAR, "Vera.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    for name, _ in _VIEWER_FONTS:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    wide: frozenset[int] = frozenset()
    for file in wide_files():
        try:
            font = TTFont(WIDE, file)
        except (TTFError, OSError):
            continue
        pdfmetrics.registerFont(font)
        wide = frozenset(font.face.charToGlyph)
        break
    return frozenset(pdfmetrics.getFont(REGULAR).face.charToGlyph), wide


def ready() -> None:
    """Make the fonts known to reportlab; cheap after the first time."""
    with _lock:
        _register()


def runs(text: str) -> list[tuple[str, str]]:
    """Cut a text into stretches that one font can draw.

    :returns: (font name, characters); what nothing can draw became `REPLACEMENT`.
    """
    ready()
    found: list[tuple[str, str]] = []
    for char in unicodedata.normalize("NFC", " ".join(text.split())):
        if unicodedata.category(char) in ("Cc", "Cf", "Cs"):
            continue
        font, drawn = _pick(char)
        if found and (found[-1][0] == font):
            found[-1] = (font, found[-1][1] + drawn)
        else:
            found.append((font, drawn))
    return found


def markup(text: str) -> str:
    """Return the text as reportlab paragraph markup with the fonts it needs."""
    return "".join(
        escape(part) if font == REGULAR else f'<font name="{font}">{escape(part)}</font>'
        for font, part in runs(text)
    )


def loses_characters(text: str) -> bool:
    """Whether something in the text is printed as `REPLACEMENT`."""
    return sum(part.count(REPLACEMENT) for _, part in runs(text)) > text.count(REPLACEMENT)


def doubtful(text: str) -> bool:
    """Whether readers may not see this text as it was written.

    True when characters are replaced, drawn by the viewer's own fonts, which it may not have, or written from
    right to left, which is not laid out here.
    """
    known = (REGULAR, WIDE)
    return (
        loses_characters(text)
        or not any(part.strip() for _, part in runs(text))
        or any(font not in known for font, _ in runs(text))
        or any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    )


def _pick(char: str) -> tuple[str, str]:
    vera, wide = _register()
    if ord(char) in vera:
        return REGULAR, char
    if ord(char) in wide:
        return WIDE, char
    base = unicodedata.normalize("NFKD", char)[0]
    if base != char and ord(base) in vera:
        return REGULAR, base
    if ord(char) <= 0xFFFF:
        for font, encoding in _VIEWER_FONTS:
            try:
                char.encode(encoding)
            except UnicodeEncodeError:
                continue
            return font, char
    return REGULAR, REPLACEMENT
