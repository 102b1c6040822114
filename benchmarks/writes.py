"""Durable writes: many calls that share a commit against each in a transaction of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.child import ROOT, BenchmarkError
from benchmarks.figures import Comparison, Rounds
from benchmarks.slow_disk import slow_disk

EACH = "the same peewee code in a thread, a transaction for each call"
SLOWER_MS = 4.0
#: One by one takes so much longer that fewer calls say as much.
_FEWER_EACH, _FEWER_EACH_SLOWLY = 4, 20
_LEAST_EACH = 100


async def measure_writes(
    folder: Path,
    *,
    rounds: int,
    calls: int,
    postgres_url: str | None = None,
    told: Callable[[str], None] = lambda words: None,
) -> list[Comparison]:
    """Write from 500 tasks, ours and the baseline by turns, on this disk and on one with a slower fsync.

    :param folder: for the databases.
    :param calls: in each round.
    :param postgres_url: a durable PostgreSQL to write to as well.
    :param told: called with a line about what is left out.
    :raises BenchmarkError: a process fails.
    """
    slow = slow_disk(folder, SLOWER_MS)
    if slow is None:
        told("without the slower disk: that takes Linux and a C compiler")
    places: list[tuple[str, str | None, Mapping[str, str] | None]] = [("SQLite", None, {})]
    places.append((f"SQLite, {SLOWER_MS:g} ms more for each fsync", None, slow))
    if postgres_url is not None:
        places.append(("PostgreSQL", postgres_url, {}))
    found: list[Comparison] = []
    for place, given_url, environment in places:
        if environment is None:
            continue
        for work, words in (("write", "writes of two statements"), ("append", "appended rows")):
            taken = Rounds()
            for number in range(rounds):
                for way in ("each", "ours"):
                    url = given_url or f"sqlite:///{folder / f'{work}-{len(found)}-{number}-{way}.sqlite3'}"
                    fewer = _FEWER_EACH_SLOWLY if environment else _FEWER_EACH
                    count = max(_LEAST_EACH, calls // fewer) if way == "each" else calls
                    taken.add(way, rate=await _rate(way, work, url, count, environment))
            found.append(
                Comparison(
                    "writes",
                    f"{words}, {place}",
                    "/s",
                    0,
                    EACH,
                    taken.values("each", "rate"),
                    taken.values("ours", "rate"),
                )
            )
    return found


async def _rate(way: str, work: str, url: str, count: int, environment: Mapping[str, str]) -> float:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.write_load", way, work, url, str(count)),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    if process.returncode:
        raise BenchmarkError(f"benchmarks.write_load failed: {complaint.decode(errors='replace')[-2000:]}")
    return float(said)
