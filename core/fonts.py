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
#: TrueType outlines only: the libraries that draw do not read what Noto's East Asian fonts are made of.
_EAST_ASIAN_FILES = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/wenquanyi/wqy-microhei/wqy-microhei.ttc",
    "/Library/Fonts/Arial Unicode.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    # Without Korean.
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "C:/Windows/Fonts/msyh.ttc",
)
_EMOJI_FILES = (
    "/usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf",
    "/usr/share/fonts/gdouros-symbola/Symbola.ttf",
    "C:/Windows/Fonts/seguiemj.ttf",
)


def wide_files() -> Iterator[str]:
    """Return the paths of those that are here, the best first."""
    return _here(_WIDE_FILES)


def east_asian_files() -> Iterator[str]:
    """Return the paths of those with Chinese, Japanese and Korean letters that are here, the best first."""
    return _here(_EAST_ASIAN_FILES)


def emoji_files() -> Iterator[str]:
    """Return the paths of those with emoji, in one colour, that are here, the best first."""
    return _here(_EMOJI_FILES)


def _here(files: tuple[str, ...]) -> Iterator[str]:
    return (file for file in files if Path(file).is_file())
