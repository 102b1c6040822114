"""The sandbox's commands: `redlegion sandbox` and `redlegion demo`."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from core.cli.parser import Subcommands
from core.errors import StartupError


def add_commands(commands: Subcommands) -> None:
    """Add `demo` and `sandbox` to the command line."""
    demo = commands.add_parser(
        "demo",
        help="play a Sunday mining session on a Discord on loopback",
        description="Play a Sunday mining session on a Discord on loopback, from the first join to the PDF.",
    )
    demo.fill = _demo_arguments
    demo.set_defaults(handler=_demo)

    sandbox = commands.add_parser(
        "sandbox",
        help="serve a Discord on loopback for bots under development",
        description="Serve a Discord on loopback until interrupted. The first line is JSON: its addresses.",
    )
    sandbox.add_argument(
        "--port", type=_port, default=0, help="TCP port on 127.0.0.1; 0 (the default) takes a free one"
    )
    sandbox.add_argument(
        "--story", metavar="NAME", help="set the scene of a story, for example sunday; nothing moves"
    )
    sandbox.add_argument(
        "--start",
        type=_moment,
        metavar="TIME",
        help="the time it starts at, for example 2026-03-01T18:00:00Z (default: now)",
    )
    sandbox.add_argument("--seed", type=int, default=0, help="the seed of everything random (default 0)")
    sandbox.add_argument(
        "--members", type=_at_least_one, default=24, help="members of the story's guild (default 24)"
    )
    sandbox.add_argument("--channels", type=_at_least_one, default=7, help="its mining channels (default 7)")
    sandbox.add_argument(
        "--page", action="store_true", help="serve a page to play on by hand; its address is in the line"
    )
    sandbox.add_argument(
        "--with-bot",
        action="store_true",
        help="run this bot on it in the same process, with a database that is thrown away",
    )
    sandbox.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="play a recording again against the bot that connects, and tell what it does differently",
    )
    sandbox.set_defaults(handler=_sandbox)


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    from sandbox.demo import add_demo_arguments

    add_demo_arguments(parser)


def _demo(arguments: argparse.Namespace) -> int:
    from sandbox.demo import run_demo

    return run_demo(arguments)


def _sandbox(arguments: argparse.Namespace) -> int:
    from sandbox.serve import SandboxError, serve

    try:
        if arguments.replay is not None:
            return _replay(arguments)
        asyncio.run(
            serve(
                arguments.port,
                arguments.story,
                start=arguments.start,
                seed=arguments.seed,
                members=arguments.members,
                channels=arguments.channels,
                page=arguments.page,
                bot=arguments.with_bot,
            )
        )
    except SandboxError as error:
        raise StartupError(str(error)) from None
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from sandbox.replaying import serve_replay
    from sandbox.serve import SandboxError

    if arguments.story is not None:
        raise SandboxError("A recording brings its own scene: give --replay without --story.")
    report = asyncio.run(
        serve_replay(arguments.port, arguments.replay, page=arguments.page, bot=arguments.with_bot)
    )
    return 1 if report.differences else 0


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; write it like 2026-03-01T18:00:00Z"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _at_least_one(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)
