"""No heartbeat of one test beats on into the next.

discord.py ends a client's heartbeat threads only as long as it has not lost track of their connection, and
the faults of these tests make it do so. Such a thread would wake into a closed event loop, in the middle of
a test that has nothing to do with it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from discord.gateway import KeepAliveHandler

_WITHIN = 1.0


@pytest.fixture(autouse=True)
def no_heartbeat_stays() -> Iterator[None]:
    """Stop the heartbeat threads that a test leaves behind."""
    yield
    left = [thread for thread in threading.enumerate() if isinstance(thread, KeepAliveHandler)]
    for thread in left:
        thread.stop()
    for thread in left:
        thread.join(_WITHIN)
