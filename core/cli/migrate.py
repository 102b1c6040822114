"""`redlegion migrate`: the tables of the core and of every plugin, brought up, back, or looked at."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from core.cli.parser import Subcommands
from core.errors import StartupError
from core.logs import configure_logging
from core.settings import load_settings

if TYPE_CHECKING:
    from core.database.schema import MigrationState, Schema
    from core.plugins import PluginManager

_NOTHING = "none"


def add_command(commands: Subcommands) -> None:
    """Add `migrate` to the command line."""
    parser = commands.add_parser(
        "migrate",
        help="bring the database's tables up to date, or look at them",
        description="Bring the database's tables up to date. Make a backup before going down.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    parser.set_defaults(handler=_up)
    actions.add_parser("up", help="apply what is pending (the default)").set_defaults(handler=_up)
    actions.add_parser("status", help="list every migration and its state").set_defaults(handler=_status)
    down = actions.add_parser("down", help="revert migrations of one plugin, newest first")
    down.add_argument("plugin", help="a plugin's name, or core")
    down.add_argument("version", help=f"the last migration to keep, for example 0001; {_NOTHING} reverts all")
    down.add_argument("--yes", action="store_true", help="do it although rows may be lost")
    down.set_defaults(handler=_down)
    check = actions.add_parser("check", help="say whether the tables are what this version expects")
    check.set_defaults(handler=_check)


def _up(_arguments: argparse.Namespace) -> int:
    from core.plugins.migrations import migrate_all

    url, manager = loaded()
    known = len(manager.quarantined)
    applied = migrate_all(url, manager)
    for name in applied:
        print(f"applied {name}")
    failed = manager.quarantined[known:]
    for broken in failed:
        print(f"{broken}; the bot starts without this plugin until that is corrected", file=sys.stderr)
    if not applied and not failed:
        print("The tables are up to date.")
    return 1 if failed else 0


def _status(_arguments: argparse.Namespace) -> int:
    from core.database.schema import migrate_status

    url, schemas = target()
    states = migrate_status(url, schemas)
    width = max(len(_path(state)) for state in states)
    for state in states:
        when = state.applied_at.strftime("%Y-%m-%d %H:%M:%SZ") if state.applied_at else ""
        print(f"{_path(state):<{width}}  {state.state:<8} {when}".rstrip())
    return 0


def _down(arguments: argparse.Namespace) -> int:
    from core.database.schema import migrate_down, migrate_status, rows_of

    url, schemas = target()
    schema = _named(arguments.plugin, schemas)
    names = [state.name for state in migrate_status(url, [schema]) if state.applied_at]
    keep = _version(arguments.version, schema.name, names)
    going = names[names.index(keep) + 1 :] if keep is not None else names
    filled = rows_of(url, schema) if going else {}
    if filled and not arguments.yes:
        tables = ", ".join(f"{name} ({count:,})" for name, count in filled.items())
        raise StartupError(
            f"Reverting {', '.join(going)} may lose rows of {schema.name}, which has some in {tables}: run"
            " redlegion backup first, then say --yes."
        )
    reverted = migrate_down(url, schema, keep)
    for name in reverted:
        print(f"reverted {name}")
    if not reverted:
        print(f"{schema.name} is at {names[-1] if names else 'no migration'} already.")
    return 0


def _check(_arguments: argparse.Namespace) -> int:
    from core.database.schema import drift, migrate_status

    url, schemas = target()
    wrong = [state for state in migrate_status(url, schemas) if state.state != "applied"]
    for state in wrong:
        print(f"{_path(state)} is {state.state}: {ADVICE[state.state]}")
    if wrong:
        return 1
    differences = drift(url, schemas)
    for difference in differences:
        print(difference)
    print(
        "The tables differ from what this version expects: restore a backup, or write a migration."
        if differences
        else "The tables are what this version expects."
    )
    return 1 if differences else 0


#: What to do about a migration that is not simply applied.
ADVICE = {
    "pending": "run `redlegion migrate`",
    "edited": "restore the file as it was applied and put the change into a new migration",
    "unknown": "the database is newer than this code, install that version again or restore an older backup",
}


def target() -> tuple[str, list[Schema]]:
    """Read the settings and return the database's URL and all schemas, the core's first.

    Broken plugins are named on standard error and left out.
    """
    from core.database.schema import CORE_SCHEMA

    url, manager = loaded()
    return url, [CORE_SCHEMA, *manager.schemas]


def loaded() -> tuple[str, PluginManager]:
    """Read the settings and return the database's URL and the plugins; broken ones are named."""
    from core.plugins import PluginManager

    settings = load_settings()
    configure_logging("CRITICAL", settings.log_format, secrets=settings.secrets())
    manager = PluginManager.load(settings)
    for broken in manager.quarantined:
        print(f"left out, because it does not load: {broken}", file=sys.stderr)
    return settings.database_url, manager


def _named(name: str, schemas: list[Schema]) -> Schema:
    for schema in schemas:
        if schema.name == name:
            return schema
    known = ", ".join(schema.name for schema in schemas)
    raise StartupError(f"No loaded plugin with tables is called {name}; choose one of {known}.")


def _version(text: str, plugin: str, applied: list[str]) -> str | None:
    if text == _NOTHING:
        return None
    found = [name for name in applied if name == text or name.split("_", 1)[0] == text]
    if len(found) != 1:
        known = ", ".join(applied) or "nothing"
        raise StartupError(
            f"{plugin} has no applied migration {text}; applied are {known} ({_NOTHING} reverts all)."
        )
    return found[0]


def _path(state: MigrationState) -> str:
    return f"{state.schema}/{state.name}"
