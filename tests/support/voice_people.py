"""The people of a story: where they really are, and how the bot hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from support.voice_process import Process, WallClock
from support.voice_truth import Evening

from core.events import VoiceSnapshot
from core.voice.sessions import VoiceRecorder

AFK = 99
LIMIT = timedelta(minutes=5)


class People:
    """Where people are, what they hear, and the line on which the bot is told.

    :param number: of the story, which has a guild of its own.
    """

    def __init__(self, number: int, start: datetime) -> None:
        self.guild_id = 1_000 + number
        self.clock = WallClock(start)
        self.evening = Evening(AFK, LIMIT)
        self.channels = [101, 102, 103]
        self.places: dict[int, int] = {}
        self.deaf: set[int] = set()
        self.mute: set[int] = set()
        self.changes: list[tuple[int, bool]] = []
        """Who changed, and whether that was where they are (else what they hear)."""
        self.wanted = True
        self.process: Process | None = None
        self.line = "up"
        self.missed: list[Callable[[], None]] = []

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
