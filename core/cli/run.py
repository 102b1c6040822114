"""`redlegion run`: the bot, on Discord or on a running sandbox."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from core.cli.parser import Subcommands
from core.errors import StartupError
from core.logs import configure_logging
from core.process import StopSignals, collect_seldom, run_process
from core.settings import Settings, load_settings

if TYPE_CHECKING:
    from core.connection import Connection


class Link(Protocol):
    """A way to a sandbox, open while its block lasts."""

    @property
    def connection(self) -> Connection:
        """Return what the bot connects with instead of Discord."""


OpenLink = Callable[[str], AbstractAsyncContextManager[Link]]


def add_command(commands: Subcommands, open_link: OpenLink | None = None) -> None:
    """Add `run` to the command line.

    :param open_link: opens the way to the sandbox at a control address; without it --sandbox is not offered.
    """
    parser = commands.add_parser(
        "run",
        help="run the bot until it is interrupted",
        description="Run the bot until it is interrupted. Needs DISCORD_TOKEN, unless --sandbox is given.",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse to start when a plugin is broken or missing"
    )
    parser.add_argument(
        "--safe", action="store_true", help="load the project's own plugins only; guilds keep what they chose"
    )
    if open_link is not None:
        parser.add_argument(
            "--sandbox", metavar="CONTROL_URL", help="use the running sandbox with this control address"
        )
    parser.set_defaults(handler=lambda arguments: _run(arguments, open_link))


def _run(arguments: argparse.Namespace, open_link: OpenLink | None) -> int:
    collect_seldom()
    settings = dataclasses.replace(load_settings(), strict=arguments.strict, safe=arguments.safe)
    configure_logging(settings.log_level, settings.log_format, secrets=settings.secrets())
    address = getattr(arguments, "sandbox", None)
    if address is None:
        # Asked for before anything is opened: the commonest mistake of a first start gets its answer at once.
        settings.token()
        run_process(partial(_on_discord, settings))
    elif open_link is not None:
        if not address.startswith(("http://", "https://")):
            raise StartupError(
                f"--sandbox {address} is not an address: give the `control` value that `redlegion sandbox` "
                "prints, for example http://127.0.0.1:8080/control."
            )
        run_process(partial(_on_sandbox, settings, open_link, address))
    return 0


async def _on_discord(settings: Settings, signals: StopSignals) -> None:
    from core.connection import Connection
    from core.runtime import Runtime

    await Runtime(settings, Connection(token=settings.token())).run(signals)


async def _on_sandbox(settings: Settings, open_link: OpenLink, address: str, signals: StopSignals) -> None:
    from core.runtime import Runtime

    async with open_link(address) as link:
        await Runtime(settings, link.connection).run(signals)
