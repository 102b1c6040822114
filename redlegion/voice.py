"""What was recorded of voice, for store functions: stays one by one, chains of them, and sums of long ago."""

from __future__ import annotations

from core.events import SessionRecord
from core.stays.chains import Chain, Link, chain_of, chain_with
from core.stays.folding import Day, Sums
from core.stays.folding import days as folded_days
from core.stays.statistics import Totals, folded_within, totals_of
from core.voice.store import sessions_between

__all__ = [
    "Chain",
    "Day",
    "Link",
    "SessionRecord",
    "Sums",
    "Totals",
    "chain_of",
    "chain_with",
    "folded_days",
    "folded_within",
    "sessions_between",
    "totals_of",
]
