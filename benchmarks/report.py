"""What was measured, for people and for programs."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import Comparison, Spread

TITLES = {
    "slash": "Slash command round trip",
    "voice": "Voice events, from the gateway's socket to the committed row",
    "voice_scale": "Bursts of moves in many guilds, to committed row and plugin",
    "start": "Start to ready",
    "dispatch": "Delivery of events to plugins",
    "isolation": "What one plugin that misbehaves costs the others",
    "sandbox": "The sandbox alone",
    "writes": "Durable writes, 500 at a time",
}


def table(results: Sequence[Comparison]) -> str:
    """Return the results in Markdown, one table for each benchmark and baseline."""
    lines: list[str] = []
    heads = dict.fromkeys((one.benchmark, one.baseline_name) for one in results)
    for benchmark, baseline_name in heads:
        lines += [
            "",
            f"{TITLES[benchmark]}, beside {baseline_name}:",
            "",
            "| figure | unit | baseline | ours | ratio |",
            "|---|---|---|---|---|",
        ]
        for one in results:
            if (one.benchmark, one.baseline_name) == (benchmark, baseline_name):
                cells = [
                    one.figure,
                    one.unit,
                    _spread(Spread.of(one.baseline), one.digits),
                    _spread(Spread.of(one.ours), one.digits),
                    f"**{one.ratio.median:.2f}** ({one.ratio.least:.2f} - {one.ratio.most:.2f})",
                ]
                lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines[1:])


def surroundings() -> dict[str, Any]:
    """Return the machine and the versions, as far as they bear on the figures."""
    return {
        "machine": {
            "cpus": os.cpu_count(),
            "architecture": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
        },
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{name: version(name) for name in ("redlegion", "discord.py", "aiohttp", "peewee", "psycopg")},
        },
    }


def write_json(path: Path, results: Sequence[Comparison], *, at: datetime, seconds: float) -> None:
    """Write the results as one JSON file; its folder is made when it is not there.

    :param at: when the run began.
    :param seconds: how long it took.
    """
    content = {
        "at": at.isoformat(timespec="seconds"),
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "seconds": round(seconds, 1),
        **surroundings(),
        "results": [one.as_json() for one in results],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def default_path(at: datetime) -> Path:
    """Return where the results of a run go unless they are wanted elsewhere."""
    name = at.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    return Path(__file__).resolve().parent / "results" / f"{name}.json"


def _spread(values: Spread, digits: int) -> str:
    return f"{values.median:,.{digits}f} ({values.least:,.{digits}f} - {values.most:,.{digits}f})"
