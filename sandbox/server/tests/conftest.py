"""Fixtures of the tests of the sandbox's Discord, which need nothing but it and its clients."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from support.heartbeats import no_heartbeat_stays  # noqa: F401 - a fixture of every test
from support.judged_worlds import judged_worlds  # noqa: F401 - a fixture of every test
from support.places import bot, place  # noqa: F401
