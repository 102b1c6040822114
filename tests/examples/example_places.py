"""Where the example plugin lies."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/redlegion-shift-log"
SOURCE = EXAMPLE / "src"
