"""A recording: everything that a world's log holds, as JSON lines, to be read, kept and played again."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from sandbox.server.errors import Refused

if TYPE_CHECKING:
    from sandbox.server.world import World

Json = dict[str, Any]
FORMAT = 1
KINDS = ("act", "clock", "rest", "gateway", "voice", "note")


_made: deque[ReferenceType[World]] = deque(maxlen=64)


def made(world: World) -> None:
    """Remember, weakly, that a world was made, so that a test's recordings can be written when it fails."""
    _made.append(ref(world))


def recent_worlds() -> list[World]:
    """Return the newest worlds of this process that are still there, oldest first, at most 64."""
    return [world for each in _made if (world := each()) is not None]


class RecordingError(Exception):
    """Why a file is no recording, or cannot be played, as one sentence."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries a recording holds: of some kinds, of a guild, of a span of sandbox time; None is all."""

    kinds: Collection[str] | None = None
    guild_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for kind in self.kinds or ():
            if kind not in KINDS:
                raise Refused(f"kind is one of {', '.join(KINDS)}, not {kind}")
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise Refused("a time needs its zone, such as 2026-03-01T18:00:00+00:00")

    @property
    def all(self) -> bool:
        """Whether it lets everything through."""
        return self == Filter()

    def fits(self, world: World, entry: Json) -> bool:
        """Whether an entry belongs into the recording."""
        if self.kinds is not None and entry["kind"] not in self.kinds:
            return False
        at = datetime.fromisoformat(entry["at"])
        if (self.since is not None and at < self.since) or (self.until is not None and at > self.until):
            return False
        return self.guild_id is None or self.guild_id in _guilds_of(world, entry)


def header(world: World, chosen: Filter) -> Json:
    """Return a recording's first line: what its world is made of, and whether it can be played again."""
    log = world.log
    whole = chosen.all and not log.acts_lost
    return {
        "recording": FORMAT,
        "start": world.clock.start.isoformat(),
        "end": world.clock.now().isoformat(),
        "seed": world.seed,
        "bot": world.bot_user.username,
        "application_id": str(world.application_id),
        "interaction_wait": world.interaction_wait,
        "privileged_intents": sorted(world.privileged_intents),
        "dave_protocol_version": world.dave_protocol_version,
        "gateway": asdict(world.gateway),
        "keep": asdict(world.keep),
        "complete": whole,
        "first": log.total - len(log),
        "plans": [str(plan) for plan in world.plans],
        "scene": [
            {
                "id": str(guild.id),
                "name": guild.name,
                "members": len(guild.members),
                "channels": [each.name for each in guild.channels.values()],
            }
            for guild in world.guilds.values()
        ],
    }


def lines(world: World, chosen: Filter | None = None) -> Iterator[str]:
    """Return the lines of a world's recording: the header, then an entry each, numbered, oldest first."""
    chosen = chosen or Filter()
    yield _dumps(header(world, chosen))
    for number, entry in world.log.numbered():
        if chosen.all or chosen.fits(world, entry):
            yield _dumps({"number": number} | entry)


def write(world: World, path: Path, chosen: Filter | None = None) -> Path:
    """Write a world's recording to a file, with the folders above it, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines(world, chosen))
    return path


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that was read."""

    header: Json
    entries: list[Json]

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read a recording. Raises RecordingError."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecordingError(f"{path} cannot be read: {error}") from error
        return cls.parse(text.splitlines(), str(path))

    @classmethod
    def parse(cls, given: Iterable[str], name: str = "the recording") -> Recording:
        """Read the lines of a recording; ``name`` is for the words of errors. Raises RecordingError."""
        rows: list[Json] = []
        for place, line in enumerate(given, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise RecordingError(f"{name} is no recording: line {place} is not JSON ({error})") from error
            if not isinstance(row, dict) or (place > 1 and not {"number", "kind", "at"} <= row.keys()):
                raise RecordingError(f"{name} is no recording: line {place} is no entry")
            rows.append(row)
        if not rows or rows[0].get("recording") is None:
            raise RecordingError(f"{name} is no recording: its first line must be the header")
        if rows[0]["recording"] != FORMAT:
            raise RecordingError(
                f"{name} is a recording of format {rows[0]['recording']}; this sandbox reads {FORMAT}"
            )
        return cls(rows[0], rows[1:])

    @classmethod
    def of(cls, world: World) -> Recording:
        """Return the recording of a world as it is now."""
        return cls.parse(lines(world))

    @property
    def requests(self) -> list[Json]:
        """What the bot asked for over HTTP."""
        return [entry for entry in self.entries if is_request(entry)]

    @property
    def acts(self) -> list[Json]:
        """What was done to the world."""
        return [entry for entry in self.entries if entry["kind"] == "act"]


def is_request(entry: Json) -> bool:
    """Whether an entry is a request of the bot's over HTTP."""
    return bool(entry["kind"] == "rest")


def _guilds_of(world: World, entry: Json) -> set[int]:
    given = [entry.get("guild_id"), (entry.get("data") or {}).get("guild_id")]
    parts = str(entry.get("path") or "").split("/")
    for kind, number in itertools.pairwise(parts):
        if kind == "guilds":
            given.append(number)
        elif kind == "channels" and number.isdigit() and int(number) in world.channels:
            given.append(world.channels[int(number)].guild_id)
    return {int(str(each)) for each in given if str(each).isdigit()}


def _dumps(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)
