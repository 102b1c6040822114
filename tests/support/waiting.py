"""Waiting for what only the event loop's next turns can bring."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], object], within: float = 60.0) -> None:
    """Return once `true()` holds, looking again at every turn of the loop.

    :param within: real seconds.
    :raises TimeoutError: it did not come true.
    """
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - there is no event for what a test looks at from outside
            await asyncio.sleep(0.001)
