"""The benchmarks still run and write what they promise; how fast anything is, is not looked at here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import Comparison, Spread, percentile

ROOT = Path(__file__).resolve().parents[2]


def test_a_tiny_run_measures_everything_and_writes_json(tmp_path: Path) -> None:
    path = tmp_path / "new" / "figures.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny", "--json", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    written = json.loads(path.read_text())
    assert {one["benchmark"] for one in written["results"]} == {
        "slash",
        "voice",
        "voice_scale",
        "start",
        "sandbox",
        "writes",
        "dispatch",
        "isolation",
    }
    for one in written["results"]:
        assert one["ratio"]["least"] > 0
        assert one["rounds"] == 1
        assert f"| {one['figure']} |" in run.stdout
    assert written["versions"]["discord.py"]


def test_the_ratio_is_taken_round_by_round() -> None:
    one = Comparison("slash", "p50", "ms", 1, "bare", (1.0, 2.0, 4.0), (2.0, 2.0, 16.0))
    assert one.ratio == Spread(median=2.0, least=1.0, most=4.0)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(each) for each in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.99) == 99.0
    assert percentile([7.0], 0.99) == 7.0
