"""`redlegion jobs`: what waits, what failed for good, and another try."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.cli.parser import Subcommands
from core.errors import StartupError
from core.logs import configure_logging
from core.settings import load_settings

if TYPE_CHECKING:
    from datetime import datetime

    from core.jobs.store import JobState

LIMIT = 200
_ERROR_LENGTH = 120


def add_command(commands: Subcommands) -> None:
    """Add `jobs` to the command line."""
    parser = commands.add_parser(
        "jobs",
        help="list durable jobs, try a failed one again, or drop it",
        description="Durable jobs and events on their way. Works beside a running bot, which sees a change "
        "within a minute.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list the jobs that are not done, first one first")
    which = listing.add_mutually_exclusive_group()
    for kind, words in (
        ("waiting", "those that wait for their time or their next try"),
        ("held", "those that wait until their plugin is on, or loaded, again"),
        ("running", "those that run now"),
        ("dead", "those that failed too often"),
    ):
        which.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=words)
    listing.add_argument(
        "--limit", type=_positive, default=LIMIT, help=f"how many at most; {LIMIT} by default"
    )
    listing.set_defaults(handler=_list)
    retry = actions.add_parser("retry", help="try a dead job again, or one that waits for its next try, now")
    retry.add_argument("id", type=_positive, help="its id, as `redlegion jobs list` shows it")
    retry.set_defaults(handler=_retry)
    drop = actions.add_parser("drop", help="give a job up: it never runs, and nothing stores it again")
    drop.add_argument("id", type=_positive, help="its id, as `redlegion jobs list` shows it")
    drop.set_defaults(handler=_drop)


def _list(arguments: argparse.Namespace) -> int:
    from core.jobs.listing import jobs_in

    with _database():
        found, total = jobs_in(arguments.kind, arguments.limit)
    if not found:
        print(f"No job is {arguments.kind}." if arguments.kind else "No job waits, runs or is dead.")
        return 0
    for line in _table(found):
        print(line)
    if total > len(found):
        print(f"... and {total - len(found)} more; --limit {total} shows all.")
    return 0


def _retry(arguments: argparse.Namespace) -> int:
    from core.clock import SystemClock
    from core.jobs.listing import retry

    job = _changed(lambda: retry(arguments.id, SystemClock().now()))
    held = " once its plugin is on, or the bot in the server, again" if job.held_since is not None else ""
    print(f"Job {job.id} ({job.plugin}.{job.name}) is tried again{held}.")
    return 0


def _drop(arguments: argparse.Namespace) -> int:
    from core.jobs.listing import drop

    job = _changed(lambda: drop(arguments.id))
    print(f"Job {job.id} ({job.plugin}.{job.name}) is dropped and counts as done.")
    return 0


def _changed(change: Callable[[], JobState]) -> JobState:
    from core.jobs.listing import NotPossible

    with _database():
        try:
            return change()
        except NotPossible as error:
            raise StartupError(str(error)) from None


@contextmanager
def _database() -> Iterator[None]:
    """Bind the models to the process's database within the block, in one transaction.

    :raises StartupError: it cannot be used, or its tables are not those of this version.
    """
    from core.clock import SystemClock
    from core.database.opening import use
    from core.database.schema import CORE_SCHEMA, migrate_status, own_connection

    settings = load_settings()
    configure_logging("CRITICAL", settings.log_format, secrets=settings.secrets())
    url = settings.database_url
    if any(state.state in {"pending", "unknown"} for state in migrate_status(url, [CORE_SCHEMA])):
        raise StartupError(
            "The tables of this database are not those of this version: run `redlegion migrate` first."
        )
    # Beside a running bot: a short transaction of its own needs no lock of the whole file.
    with own_connection(url, lock=False, shared=True) as backend:
        use(backend, SystemClock())
        with backend.atomic():
            yield


def _table(jobs: Sequence[JobState]) -> list[str]:
    rows = [("ID", "PLUGIN", "GUILD", "JOB", "STATE", "DUE", "FAILED", "LAST ERROR")]
    for job in jobs:
        state = "held" if job.state == "waiting" and job.held_since is not None else job.state
        error = " ".join((job.last_error or "").split())[:_ERROR_LENGTH]
        name = f"{job.name} {job.key}"
        row = (
            str(job.id),
            job.plugin,
            str(job.guild_id),
            name,
            state,
            _time(job.due),
            str(job.attempts),
            error,
        )
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%SZ")


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)
