"""`redlegion sandbox --replay`: a recording played again against the bot that connects."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TextIO

from sandbox.serve import SandboxError, describe
from sandbox.server import SandboxServer
from sandbox.server.recording import Recording, RecordingError
from sandbox.server.replay import Replay, Report


async def serve_replay(
    port: int, file: Path, *, page: bool = False, bot: bool = False, out: TextIO = sys.stdout
) -> Report:
    """Serve the world of a recording, play it against the bot that connects, and return what came of it.

    The first line is the addresses, as those of `serve`; the last is the report as JSON: how many acts were
    played, how many requests the bot made, and how they differ from the recorded ones. `bot` runs our own bot
    on it in this process. Raises SandboxError when the recording cannot be played or the port cannot be had.
    """
    try:
        replay = Replay(Recording.load(file))
        world = await replay.set_scene()
    except RecordingError as error:
        raise SandboxError(f"{error}.") from error
    server = SandboxServer(world, port=port, page=page)
    try:
        await server.start()
    except (OSError, OverflowError) as error:
        await server.close()
        raise SandboxError(
            f"Port {port} cannot be used ({error}); give another one with --port, or 0 for any free one."
        ) from error
    try:
        out.write(describe(server.addresses) + "\n")
        out.flush()
        async with contextlib.AsyncExitStack() as stack:
            if bot:
                from sandbox.hosted import hosted_bot

                await stack.enter_async_context(hosted_bot(server.addresses.control))
            report = await replay.run()
    except RecordingError as error:
        raise SandboxError(f"{error}.") from error
    finally:
        await server.close()
    out.write(json.dumps(report.as_dict(), ensure_ascii=False) + "\n")
    out.flush()
    return report
