"""Fonts that a machine may have and that know more scripts than those which come with our libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_WIDE_FILES = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "C:/Windows/Fonts/arial.ttf",
)


def wide_files() -> Iterator[str]:
    """Return the paths of those that are here, the best first."""
    return (file for file in _WIDE_FILES if Path(file).is_file())
