"""`redlegion backup` and `redlegion restore`: everything in the database as one file, and back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.cli.migrate import loaded, target
from core.cli.parser import Subcommands
from core.clock import SystemClock

_FOLDER = Path("data") / "backups"


def add_command(commands: Subcommands) -> None:
    """Add `backup` and `restore` to the command line."""
    parser = commands.add_parser(
        "backup",
        help="write everything in the database to one file",
        description="Write everything in the database to one file, also while the bot runs. The file can be"
        " restored into SQLite and PostgreSQL alike. Settings and plugins.toml are not in it.",
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        help=f"the file to write; one named by the time in {_FOLDER} if left out",
    )
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    parser.set_defaults(handler=_backup)
    parser = commands.add_parser(
        "restore",
        help="put a backup into an empty database",
        description="Put a backup into the empty database that DATABASE_URL names, all of it or nothing, and"
        " bring its tables up to date. The bot must not run meanwhile.",
    )
    parser.add_argument("file", type=Path, help="a file that redlegion backup wrote")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="NAME",
        help="leave out the data of a plugin, a table or a table.column; may be given more than once",
    )
    parser.set_defaults(handler=_restore)


def _backup(arguments: argparse.Namespace) -> int:
    from core.database.backup import back_up

    url, schemas = target()
    path = arguments.file or _FOLDER / f"redlegion-{SystemClock().now():%Y-%m-%dT%H-%M-%SZ}.zip"
    done = back_up(url, schemas, path, force=arguments.force, tell=_say)
    print(f"Wrote {done.rows:,} rows of {done.tables} tables to {done.path} ({done.size:,} bytes).")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from core.database.backup import restore
    from core.database.schema import CORE_SCHEMA

    url, manager = loaded()
    done = restore(
        url,
        [CORE_SCHEMA, *manager.schemas],
        arguments.file,
        without=arguments.without,
        needs={name: plugin.manifest.requires for name, plugin in manager.loaded.items()},
        tell=_say,
    )
    for name in done.migrated:
        print(f"applied {name}")
    print(f"Restored {done.rows:,} rows of {done.tables} tables.")
    for difference in done.differences:
        print(difference)
    if done.differences:
        print("The rows are all there, but the tables differ from what this version expects (see above).")
    for plugin, reason in done.failed.items():
        print(
            f"{plugin}: {reason}; all of the backup is restored, and the bot starts without this plugin until"
            " that is corrected",
            file=sys.stderr,
        )
    return 1 if done.differences or done.failed else 0


def _say(line: str) -> None:
    print(line, flush=True)
