"""The recorder: gateway events in, voice sessions and hooks out, across restarts and outages.

Nothing is recorded in a guild before `recover` has been called for it once: only then is it known which
sessions an earlier process left open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import Clock
from core.database.errors import DatabaseClosed, DatabaseUnavailable
from core.events import Resync, SessionRecord, VoiceSnapshot
from core.ids import IdSource
from core.voice.beats import HEARTBEAT_SECONDS, Rival, ShardBeats
from core.voice.gaps import Gaps
from core.voice.outbox import DATA, LIMIT, Deliver, Outbox, Overflow, Writer
from core.voice.sights import LeftBehind, left_behind, see
from core.voice.tracker import GuildTracker

_log = logging.getLogger(__name__)

GAP_LIMIT = timedelta(minutes=5)
LOOK_AGAIN_SECONDS = 1.0


@dataclass(slots=True)
class _Room:
    """What the recorder knows of one guild."""

    tracker: GuildTracker
    shard_id: int | None = None
    wanted: bool = False
    restored: bool = False
    recovering: asyncio.Lock = field(default_factory=asyncio.Lock)
    backlog: list[Callable[[], None]] = field(default_factory=list)
    newer_sight: tuple[Mapping[int, VoiceSnapshot], datetime] | None = None
    sighted: bool = False
    """Whether this process has stored until when it saw the guild."""
    owes: bool = False
    """Whether the guild's last heartbeat was left out, as it was not seen, or not all of it was committed."""


class VoiceRecorder:
    """Keeps the voice sessions of every guild in which an enabled plugin asks for them.

    :param db: the database.
    :param clock: the source of time, for the heartbeat, recovery and repeated writes.
    :param ids: makes session ids.
    :param deliver: called with guild, hook name and event after the commit; must not block.
    :param gap_limit: the longest outage over which a member found in the same channel counts as having
        stayed there.
    :param queue_limit: how many voice events wait in memory while the database is away.
    :param folder: where a file is made for what comes beyond that.
    """

    def __init__(
        self,
        db: Writer,
        clock: Clock,
        ids: IdSource,
        deliver: Deliver,
        *,
        gap_limit: timedelta = GAP_LIMIT,
        queue_limit: int = LIMIT,
        folder: Path = DATA,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gap_limit = gap_limit
        self._gaps = Gaps(gap_limit)
        self._outbox = Outbox(db, clock, deliver, limit=queue_limit, folder=folder)
        self._rooms: dict[int, _Room] = {}
        self._left_behind: dict[int, LeftBehind] = {}
        self._beats = ShardBeats(db, clock)
        self._beating: set[int] = set()

    # -- what is recorded --------------------------------------------------------------------------

    def wants(self, guild_id: int) -> bool:
        """Return whether voice is recorded in this guild."""
        room = self._rooms.get(guild_id)
        return room is not None and room.wanted

    def set_recording(self, guild_id: int, on: bool, present: Mapping[int, VoiceSnapshot]) -> None:
        """Switch the recording of a guild on or off, now.

        :param present: who is in voice now. Switched on, they get exact sessions from now; switched on
            before the guild's first `recover`, that call decides from when.
        """
        room = self._room(guild_id)
        if room.wanted == on:
            return
        room.wanted = on
        now = self._clock.now()
        if not room.restored:
            # A recovery under way goes on from here: nobody was watched while recording was off.
            room.backlog.clear()
            room.newer_sight = (present, now) if room.recovering.locked() else None
            return
        if on:
            self._outbox.put(guild_id, room.tracker.first_sight(present, now))
        else:
            self._outbox.put(guild_id, room.tracker.close_all(now))

    def present_now(self, guild_id: int) -> list[SessionRecord]:
        """Return the open sessions of a guild, without those in the AFK channel."""
        room = self._rooms.get(guild_id)
        return [] if room is None else room.tracker.open_sessions

    def afk_now(self, guild_id: int) -> list[SessionRecord]:
        """Return the open sessions of those who are in the AFK channel of a guild."""
        room = self._rooms.get(guild_id)
        return [] if room is None else room.tracker.open_afk_sessions

    def unseen_since(self, guild_id: int) -> datetime | None:
        """Return until when a guild was seen, while nothing or a replay arrives; None while it is seen."""
        room = self._rooms.get(guild_id)
        return None if room is None else room.tracker.alive_until

    def open_count(self) -> int:
        """Return how many sessions are open in all guilds, without those in AFK channels."""
        return sum(len(room.tracker.open_sessions) for room in self._rooms.values())

    def waiting(self) -> int:
        """Return how many transitions are not committed yet."""
        return self._outbox.waiting()

    def overflow(self) -> Overflow | None:
        """Return what waits beyond `queue_limit`, None when nothing does."""
        return self._outbox.overflow()

    # -- what the gateway says, in its own tick ----------------------------------------------------

    def observe(self, snapshot: VoiceSnapshot) -> None:
        """Take one voice state; never waits.

        Between `disconnected` and `recover` every state counts as replayed, whatever it says of itself.
        """
        room = self._rooms.get(snapshot.guild_id)
        if room is None or not room.wanted:
            return
        tracker = room.tracker
        if tracker.alive_until is not None:
            snapshot = replace(snapshot, replayed=True)
        if room.restored:
            self._outbox.put(snapshot.guild_id, tracker.observe(snapshot))
        elif room.recovering.locked():
            room.backlog.append(lambda: self._outbox.put(snapshot.guild_id, tracker.observe(snapshot)))

    def member_gone(
        self, guild_id: int, user_id: int, at: datetime | None = None, *, replayed: bool = False
    ) -> None:
        """Close the session of a member who left the guild.

        :param at: when it was seen; None for now.
        :param replayed: it arrived in the replay after a RESUME.
        """
        room, when = self._rooms.get(guild_id), at or self._clock.now()
        if room is not None and room.wanted:
            estimated = replayed or room.tracker.alive_until is not None
            self._when_restored(
                room,
                lambda: self._outbox.put(
                    guild_id, room.tracker.member_gone(user_id, when, estimated=estimated)
                ),
            )

    def channel_deleted(
        self, guild_id: int, channel_id: int, at: datetime | None = None, *, replayed: bool = False
    ) -> None:
        """Close every session in a channel that is gone; arguments as for `member_gone`."""
        room, when = self._rooms.get(guild_id), at or self._clock.now()
        if room is not None and room.wanted:
            estimated = replayed or room.tracker.alive_until is not None
            self._when_restored(
                room,
                lambda: self._outbox.put(
                    guild_id, room.tracker.channel_deleted(channel_id, when, estimated=estimated)
                ),
            )

    def disconnected(self, at: datetime, guild_ids: Collection[int] | None = None) -> None:
        """Note that no events arrive any more, until `recover`.

        :param at: when the connection was last known alive.
        :param guild_ids: the guilds concerned (of a shard, or one that is unavailable); None for all.
        """
        for guild_id in list(self._rooms) if guild_ids is None else guild_ids:
            tracker = self._room(guild_id).tracker
            if tracker.alive_until is None:
                tracker.alive_until = at

    # -- recovery ----------------------------------------------------------------------------------

    async def read_ahead(self, guild_ids: Iterable[int]) -> None:
        """Read the open sessions of many guilds at once, so that `recover` need not ask for each.

        Nothing is written for a guild before it is recovered, so what is read here stays true until then.
        """
        new = [guild_id for guild_id in guild_ids if not self._room(guild_id).restored]
        self._left_behind.update(await self._db.read(left_behind, new, self._clock.now()))

    async def recover(
        self, shard_id: int, guild_id: int, present: Mapping[int, VoiceSnapshot], reason: str
    ) -> None:
        """Make the sessions agree with who is there, then tell the plugins to look again.

        To be called for every guild whenever it becomes available: at start, after a resume (once the
        replay is through) and after a new session. Returns after the commit and the hooks.

        :param present: who is in voice now; taken in the tick of this call.
        :param reason: restart or resume, as `on_resync` is to say.
        """
        room, now = self._room(guild_id), self._clock.now()
        last_alive = room.tracker.alive_until or now
        if room.shard_id != shard_id:
            room.shard_id, room.owes = shard_id, shard_id in self._beating
        if not room.restored:
            # What was seen before this call is in `present` already.
            room.backlog.clear()
            room.tracker.alive_until = None
            async with room.recovering:
                if not room.restored:
                    last_alive = await self._restore(room, shard_id, guild_id, present, now)
        elif room.wanted:
            self._gaps.while_running(shard_id, guild_id, last_alive, now)
            self._outbox.put(guild_id, room.tracker.reconcile(present, last_alive, now, self._gap_limit))
            room.tracker.alive_until = None
        else:
            room.tracker.alive_until = None
        # A clock that was set back hides how long it was, not that there was a gap.
        missed = min(last_alive, now) if last_alive != now else None
        self._outbox.put(guild_id, [Resync(guild_id, reason, missed)])
        await self._outbox.flushed(guild_id)
        if room.owes:
            await self._store_sights(shard_id, [guild_id])

    async def _restore(
        self,
        room: _Room,
        shard_id: int,
        guild_id: int,
        present: Mapping[int, VoiceSnapshot],
        now: datetime,
    ) -> datetime:
        """Take up what an earlier process left, and return until when that one saw the guild."""
        # Before the shard's heartbeat begins, which takes the place of what is read here.
        shards_beat = await self._beats.first(shard_id)
        left = self._left_behind.pop(guild_id, None)
        if left is None:
            left = (await self._db.read(left_behind, [guild_id], now))[guild_id]
        tracker = room.tracker
        tracker.restore(left.sessions, left.ends, max(now, left.read))
        seen_until = left.seen_until or shards_beat
        # Each committed session proves that the process was alive when it began.
        seen = [record.joined for record in left.sessions] + ([] if seen_until is None else [seen_until])
        last_alive = max(seen, default=now)
        if room.newer_sight is not None:
            present, now = room.newer_sight
            room.newer_sight = None
        if room.wanted:
            self._gaps.at_start(shard_id, shards_beat, now)
            transitions = tracker.reconcile(present, last_alive, now, self._gap_limit)
        else:
            transitions = tracker.close_all(last_alive, estimated=True)
        self._outbox.put(guild_id, transitions)
        room.restored = True
        backlog, room.backlog = room.backlog, []
        for step in backlog:
            step()
        return last_alive

    def _when_restored(self, room: _Room, step: Callable[[], None]) -> None:
        if room.restored:
            step()
        elif room.recovering.locked():
            # Before that it is in what the recovery is given to see, and might pile up for hours.
            room.backlog.append(step)

    def _room(self, guild_id: int) -> _Room:
        room = self._rooms.get(guild_id)
        if room is None:
            room = self._rooms[guild_id] = _Room(GuildTracker(guild_id, self._ids.next))
        return room

    # -- the heartbeat -----------------------------------------------------------------------------

    async def run_heartbeat(
        self, shard_id: int, connected: Callable[[], bool], every: float = HEARTBEAT_SECONDS
    ) -> None:
        """Store every `every` seconds until when a shard and its guilds were seen, until cancelled.

        :param connected: whether events arrive right now.
        """
        # The last beat of the process before us must be read before ours takes its place.
        await self._beats.first(shard_id)
        self._beating.add(shard_id)
        while True:
            began = self._clock.monotonic()
            if connected():
                await self._beats.now(shard_id)
            rooms = [guild_id for guild_id, room in self._rooms.items() if room.shard_id == shard_id]
            for guild_id in rooms:
                self._rooms[guild_id].owes = True
            if connected():
                await self._store_sights(shard_id, rooms)
            # A busy guild's turn comes once all of it is committed, that of an unseen one when it is back.
            while self._owing(rooms) and self._clock.monotonic() < began + every - LOOK_AGAIN_SECONDS:
                await self._clock.sleep(LOOK_AGAIN_SECONDS)
                if connected():
                    await self._store_sights(shard_id, self._owing(rooms))
            # A beat that waited for the database is old when it is stored: the next one must not be late too.
            await self._clock.sleep(max(0.0, began + every - self._clock.monotonic()))

    async def beat_now(self, shard_id: int) -> None:
        """Store that a shard is connected now; before an orderly stop it makes the next start exact."""
        await self._beats.now(shard_id)
        rooms = [guild_id for guild_id, room in self._rooms.items() if room.shard_id == shard_id]
        for guild_id in rooms:
            self._rooms[guild_id].owes = True
        await self._store_sights(shard_id, rooms)
        if late := self._owing(rooms):
            await asyncio.gather(*(self._outbox.flushed(guild_id) for guild_id in late))
            await self._store_sights(shard_id, late)

    def _owing(self, guild_ids: Iterable[int]) -> list[int]:
        """Return those of the guilds that are seen, and yet could not be said to be."""
        return [guild_id for guild_id in guild_ids if self._sees(room := self._rooms[guild_id]) and room.owes]

    def _sees(self, room: _Room) -> bool:
        return room.wanted and room.restored and room.tracker.alive_until is None

    async def _store_sights(self, shard_id: int, guild_ids: Iterable[int]) -> None:
        """Store that guilds are seen now, those that are and have all that was seen committed."""
        seen, at = [], self._clock.now()
        for guild_id in guild_ids:
            room = self._rooms[guild_id]
            if not self._sees(room) or self._outbox.holds(guild_id):
                continue
            if not room.sighted or room.tracker.occupied:
                seen.append(guild_id)
            room.owes = False
        if not seen:
            return
        try:
            await self._db.write(see, seen, at, key=shard_id)
        except (DatabaseUnavailable, DatabaseClosed) as error:
            # One that is missing only widens what a later recovery estimates.
            _log.error("until when %d guilds were seen could not be stored: %s", len(seen), error)
        except Exception:
            _log.exception("storing until when %d guilds were seen failed", len(seen))
        else:
            for guild_id in seen:
                self._rooms[guild_id].sighted = True

    def rivals(self) -> list[Rival]:
        """Return the other processes that record voice on this database for a shard of ours."""
        return self._beats.rivals()

    # -- the end -----------------------------------------------------------------------------------

    async def idle(self) -> None:
        """Return once nothing is being written; for a clock that is stepped."""
        await self._outbox.idle()

    async def settled(self, guild_id: int) -> None:
        """Return once everything seen in a guild is committed and announced, however often that fails."""
        await self._outbox.flushed(guild_id)

    async def close(self, grace_seconds: float = 10.0) -> None:
        """Write what is queued and stop; open sessions stay open for the next process to recover.

        :param grace_seconds: real time that writing may take; what is lost then is logged.
        """
        await self._outbox.close(grace_seconds)
