"""Plays stories through the real recorder and store: what people do, and all that can go wrong meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from support.voice_faults import Faults
from support.voice_people import AFK, LIMIT
from support.voice_process import Gate, Process, all_rows, last_sight, open_rows
from support.voice_story import PEOPLE, Step
from support.voice_truth import Blind, Lost, sound

from core.database import Database
from core.events import SessionRecord
from core.ids import IdSource
from core.voice.sessions import HEARTBEAT_SECONDS, LOOK_AGAIN_SECONDS, VoiceRecorder

BEAT = timedelta(seconds=HEARTBEAT_SECONDS)
AGAIN = timedelta(seconds=LOOK_AGAIN_SECONDS)


class Model(Faults):
    """One guild's evening: the truth, and a bot that goes through everything.

    :param db: shared by many evenings, each in a guild and on a shard of its own.
    """

    def __init__(self, db: Database, number: int, start: datetime) -> None:
        super().__init__(number, start)
        self.db, self.shard_id = db, number
        self.committed = 0
        self.lost_at = start
        self.blind: Lost | None = None
        self.unsure: Lost | None = None
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
                await self.check_proof()
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
            yield from sound(mine, AFK, linked=False)

    def sees(self) -> bool:
        """Say whether the bot sees all and the database takes it."""
        process = self.process
        seeing = process is not None and process.recovering is None
        return seeing and self.line == "up" and self.held is None

    def check_now(self) -> None:
        """What must hold whenever the bot sees and the database answers."""
        process = self.process
        if process is None:
            return
        assert process.gate.refused == [], process.gate.refused
        if not self.sees():
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
        if self.calm_since is None and process.beating is not None:
            self.calm_since = self.clock.now()

    # -- the line ----------------------------------------------------------------------------------

    async def do_zombie(self, who: int, where: int) -> None:
        """Nothing arrives any more, and nobody has noticed."""
        if self.process is not None and self.line == "up":
            self.line = "zombie"
            now = self.lost_at = self.clock.now()
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
        now = self.lost_at = self.clock.now()
        self.line = line
        self.blind = self.blind or Lost(now, now, len(self.changes))
        # What is lost again before the bot has looked was lost all the time for it.
        self.blind.noticed = self.blind.noticed or now

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
        self.begin_beating(process)

    def begin_beating(self, process: Process) -> None:
        """Have the heartbeat of the shard run, of which this guild is a part."""
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
                blind.first,
            )
        )

    # -- the process -------------------------------------------------------------------------------

    async def do_boot(self, who: int, where: int) -> None:
        if self.process is not None:
            return
        await self.boot_with(who, where)

    async def do_boot_out(self, who: int, where: int) -> None:
        """Start while the guild is out; its shard is connected all the same."""
        if self.process is not None:
            return
        self.process = self.made()
        self.line = "outage"
        self.begin_beating(self.process)

    def made(self) -> Process:
        """Make a process that has seen nothing yet."""
        gate = Gate(self.db)
        if self.held is not None:
            gate.free.clear()
        recorder = VoiceRecorder(gate, self.clock, self.ids, self.hear, gap_limit=LIMIT)
        # A guild that is out shows nobody, and one that comes is looked at again.
        recorder.set_recording(self.guild_id, self.wanted, self.present())
        self.calm_since = None
        return Process(gate, recorder)

    async def boot_with(self, who: int, where: int) -> None:
        self.process = self.made()
        self.line = "up"
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
        # What came between two losses, before the bot had looked, may have been written.
        noticed = max(self.blind.noticed, self.lost_at) if self.blind and self.blind.noticed else now
        beat = await self.db.read(last_sight, self.guild_id)
        left = min(beat, now) if beat is not None else now
        if earlier is not None:
            left = min(left, earlier.left)
            self.blind = Lost(
                left, earlier.lost, min(earlier.changes, self.committed), earlier.noticed, earlier.first
            )
            if self.unsure is not None and self.evening.blinds:
                self.evening.blinds.pop()
        else:
            self.blind = Lost(left, now, self.committed)
        self.unsure = self.calm_since = None
        # What the gap is reckoned from at the latest: the last proof of life of this guild.
        self.blind.first = self.blind.first or self.blind.noticed
        self.blind.noticed = noticed
        process.gate.dead = True
        process.gate.open()
        await self.stop(process, 0)
        self.missed.clear()
        self.line = "down"
        # A new process asks who is there.
        self.told = {
            row.user_id: row.channel_id
            for row in await self.db.read(open_rows, self.guild_id)
            if row.channel_id != AFK
        }

    async def check_proof(self) -> None:
        """While somebody sits there and is seen, the last proof of that is no older than it may be."""
        oldest = self.clock.now() - BEAT - AGAIN
        if not self.sees():
            return
        if self.clock.monotonic() <= self.freed + LOOK_AGAIN_SECONDS:
            return
        assert self.process is not None
        recorder = self.process.recorder
        known = [*recorder.present_now(self.guild_id), *recorder.afk_now(self.guild_id)]
        since = min((row.joined for row in known), default=self.clock.now())
        if self.calm_since is None or max(self.calm_since, since) > oldest:
            return
        beat = await self.db.read(last_sight, self.guild_id)
        assert beat is not None, f"no sign of life before {self.clock.now()}"
        assert beat >= oldest, f"the last sign of life before {self.clock.now()} is of {beat}"

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
            process.gate.open()
            await self.stop(process, 0)

    async def do_switch(self, who: int, where: int) -> None:
        """Recording goes off, or on again."""
        process, now = self.process, self.clock.now()
        if process is None or not self.sees():
            return
        self.wanted = not self.wanted
        for user, channel in self.places.items():
            self.evening.sit(user, channel if self.wanted else None, now)
        process.recorder.set_recording(self.guild_id, self.wanted, self.present())


async def failure(db: Database, number: int, start: datetime, steps: Sequence[Step]) -> str | None:
    """Play a story in a guild of its own; return what went wrong, with the story, or None."""
    model = Model(db, number, start)
    try:
        await model.play(steps)
    except AssertionError as error:
        return "\n".join([*model.said, "", str(error)])
    return None
