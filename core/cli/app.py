"""The parser, and the one place where an error turns into a sentence and an exit status."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from core.cli import backup, doctor, jobs, migrate, plugins, run
from core.cli.crash import record_crash
from core.cli.errors import sentence_for
from core.cli.parser import CommandParser, Subcommands
from core.errors import StartupError

#: The exit status of a process that was interrupted from the keyboard.
INTERRUPTED = 130


def main(
    argv: Sequence[str] | None = None,
    *,
    more: Sequence[Callable[[Subcommands], None]] = (),
    open_link: run.OpenLink | None = None,
) -> int:
    """Run the command line and return the exit status.

    :param argv: the words after the program's name; those of the process by default.
    :param more: adds further commands; each sets the default `handler`, called with the parsed arguments.
    :param open_link: connects `run --sandbox` to a running sandbox.
    """
    parser = build_parser(more, open_link)
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.handler(arguments)
        return status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left, as with `redlegion doctor | head -1`.
        sys.stderr.close()
        return 1
    except Exception as error:
        if arguments.debug:
            raise
        return _tell(error)
    finally:
        logging.shutdown()


def build_parser(
    more: Sequence[Callable[[Subcommands], None]] = (), open_link: run.OpenLink | None = None
) -> argparse.ArgumentParser:
    """Return the parser of all commands; see `main`."""
    parser = argparse.ArgumentParser(
        prog="redlegion",
        description="A Discord bot made of plugins, and the mining-organisation bot built on it.",
        epilog="Settings come from the environment, .env and plugins.toml; see .env.example.",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks instead of one sentence")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=CommandParser
    )
    run.add_command(commands, open_link)
    migrate.add_command(commands)
    backup.add_command(commands)
    plugins.add_command(commands)
    jobs.add_command(commands)
    doctor.add_command(commands)
    for add in more:
        add(commands)
    return parser


def _tell(error: Exception) -> int:
    known = error if isinstance(error, StartupError) else sentence_for(error)
    if known is not None:
        print(known.sentence, file=sys.stderr)
        return known.exit_code
    reference, path = record_crash(error)
    print(
        f"Something unexpected went wrong ({reference}); the details are in {path}, "
        "please attach that file when you report it.",
        file=sys.stderr,
    )
    return 1
