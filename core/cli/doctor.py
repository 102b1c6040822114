"""`redlegion doctor`: one line per check, with what to do about each that fails."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

from core import fonts
from core.cli.migrate import ADVICE
from core.cli.parser import Subcommands
from core.cli.running import ask
from core.errors import StartupError
from core.logs import configure_logging
from core.settings import Settings, load_settings

if TYPE_CHECKING:
    from core.database.schema import MigrationState, Schema


#: A database that is not there, so that an empty one is tried.
NOWHERE = "sqlite:////nowhere/nothing.sqlite3"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    :param level: ok, note (works, but worth knowing) or FAIL.
    :param words: what was found, and for a failure what to do.
    """

    level: Literal["ok", "note", "FAIL"]
    subject: str
    words: str

    def __str__(self) -> str:
        return f"{self.level:<5} {self.subject:<11} {self.words}"


def add_command(commands: Subcommands) -> None:
    """Add `doctor` to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="check settings, plugins and database",
        description="Check settings, plugins and database; exit status 1 when something is broken.",
    )
    parser.add_argument(
        "--running", action="store_true", help="ask the bot that runs here, at its health address, too"
    )
    parser.set_defaults(handler=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    failed = False
    for finding in chain(examine(), _running() if arguments.running else ()):
        print(finding, flush=True)
        failed = failed or finding.level == "FAIL"
    return 1 if failed else 0


def examine() -> Iterator[Finding]:
    """Yield what is found, check by check; what cannot be looked at any more is left out."""
    try:
        settings = load_settings()
    except StartupError as error:
        yield Finding("FAIL", "settings", error.sentence)
        return
    # What the log would say of a broken plugin is said here, once and in order.
    configure_logging("CRITICAL", settings.log_format, secrets=settings.secrets())
    yield Finding("ok", "settings", f"read from the environment, .env and {settings.plugins_file}")
    if settings.discord_token is None:
        yield Finding(
            "note", "token", "DISCORD_TOKEN is not set; only `redlegion run` without --sandbox needs it"
        )
    else:
        yield Finding(
            "ok", "token", "DISCORD_TOKEN is set (whether Discord accepts it shows when the bot runs)"
        )
    yield from _fonts()
    schemas: list[Schema] = []
    yield from _plugins(settings, schemas)
    yield from _database(settings, schemas)


def _fonts() -> Iterator[Finding]:
    for what, files, package in (
        ("Chinese, Japanese and Korean letters", fonts.east_asian_files(), "fonts-wqy-microhei"),
        ("emoji", fonts.emoji_files(), "fonts-symbola"),
    ):
        if next(files, None) is None:
            words = f"none here has {what}: in pictures they are ?; on Debian and Ubuntu install {package}"
            yield Finding("note", "fonts", words)


def _running() -> Iterator[Finding]:
    try:
        address = load_settings().health_address
    except StartupError:
        # Said already.
        return
    for level, words in ask(address):
        yield Finding(level, "running", words)


def _plugins(settings: Settings, schemas: list[Schema]) -> Iterator[Finding]:
    from core.database.schema import CORE_SCHEMA
    from core.plugins import PluginManager

    manager = PluginManager.load(settings)
    schemas += [CORE_SCHEMA, *manager.schemas]
    for problem in manager.folder_problems:
        yield Finding("FAIL", "folders", problem)
    if manager.loaded:
        yield Finding("ok", "plugins", ", ".join(manager.loaded))
    elif not manager.quarantined:
        yield Finding("note", "plugins", f"none; name some under load in {settings.plugins_file}")
    for broken in manager.quarantined:
        words = f"{broken}; correct that, or take it out of {settings.plugins_file}"
        if (more := len(manager.problems[broken.name]) - 1) > 0:
            words += f" ({more} more with `redlegion plugins check {broken.name}`)"
        yield Finding("FAIL", "plugin", words)


def _pending(settings: Settings, schemas: list[Schema], states: list[MigrationState]) -> Iterator[Finding]:
    """Try what is pending on a copy: a migration that fails takes its plugin out when the bot starts."""
    from core.database.scratch import NoScratch
    from core.plugins.rehearsal import failures

    waiting = {state.schema for state in states if state.state == "pending"}
    unusable = {state.schema for state in states if state.state in {"edited", "unknown"}}
    if not waiting or schemas[0].name in unusable:
        return
    usable = [schema for schema in schemas if schema.name not in unusable]
    try:
        found = list(failures(settings.database_url, usable, waiting))
    except NoScratch as error:
        yield Finding("note", "migrations", f"the pending ones are tried on SQLite only: {error}")
        found = list(failures(NOWHERE, usable, waiting))
    for name, failure in found:
        words = f"{name}: {failure}; the bot starts without this plugin until that is corrected"
        yield Finding("FAIL", "migrations", words)


def _database(settings: Settings, schemas: list[Schema]) -> Iterator[Finding]:
    from core.database.schema import drift, migrate_status

    try:
        states = migrate_status(settings.database_url, schemas)
    except StartupError as error:
        yield Finding("FAIL", "database", error.sentence)
        return
    yield Finding("ok", "database", "reachable")
    counts = Counter(state.state for state in states)
    for state in states:
        if state.state in {"edited", "unknown"}:
            words = f"{state.schema}/{state.name} is {state.state}: {ADVICE[state.state]}"
            yield Finding("FAIL", "migrations", words)
    yield from _pending(settings, schemas, states)
    if counts["pending"]:
        words = f"{counts['pending']} pending: {ADVICE['pending']}, or start the bot, which does it too"
        yield Finding("note", "migrations", words)
    if len(states) > counts["applied"]:
        return
    yield Finding("ok", "migrations", f"all {len(states)} applied")
    try:
        differences = drift(settings.database_url, schemas)
    except StartupError as error:
        yield Finding("note", "tables", error.sentence)
        return
    for difference in differences:
        yield Finding("FAIL", "tables", f"{difference}; restore a backup, or write a migration")
    if not differences:
        yield Finding("ok", "tables", "as this version expects them")
