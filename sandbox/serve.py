"""The sandbox as a process: it says in one line of JSON where it is, and serves until interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TextIO

from sandbox.server import Addresses, SandboxServer, World, WorldClock
from sandbox.stories import STORIES


class SandboxError(Exception):
    """Why the sandbox cannot be served, as one sentence for the person who started it."""


async def serve(
    port: int,
    story: str | None = None,
    *,
    start: datetime | None = None,
    seed: int = 0,
    members: int = 24,
    channels: int = 7,
    page: bool = False,
    bot: bool = False,
    out: TextIO = sys.stdout,
) -> None:
    """Serve a sandbox on loopback until SIGINT or SIGTERM, printing its addresses as one JSON line first.

    `port` 0 takes a free one; `start` is the sandbox's time at first, the machine's without; `story` names
    the scene (none: an empty world); `seed`, `members` and `channels` shape the scene; `page` serves the web
    page. The line has rest, gateway, token, application_id, guilds, control, socket and page (null without).
    `bot` runs our own bot on it in this process, with a database that is thrown away.
    Raises SandboxError for an unknown story, numbers out of range, or a port that cannot be had.
    """
    world = World(clock=WorldClock(start), seed=seed, bot_name="red-legion")
    _set_scene(world, story, seed=seed, members=members, channels=channels)
    server = SandboxServer(world, port=port, page=page)
    try:
        await server.start()
    except (OSError, OverflowError) as error:
        await server.close()
        raise SandboxError(
            f"Port {port} cannot be used ({error}); give another one with --port, or 0 for any free one."
        ) from error
    try:
        # Whoever reads the line may send the signal at once.
        with _interruption() as interrupted:
            out.write(describe(server.addresses) + "\n")
            out.flush()
            if server.addresses.page is not None:
                print(
                    f"Open {server.addresses.page} in a browser; Ctrl-C ends it.", file=sys.stderr, flush=True
                )
            async with contextlib.AsyncExitStack() as stack:
                if bot:
                    from sandbox.hosted import hosted_bot

                    await stack.enter_async_context(hosted_bot(server.addresses.control))
                await interrupted.wait()
    finally:
        await server.close()


def describe(addresses: Addresses) -> str:
    """The addresses of a sandbox as one line of JSON."""
    return json.dumps(
        {
            "rest": addresses.rest,
            "gateway": addresses.gateway,
            "token": addresses.token,
            "application_id": addresses.application_id,
            "guilds": list(addresses.guilds),
            "control": addresses.control,
            "socket": None if addresses.socket is None else str(addresses.socket),
            "page": addresses.page,
        }
    )


def _set_scene(world: World, story: str | None, *, seed: int, members: int, channels: int) -> None:
    if story is None:
        return
    if story not in STORIES:
        raise SandboxError(f"There is no story {story!r}; choose one of: {', '.join(sorted(STORIES))}.")
    try:
        STORIES[story](world, seed=seed, members=members, channels=channels)
    except ValueError as error:
        raise SandboxError(f"The story {story!r} cannot be set: {error}.") from error


@contextlib.contextmanager
def _interruption() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set, for as long as the context lasts."""
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    taken = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Event loops without signal handlers (Windows) end by KeyboardInterrupt instead, as do other threads.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, interrupted.set)
            taken.append(number)
    try:
        yield interrupted
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
