"""`python -m benchmarks`: Red Legion against bare discord.py on a Discord on loopback, as ratios."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.child import BenchmarkError
from benchmarks.report import default_path, table, write_json
from benchmarks.suite import FULL, NAMES, QUICK, TINY, measure


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="run this one only; may be repeated")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the JSON file goes")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="less of everything, in under half a minute")
    size.add_argument("--tiny", action="store_true", help="only see whether it works")
    given = parser.parse_args()
    sizes = QUICK if given.quick else TINY if given.tiny else FULL
    at, started = datetime.now(UTC), time.perf_counter()
    try:
        results = asyncio.run(
            measure(sizes, given.only or NAMES, lambda words: print(words, file=sys.stderr))
        )
    except BenchmarkError as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    path = given.json or default_path(at)
    write_json(path, results, at=at, seconds=time.perf_counter() - started)
    print(table(results))
    print(f"\nMedian (least - most); ratio is ours / baseline, round by round. Written to {path}.")
    return 0


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
