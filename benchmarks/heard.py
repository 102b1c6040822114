"""What a plugin has heard of voice, in order, for the measurer to compare with what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Heard(NamedTuple):
    """One move as a plugin was told of it.

    :param at: when, on the monotonic clock, which all processes of a machine share.
    :param closed_id: the session that was left; `opened_id` the one that took its place.
    """

    at: float
    guild_id: int
    user_id: int
    closed_id: int
    opened_id: int
    from_channel_id: int
    to_channel_id: int


@dataclass(slots=True)
class Notes:
    """The moves that were heard since they were last handed over."""

    moves: list[Heard]

    def hand_over(self) -> list[Heard]:
        """Return what was heard, and forget it."""
        moves, self.moves = self.moves, []
        return moves


NOTES = Notes([])
