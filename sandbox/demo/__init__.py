"""The story that `make demo` plays: a Sunday mining session, from the first join to the PDF."""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
from pathlib import Path

from core.errors import StartupError
from sandbox.demo.narrator import Narrator, Silent, Told
from sandbox.demo.play import play
from sandbox.demo.plot import write_plot
from sandbox.demo.report import Report, write_report

__all__ = ["add_demo_arguments", "run_demo"]


def add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `redlegion demo` to a parser."""
    parser.add_argument("--fast", action="store_true", help="say nothing but a summary at the end")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo-out"),
        metavar="DIR",
        help="where the PDF, the CSV and report.json go (default: demo-out)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="another seed, another evening (default 1)"
    )
    parser.add_argument(
        "--members", type=int, default=24, metavar="N", help="members who take part (default 24)"
    )
    parser.add_argument("--channels", type=int, default=7, metavar="N", help="voice channels (default 7)")
    parser.add_argument(
        "--minutes", type=int, default=130, metavar="N", help="length in minutes (default 130)"
    )


def run_demo(arguments: argparse.Namespace) -> int:
    """Play the demo and write its files; returns the exit status.

    :raises StartupError: an argument out of range, or a folder that cannot be written.
    """
    try:
        plot = write_plot(
            seed=arguments.seed,
            members=arguments.members,
            channels=arguments.channels,
            minutes=arguments.minutes,
        )
    except ValueError as error:
        raise StartupError(f"The demo cannot be played: {error}.") from None
    out: Path = arguments.out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartupError(
            f"{out} cannot be used as a folder ({error.strerror}); give another one with --out."
        ) from None
    # What goes wrong on purpose, such as the dropped connection, would only be noise on the screen.
    logging.basicConfig(level=logging.CRITICAL)
    told: Narrator = Silent() if arguments.fast else Told()
    with tempfile.TemporaryDirectory(prefix="redlegion-demo-") as folder:
        database_url = f"sqlite:///{Path(folder) / 'demo.sqlite3'}"
        report: Report = asyncio.run(
            play(
                plot,
                told,
                database_url=database_url,
                seed=arguments.seed,
                members=arguments.members,
                channels=arguments.channels,
            )
        )
    files = write_report(report, out)
    told.end(report, files)
    if arguments.fast:
        print(report.summary())
        for path in files:
            print(path)
    return 0 if report.exact else 1
