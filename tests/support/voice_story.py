"""Stories of evenings: lists of steps that make sense in any state, so that a failing one can be cut down."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence

PEOPLE = range(1, 7)
Step = tuple[str, int, int, float]
#: How often each thing is done.
WEIGHTS = {
    "go": 60, "mute": 4, "deafen": 8, "delete": 2, "gone": 3, "zombie": 2, "drop": 3, "resume": 6,
    "invalid": 2, "outage": 2, "back": 4, "crash": 3, "restart": 1, "boot": 6, "boot out": 1, "hold": 2,
    "stall": 2, "free": 5, "switch": 1, "jump": 1,
}  # fmt: skip
CALM = {
    "go",
    "mute",
    "deafen",
    "delete",
    "gone",
    "resume",
    "back",
    "boot",
    "boot out",
    "free",
    "jump",
    "jump back",
}
#: Seconds between two steps.
WAITS = (0.0, 0.2, 0.4, 0.999, 1.0, 1.5, 3.0, 7.0, 16.0, 40.0, 100.0, 400.0)
_OFTEN = (4, 6, 6, 4, 6, 8, 10, 10, 10, 4, 2, 1)


def story(seed: int, length: int, *, clock_back: bool = False) -> list[Step]:
    """Make up what happens: what, who, where or how much, and the seconds until then."""
    dice = random.Random(seed)
    kinds = [*WEIGHTS, "jump back"]
    weights = [*WEIGHTS.values(), 6 if clock_back else 0]
    if seed % 2:
        # A calm evening, in which many are seen all the time.
        weights = [
            weight if kind in CALM else weight / 12 for kind, weight in zip(kinds, weights, strict=True)
        ]
    what = dice.choices(kinds, weights, k=length)
    waits = dice.choices(WAITS, _OFTEN, k=length)
    return [(what[n], dice.choice(PEOPLE), dice.randrange(12), waits[n]) for n in range(length)]


async def cut_down(
    steps: list[Step], fails: Callable[[Sequence[Step]], Awaitable[str | None]], tries: int = 1_500
) -> tuple[list[Step], str | None]:
    """Leave out of a failing story what it does not need; return it and what it says."""
    size, said = len(steps) // 2, None
    while size and tries:
        start = 0
        while start < len(steps) and tries:
            tries -= 1
            shorter = steps[:start] + steps[start + size :]
            words = await fails(shorter)
            if words is None:
                start += size
            else:
                steps, said = shorter, words
        size //= 2
    return steps, said
