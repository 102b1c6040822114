"""The parser of one command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any


class CommandParser(argparse.ArgumentParser):
    """A parser that can learn its arguments when it is used.

    `fill` is called once, with the parser, before the first parsing: so `redlegion --help` does not load
    the code of commands that are not run.
    """

    fill: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        if self.fill is not None:
            fill, self.fill = self.fill, None
            fill(self)
        return super().parse_known_args(args, namespace)


if TYPE_CHECKING:
    Subcommands = argparse._SubParsersAction[CommandParser]
else:
    Subcommands = argparse._SubParsersAction
