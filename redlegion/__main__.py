"""`redlegion` on the command line: the core's commands, and those of the sandbox."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.cli.run import Link

#: The exit status of a process that was interrupted from the keyboard, as everywhere in Unix.
INTERRUPTED = 130


@asynccontextmanager
async def open_link(control_url: str) -> AsyncIterator[Link]:
    """Connect to a running sandbox; the module that can is loaded only when it is needed."""
    from sandbox.link import open_link as connect

    async with connect(control_url) as link:
        yield link


def main(argv: Sequence[str] | None = None) -> int:
    """Run `redlegion` with the words of `argv` and return the exit status."""
    try:
        # Loading takes a moment, in which an impatient Ctrl-C must end as quietly as later.
        from core.cli.app import main as core_main
        from core.process import leave
        from sandbox.cli import add_commands
    except KeyboardInterrupt:
        return INTERRUPTED
    return leave(core_main(argv, more=[add_commands], open_link=open_link))


if __name__ == "__main__":
    sys.exit(main())
