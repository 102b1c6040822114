"""The demo as a newcomer runs it: a process, its files, and what they say."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from support.forked import redlegion

from sandbox.demo.plot import write_plot


def demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "redlegion", "demo", "--fast", "--out", str(out), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def check(out: Path) -> dict[str, Any]:
    """Hold the promises of the report against its own figures and against the files."""
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    people = report["participants"]
    assert (
        report["expenses"] + report["org_cut"] + report["fees"] + sum(p["net"] for p in people)
        == report["gross"]
    )
    assert report["payouts_total"] == sum(p["net"] for p in people)
    assert report["gross"] > 0
    assert report["restarts"] == 1
    assert report["gateway_events"] > 0
    assert report["hooks_delivered"] > 0
    errors = {unseen: [0.0] for unseen in (True, False)}
    for person in people:
        error = abs(person["seconds"] - person["truth_seconds"])
        errors[person["moved_unseen"]].append(error)
        if error > 1 or person["moved_unseen"]:
            assert person["estimated"], person
    assert max(errors[False]) <= 1
    assert max(errors[True]) <= report["downtime_seconds"] + 15
    assert report["largest_error_seconds"] == pytest.approx(max(errors[False]), abs=0.002)
    assert report["largest_estimated_error_seconds"] == pytest.approx(max(errors[True]), abs=0.002)
    (pdf,) = out.glob("payroll-*.pdf")
    numbers = {int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", read_pdf(pdf))}
    assert {report["gross"], report["org_cut"], report["fees"], report["payouts_total"]} <= numbers
    assert {p["net"] for p in people} <= numbers
    (sheet,) = out.glob("payroll-*.csv")
    rows = list(csv.reader(io.StringIO(sheet.read_text(encoding="utf-8-sig"))))
    cells = {cell for row in rows for cell in row}
    assert {str(p["net"]) for p in people} <= cells
    return report


def read_pdf(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def test_the_story_with_its_defaults(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report = check(tmp_path)
    assert len(report["participants"]) == 24
    assert report["operation"]["title"] == "Sunday Mining - 2026-09-06"
    assert report["largest_estimated_error_seconds"] > 1, "somebody moved while the bot was away"
    assert "exact" in done.stdout
    assert str(tmp_path) in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--members", "1", "--channels", "1", "--minutes", "5"),
        ("--members", "60", "--channels", "25", "--minutes", "20", "--seed", "9"),
    ],
)
def test_other_sizes(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = demo(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    check(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--members", "0"), "members must be from 1 to 200, not 0"),
        (("--channels", "26"), "channels must be from 1 to 25, not 26"),
        (("--minutes", "1"), "minutes must be from 5 to 720, not 1"),
    ],
)
def test_numbers_out_of_range_are_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = redlegion("demo", "--out", str(tmp_path), *arguments, folder=tmp_path, environment=os.environ)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_one_seed_tells_one_story() -> None:
    first, again, other = (write_plot(seed=s, members=24, channels=7, minutes=130) for s in (4, 4, 5))
    assert first == again
    assert first != other


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 21))
def test_twenty_evenings(tmp_path: Path, seed: int) -> None:
    done = demo(tmp_path, "--seed", str(seed))
    assert done.returncode == 0, done.stderr
    check(tmp_path)
