"""All benchmarks in one run, and how much of each."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dispatch import measure_dispatch
from benchmarks.figures import Comparison
from benchmarks.isolation import measure_isolation
from benchmarks.postgres import postgres
from benchmarks.sandbox_rates import measure_sandbox
from benchmarks.slash import measure_slash
from benchmarks.start import measure_start
from benchmarks.voice import measure_voice
from benchmarks.voice_scale import measure_voice_scale
from benchmarks.writes import measure_writes

NAMES = ("slash", "voice", "voice_scale", "start", "sandbox", "writes", "dispatch", "isolation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured.

    :param slash_commands: in each round.
    :param voice_events: in each round; `voice_commits` for the bot that commits each by itself.
    :param scale_guilds: of 20 members each, with `scale_moves` in each burst.
    :param start_guilds: on how many guilds a start is measured.
    :param sandbox_events: voice states in each round of the sandbox alone, `sandbox_commands` its commands.
    :param write_calls: durable writes in each round.
    :param dispatch_events: in each round and way; `dispatch_seconds` of a plugin that misbehaves.
    :param isolation_seconds: of each kind of plugin that misbehaves, in each round.
    :param with_postgres: measure voice and writes on PostgreSQL too, where its binaries are there.
    """

    slash_rounds: int
    slash_commands: int
    voice_rounds: int
    voice_events: int
    voice_commits: int
    scale_rounds: int
    scale_guilds: int
    scale_moves: int
    start_rounds: int
    start_guilds: tuple[int, ...]
    sandbox_rounds: int
    sandbox_events: int
    sandbox_commands: int
    write_rounds: int
    write_calls: int
    dispatch_rounds: int
    dispatch_events: int
    dispatch_seconds: float
    isolation_rounds: int
    isolation_seconds: float
    with_postgres: bool


FULL = Sizes(
    slash_rounds=5,
    slash_commands=1_000,
    voice_rounds=5,
    voice_events=20_000,
    voice_commits=2_000,
    scale_rounds=5,
    scale_guilds=1_000,
    scale_moves=2_000,
    start_rounds=5,
    start_guilds=(1, 100, 1_000),
    sandbox_rounds=5,
    sandbox_events=40_000,
    sandbox_commands=3_000,
    write_rounds=5,
    write_calls=10_000,
    dispatch_rounds=5,
    dispatch_events=20_000,
    dispatch_seconds=10.0,
    isolation_rounds=3,
    isolation_seconds=10.0,
    with_postgres=True,
)
QUICK = Sizes(
    slash_rounds=3,
    slash_commands=300,
    voice_rounds=2,
    voice_events=5_000,
    voice_commits=1_000,
    scale_rounds=2,
    scale_guilds=200,
    scale_moves=2_000,
    start_rounds=1,
    start_guilds=(1, 100),
    sandbox_rounds=2,
    sandbox_events=10_000,
    sandbox_commands=1_000,
    write_rounds=1,
    write_calls=2_000,
    dispatch_rounds=3,
    dispatch_events=2_000,
    dispatch_seconds=1.0,
    isolation_rounds=1,
    isolation_seconds=3.0,
    with_postgres=True,
)
#: One round of next to nothing: whether it works, not how fast.
TINY = Sizes(
    slash_rounds=1,
    slash_commands=5,
    voice_rounds=1,
    voice_events=400,
    voice_commits=200,
    scale_rounds=1,
    scale_guilds=4,
    scale_moves=40,
    start_rounds=1,
    start_guilds=(2,),
    sandbox_rounds=1,
    sandbox_events=400,
    sandbox_commands=40,
    write_rounds=1,
    write_calls=600,
    dispatch_rounds=1,
    dispatch_events=50,
    dispatch_seconds=0.1,
    isolation_rounds=1,
    isolation_seconds=0.2,
    with_postgres=False,
)


async def measure(
    sizes: Sizes, only: Collection[str] = NAMES, told: Callable[[str], None] = lambda words: None
) -> list[Comparison]:
    """Run the benchmarks and return what they found.

    :param only: the names of those to run.
    :param told: called with a line whenever one begins.
    :raises BenchmarkError: nothing could be measured; the message says why.
    """
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        if "slash" in only:
            told("slash command round trip ...")
            found += await measure_slash(folder, rounds=sizes.slash_rounds, commands=sizes.slash_commands)
        if "voice" in only:
            told("voice events from socket to committed row ...")
            found += await _voice(folder, sizes, told)
        if "voice_scale" in only:
            told(f"bursts of voice in {sizes.scale_guilds:,} guilds ...")
            found += await _voice_scale(folder, sizes, told)
        if "start" in only:
            told("start to ready ...")
            found += await measure_start(folder, rounds=sizes.start_rounds, guilds=sizes.start_guilds)
        if "writes" in only:
            told("durable writes ...")
            found += await _writes(folder, sizes, told)
        if "dispatch" in only:
            told("delivery of events to plugins ...")
            found += await measure_dispatch(
                folder,
                rounds=sizes.dispatch_rounds,
                events=sizes.dispatch_events,
                misbehaving_seconds=sizes.dispatch_seconds,
            )
        if "isolation" in only:
            told("what a plugin that misbehaves costs the others ...")
            found += await measure_isolation(
                folder, rounds=sizes.isolation_rounds, seconds=sizes.isolation_seconds
            )
        if "sandbox" in only:
            told("the sandbox alone ...")
            found += await measure_sandbox(
                rounds=sizes.sandbox_rounds, events=sizes.sandbox_events, commands=sizes.sandbox_commands
            )
    return found


async def _voice(folder: Path, sizes: Sizes, told: Callable[[str], None]) -> list[Comparison]:
    rounds, events, commits = sizes.voice_rounds, sizes.voice_events, sizes.voice_commits
    async with _postgres(sizes, told) as url:
        return await measure_voice(folder, rounds=rounds, events=events, commits=commits, postgres_url=url)


async def _voice_scale(folder: Path, sizes: Sizes, told: Callable[[str], None]) -> list[Comparison]:
    guilds, rounds, moves = sizes.scale_guilds, sizes.scale_rounds, sizes.scale_moves
    async with _postgres(sizes, told) as url:
        return await measure_voice_scale(folder, guilds=guilds, rounds=rounds, moves=moves, postgres_url=url)


async def _writes(folder: Path, sizes: Sizes, told: Callable[[str], None]) -> list[Comparison]:
    rounds, calls = sizes.write_rounds, sizes.write_calls
    async with _postgres(sizes, told) as url:
        return await measure_writes(folder, rounds=rounds, calls=calls, postgres_url=url, told=told)


@asynccontextmanager
async def _postgres(sizes: Sizes, told: Callable[[str], None]) -> AsyncIterator[str | None]:
    if not sizes.with_postgres:
        yield None
        return
    server = postgres()
    url = await asyncio.to_thread(server.__enter__)
    try:
        if url is None:
            told("without PostgreSQL: its binaries come with the development dependencies")
        yield url
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)
