"""Random evenings through the real recorder and store: what people do, and all that can go wrong meanwhile.

A story is a list of steps that make sense in any state, so that a failing one can be cut down.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee
from support.voice_truth import Blind, Evening, sound

from core.clock import SteppedClock
from core.database import Database, VoiceSession
from core.events import SessionRecord, VoiceSnapshot
from core.ids import IdSource
from core.voice.sessions import HEARTBEAT_SECONDS, VoiceRecorder
from core.voice.store import last_beat

PEOPLE = range(1, 7)
AFK = 99
LIMIT = timedelta(minutes=5)
BEAT = timedelta(seconds=HEARTBEAT_SECONDS)

Step = tuple[str, int, int, float]
#: How often each thing is done.
WEIGHTS = {
    "go": 60, "mute": 4, "deafen": 8, "delete": 2, "gone": 3, "zombie": 2, "drop": 3, "resume": 6,
    "invalid": 2, "outage": 2, "back": 4, "crash": 3, "restart": 1, "boot": 6, "hold": 2, "free": 5,
    "switch": 1, "jump": 1,
}  # fmt: skip
CALM = {"go", "mute", "deafen", "delete", "gone", "resume", "back", "boot", "free", "jump", "jump back"}
#: Seconds between two steps.
WAITS = (0.0, 0.2, 0.4, 0.999, 1.0, 1.5, 3.0, 7.0, 16.0, 40.0, 100.0, 400.0)
_OFTEN = (4, 6, 6, 4, 6, 8, 10, 10, 10, 4, 2, 1)


def story(seed: int, length: int, *, clock_back: bool = False) -> list[Step]:
    """Make up what happens: what, who, where or how much, and the seconds until then."""
    dice = random.Random(seed)
    kinds = [*WEIGHTS, "jump back"]
    weights = [*WEIGHTS.values(), 6 if clock_back else 0]
    if seed % 2:
        # A calm evening, in which many are seen all the time.
        weights = [
            weight if kind in CALM else weight / 12 for kind, weight in zip(kinds, weights, strict=True)
        ]
    what = dice.choices(kinds, weights, k=length)
    waits = dice.choices(WAITS, _OFTEN, k=length)
    return [(what[n], dice.choice(PEOPLE), dice.randrange(12), waits[n]) for n in range(length)]


class WallClock(SteppedClock):
    """A stepped clock whose time of day can be set, while what has elapsed goes on as it did."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset


class Gate:
    """The way from one process to the database: it can be held up, and ends with the process."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.free = asyncio.Event()
        self.free.set()
        self.dead = False
        self.under_way = 0
        self.refused: list[str] = []

    async def write(self, fn: Callable[..., Any], *args: Any, key: int) -> Any:
        await self.free.wait()
        if self.dead:
            await asyncio.Event().wait()
        self.under_way += 1
        try:
            return await self.db.write(fn, *args, key=key)
        except peewee.DatabaseError as error:
            self.refused.append(repr(error))
            raise
        finally:
            self.under_way -= 1

    async def read(self, fn: Callable[..., Any], *args: Any) -> Any:
        self.under_way += 1
        try:
            return await self.db.read(fn, *args)
        finally:
            self.under_way -= 1

    def there(self) -> Awaitable[None]:
        return self.db.there()


@dataclass
class Process:
    """A running recorder and what belongs to it."""

    gate: Gate
    recorder: VoiceRecorder
    beating: asyncio.Task[None] | None = None
    recovering: asyncio.Task[None] | None = None


@dataclass
class Lost:
    """A time without sight that has not ended: since when it counts, and how many changes came before."""

    left: datetime
    lost: datetime
    changes: int
    noticed: datetime | None = None


class Model:
    """One guild's evening: the truth, and a bot that goes through everything.

    :param db: shared by many evenings, each in a guild and on a shard of its own.
    """

    def __init__(self, db: Database, number: int, start: datetime) -> None:
        self.db, self.guild_id, self.shard_id = db, 1_000 + number, number
        self.clock = WallClock(start)
        self.evening = Evening(AFK, LIMIT)
        self.channels = [101, 102, 103]
        self.places: dict[int, int] = {}
        self.deaf: set[int] = set()
        self.mute: set[int] = set()
        self.line = "up"
        self.wanted = True
        self.missed: list[Callable[[], None]] = []
        self.changes: list[tuple[int, bool]] = []
        """Who changed, and whether that was where they are (else what they hear)."""
        self.committed = 0
        self.held: datetime | None = None
        self.blind: Lost | None = None
        self.unsure: Lost | None = None
        self.process: Process | None = None
        self.backwards = timedelta()
        self.forgotten = timedelta()
        """By how much the clock was set back before the last start: a process knows of no earlier ends."""
        self.calm_since: datetime | None = None
        """Since when heartbeats are stored as they ought to be."""
        self.told: dict[int, int] = {}
        self.ids = IdSource(self.clock)
        self.said: list[str] = []

    # -- the story ---------------------------------------------------------------------------------

    async def play(self, steps: Sequence[Step]) -> None:
        """Play the steps, bring everything back to life, and judge. Raises AssertionError."""
        try:
            await self.boot_with(0, 0)
            await self.settle()
            for what, who, where, wait in steps:
                await self.wait(wait)
                self.said.append(f"{self.clock.now():%H:%M:%S.%f} {what} {who} {where} [{self.line}]")
                await getattr(self, f"do_{what.replace(' ', '_')}")(who, where)
                await self.settle()
                self.check_now()
            await self.do_free(0, 0)
            await self.do_boot(0, 0)
            await self.do_resume(0, 0)
            await self.do_back(0, 0)
            await self.settle()
            self.check_now()
            await self.judge()
        finally:
            await self.end()

    async def judge(self) -> None:
        rows = await self.db.read(all_rows, self.guild_id)
        now = self.clock.now()
        wrong = self.evening.wrongs(rows, now) if not self.backwards else list(self.roughly(rows))
        seated = {row.user_id: row.channel_id for row in rows if row.left is None}
        expected = self.places if self.wanted else {}
        if seated != expected:
            wrong.append(f"open rows {seated}, but really seated are {expected}")
        assert not wrong, "\n".join(wrong)

    def roughly(self, rows: Sequence[SessionRecord]) -> Any:
        """What must hold when the clock was set back: no impossible row."""
        for user in PEOPLE:
            # Rows without length may stand in any order beside others.
            mine = [row for row in rows if row.user_id == user and row.joined != row.left]
            mine.sort(key=lambda row: row.id)
            yield from sound(mine, AFK, self.forgotten)

    def check_now(self) -> None:
        """What must hold whenever the bot sees and the database answers."""
        process = self.process
        if process is None:
            return
        assert process.gate.refused == [], process.gate.refused
        if self.held is not None or self.line != "up" or process.recovering is not None:
            return
        here = process.recorder.present_now(self.guild_id)
        away = process.recorder.afk_now(self.guild_id)
        seen = {row.user_id: row.channel_id for row in (*here, *away)}
        assert seen == (self.places if self.wanted else {}), (seen, self.places)
        credited = {user: channel for user, channel in seen.items() if channel != AFK}
        assert self.told == credited, f"plugins were told {self.told}, not {credited}"

    # -- time and settling -------------------------------------------------------------------------

    async def wait(self, seconds: float) -> None:
        await self.clock.advance(seconds, self.settle)

    async def settle(self) -> None:
        process = self.process
        for _ in range(4):
            await asyncio.sleep(0)
        if process is None or self.held is not None:
            return
        if process.recovering is not None:
            await asyncio.wait_for(process.recovering, 20)
            process.recovering = None
            # The heartbeat begins.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        while process.gate.under_way:
            await self.db.idle()
            for _ in range(4):
                await asyncio.sleep(0)
        await process.recorder.settled(self.guild_id)
        self.committed = len(self.changes)
        self.unsure = None
        if self.line != "up":
            self.calm_since = None
        elif self.calm_since is None:
            self.calm_since = self.clock.now()

    # -- what people do ----------------------------------------------------------------------------

    async def do_go(self, who: int, where: int) -> None:
        rooms = [None, None, *self.channels, *self.channels, AFK]
        self.go(who, rooms[where % len(rooms)])

    async def do_mute(self, who: int, where: int) -> None:
        self.mute ^= {who}
        self.tell(who)

    async def do_deafen(self, who: int, where: int) -> None:
        if who in self.places:
            self.deaf ^= {who}
            self.changes.append((who, False))
            self.evening.deafen(who, who in self.deaf, self.clock.now())
            self.tell(who)

    async def do_delete(self, who: int, where: int) -> None:
        gone = self.channels.pop(where % len(self.channels))
        self.channels.append(max(self.channels) + 1 if max(self.channels) > gone else gone + 1)
        sitting = [user for user, channel in self.places.items() if channel == gone]
        now = self.clock.now()
        # Discord says the two in either order.
        if where % 2:
            self.happen(lambda r: r.channel_deleted(self.guild_id, gone))
        for user in sitting:
            self.go(user, None)
        if not where % 2:
            self.happen(lambda r: r.channel_deleted(self.guild_id, gone, now))

    async def do_gone(self, who: int, where: int) -> None:
        removed = lambda r: r.member_gone(self.guild_id, who)  # noqa: E731
        if where % 2:
            self.happen(removed)
        self.go(who, None)
        if not where % 2:
            self.happen(removed)

    def go(self, who: int, channel: int | None) -> None:
        if self.places.get(who) != channel:
            self.changes.append((who, True))
            if channel is None:
                del self.places[who]
            else:
                self.places[who] = channel
            if self.wanted:
                self.evening.sit(who, channel, self.clock.now())
        self.tell(who)

    def tell(self, who: int) -> None:
        state = self.state(who)
        self.happen(lambda r: r.observe(self.renewed(state)))

    def state(self, who: int) -> VoiceSnapshot:
        channel = self.places.get(who)
        return VoiceSnapshot(
            0,
            self.guild_id,
            who,
            channel,
            None,
            self.clock.now(),
            self.clock.monotonic(),
            self_deaf=who in self.deaf,
            self_mute=who in self.mute,
            afk=channel == AFK,
        )

    def renewed(self, state: VoiceSnapshot) -> VoiceSnapshot:
        """A state as the bot copies it when it arrives."""
        return VoiceSnapshot(
            0,
            state.guild_id,
            state.user_id,
            state.channel_id,
            None,
            self.clock.now(),
            self.clock.monotonic(),
            self_deaf=state.self_deaf,
            self_mute=state.self_mute,
            afk=state.afk,
        )

    def happen(self, event: Callable[[VoiceRecorder], None]) -> None:
        """Let the bot hear of something, now or with the replay of a resume, or never."""
        if self.process is not None and self.line == "up":
            event(self.process.recorder)
        elif self.process is not None and self.line in {"zombie", "dropped"}:
            self.missed.append(lambda: event(self.process.recorder) if self.process else None)

    def present(self) -> dict[int, VoiceSnapshot]:
        return {user: self.state(user) for user in self.places}

    # -- the line ----------------------------------------------------------------------------------

    async def do_zombie(self, who: int, where: int) -> None:
        """Nothing arrives any more, and nobody has noticed."""
        if self.process is not None and self.line == "up":
            self.line = "zombie"
            now = self.clock.now()
            self.blind = self.blind or Lost(now, now, len(self.changes))

    async def do_drop(self, who: int, where: int) -> None:
        if self.process is None:
            return
        if self.line in {"up", "zombie"}:
            self.away("dropped")
        # The shard of a guild that is out may be lost too: it has been away since it was out.
        self.process.recorder.disconnected(self.clock.now())

    async def do_outage(self, who: int, where: int) -> None:
        if self.process is not None and self.line == "up":
            self.away("outage")
            self.process.recorder.disconnected(self.clock.now(), [self.guild_id])

    def away(self, line: str) -> None:
        now = self.clock.now()
        self.line = line
        self.blind = self.blind or Lost(now, now, len(self.changes))
        self.blind.noticed = now

    async def do_resume(self, who: int, where: int) -> None:
        if self.process is None or self.line not in {"dropped", "zombie"}:
            return
        await self.do_drop(who, where)
        await self.wait(0.3)
        self.line = "up"
        missed, self.missed = self.missed, []
        for event in missed:
            event()
            if where % 3 == 0:
                event()
        # What comes between the replay and the look at who is there.
        for number in range(where % 4):
            await self.do_go(who + number if who + number in PEOPLE else who, where + number)
        await self.recover(self.process, "resume")

    async def do_invalid(self, who: int, where: int) -> None:
        if self.process is None or self.line == "outage":
            return
        await self.do_drop(who, where)
        # Nobody identifies anew in no time.
        await self.wait(0.3)
        await self.back()

    async def do_back(self, who: int, where: int) -> None:
        if self.process is not None and self.line == "outage":
            await self.back()

    async def back(self) -> None:
        assert self.process is not None
        self.line = "up"
        self.missed.clear()
        await self.recover(self.process, "restart")

    async def recover(self, process: Process, reason: str) -> None:
        """Have the bot look who is there, behind the look that may be under way."""
        process.recovering = asyncio.create_task(self._look(process, reason, process.recovering))
        await asyncio.sleep(0)

    async def _look(self, process: Process, reason: str, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await earlier
        if self.line != "up":
            return
        blind, self.blind = self.blind, None
        if blind is not None:
            self.note(blind, self.clock.now())
            self.unsure = blind
        await process.recorder.recover(self.shard_id, self.guild_id, self.present(), reason)
        if process.beating is None:
            process.beating = asyncio.create_task(
                process.recorder.run_heartbeat(self.shard_id, lambda: self.line in {"up", "zombie", "outage"})
            )

    def note(self, blind: Lost, now: datetime) -> None:
        unseen = self.changes[blind.changes :]
        self.evening.blinds.append(
            Blind(
                blind.left,
                now,
                blind.lost,
                blind.noticed or blind.lost,
                frozenset(user for user, moved in unseen if moved),
                frozenset(user for user, moved in unseen if not moved),
            )
        )

    # -- the process -------------------------------------------------------------------------------

    async def do_boot(self, who: int, where: int) -> None:
        if self.process is not None:
            return
        await self.boot_with(who, where)

    async def boot_with(self, who: int, where: int) -> None:
        gate = Gate(self.db)
        if self.held is not None:
            gate.free.clear()
        recorder = VoiceRecorder(gate, self.clock, self.ids, self.hear, gap_limit=LIMIT)
        recorder.set_recording(self.guild_id, self.wanted, self.present())
        self.process = Process(gate, recorder)
        self.line, self.forgotten = "up", self.backwards
        # Before the rows of the last process are read, and while they are.
        if where % 2:
            await self.do_go(who, where)
        await self.recover(self.process, "restart")
        if where % 3:
            for _ in range(where % 3):
                await asyncio.sleep(0)
            await self.do_go(who, where + 1)

    def hear(self, guild_id: int, hook: str, event: Any) -> None:
        match hook:
            case "on_voice_session_started":
                assert event.session.user_id not in self.told
                self.told[event.session.user_id] = event.session.channel_id
            case "on_voice_session_moved":
                assert self.told.get(event.opened.user_id) == event.closed.channel_id
                self.told[event.opened.user_id] = event.opened.channel_id
            case "on_voice_session_ended":
                assert self.told.pop(event.session.user_id) == event.session.channel_id

    async def do_crash(self, who: int, where: int) -> None:
        """The process is gone, at times with its last words unwritten."""
        process = self.process
        if process is None:
            return
        if where % 2 and process.recovering is None:
            process.gate.free.clear()
            for number in range(where % 5):
                await self.do_go(1 + (who + number) % len(PEOPLE), where + number)
        now = self.clock.now()
        earlier = self.unsure or self.blind
        beat = await self.db.read(last_beat, self.shard_id)
        if self.held is None and self.calm_since is not None and now - self.calm_since >= BEAT:
            assert now - beat <= BEAT, f"the last sign of life at {now} is of {beat}"
        left = min(beat, now) if beat is not None else now
        if earlier is not None:
            left = min(left, earlier.left)
            self.blind = Lost(left, earlier.lost, min(earlier.changes, self.committed), earlier.noticed)
            if self.unsure is not None and self.evening.blinds:
                self.evening.blinds.pop()
        else:
            self.blind = Lost(left, now, self.committed)
        self.unsure = self.calm_since = None
        # What the gap is reckoned from at the latest: the last proof of life.
        self.blind.noticed = max(self.blind.noticed or now, now)
        process.gate.dead = True
        process.gate.free.set()
        await self.stop(process, 0)
        self.missed.clear()
        self.line = "down"
        # A new process asks who is there.
        self.told = {
            row.user_id: row.channel_id
            for row in await self.db.read(open_rows, self.guild_id)
            if row.channel_id != AFK
        }

    async def do_restart(self, who: int, where: int) -> None:
        """Stop in order; the next start may be long after."""
        process = self.process
        if process is None or self.line != "up" or self.held is not None:
            return
        await process.recorder.beat_now(self.shard_id)
        await self.stop(process, 10)
        now = self.clock.now()
        self.blind = Lost(now, now, len(self.changes))
        self.line = "down"

    async def stop(self, process: Process, grace: float) -> None:
        self.process = None
        for task in (process.beating, process.recovering):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await process.recorder.close(grace)

    async def end(self) -> None:
        process = self.process
        if process is not None:
            process.gate.dead = True
            process.gate.free.set()
            await self.stop(process, 0)

    async def do_hold(self, who: int, where: int) -> None:
        """The database answers no write for a while."""
        if self.process is not None and self.held is None:
            self.held = self.clock.now()
            self.process.gate.free.clear()

    async def do_free(self, who: int, where: int) -> None:
        self.held = None
        if self.process is not None:
            self.process.gate.free.set()

    async def do_switch(self, who: int, where: int) -> None:
        """Recording goes off, or on again."""
        process, now = self.process, self.clock.now()
        if process is None or self.line != "up" or process.recovering is not None or self.held is not None:
            return
        self.wanted = not self.wanted
        for user, channel in self.places.items():
            self.evening.sit(user, channel if self.wanted else None, now)
        process.recorder.set_recording(self.guild_id, self.wanted, self.present())

    async def do_jump(self, who: int, where: int) -> None:
        """The clock is put on."""
        self.calm_since = None
        self.clock.offset += timedelta(seconds=where * 7)

    async def do_jump_back(self, who: int, where: int) -> None:
        step = timedelta(seconds=where * 7)
        self.calm_since = None
        self.clock.offset -= step
        self.backwards += step


def all_rows(guild_id: int) -> list[SessionRecord]:
    """Return every row of a guild, whatever its status. Store function."""
    return _records(VoiceSession.select().where(VoiceSession.guild_id == guild_id))


def open_rows(guild_id: int) -> list[SessionRecord]:
    """Return the open rows of a guild. Store function."""
    return [row for row in all_rows(guild_id) if row.left is None]


def _records(query: Any) -> list[SessionRecord]:
    names = SessionRecord.__dataclass_fields__
    return [SessionRecord(**{name: getattr(row, name) for name in names}) for row in query]


async def failure(db: Database, number: int, start: datetime, steps: Sequence[Step]) -> str | None:
    """Play a story in a guild of its own; return what went wrong, with the story, or None."""
    model = Model(db, number, start)
    try:
        await model.play(steps)
    except AssertionError as error:
        return "\n".join([*model.said, "", str(error)])
    return None


async def cut_down(
    steps: list[Step], fails: Callable[[Sequence[Step]], Awaitable[str | None]], tries: int = 1_500
) -> tuple[list[Step], str | None]:
    """Leave out of a failing story what it does not need; return it and what it says."""
    size, said = len(steps) // 2, None
    while size and tries:
        start = 0
        while start < len(steps) and tries:
            tries -= 1
            shorter = steps[:start] + steps[start + size :]
            words = await fails(shorter)
            if words is None:
                start += size
            else:
                steps, said = shorter, words
        size //= 2
    return steps, said
