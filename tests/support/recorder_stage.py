"""A voice recorder on a stepped clock, with people who act on it and ears for what it delivers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.clock import SteppedClock
from core.events import SessionRecord, VoiceSnapshot
from core.ids import IdSource
from core.voice.sessions import VoiceRecorder
from core.voice.store import sessions_between

GUILD, QUARTZ, OPAL = 7, 10, 11
ALPHA, BETA = 101, 102
LIMIT = timedelta(minutes=5)


class Stage:
    """A recorder with what it delivered, and people who act on its clock."""

    def __init__(self, db: Any, clock: SteppedClock) -> None:
        self.db, self.clock = db, clock
        self.heard: list[tuple[str, Any]] = []
        self.recorder = VoiceRecorder(db, clock, IdSource(clock), self._hear, gap_limit=LIMIT)
        self.sequence = 0

    def _hear(self, guild_id: int, hook: str, event: object) -> None:
        assert guild_id == GUILD
        self.heard.append((hook, event))

    def state(self, user: int, channel: int | None, **more: Any) -> VoiceSnapshot:
        self.sequence += 1
        return VoiceSnapshot(
            self.sequence,
            GUILD,
            user,
            channel,
            None,
            self.clock.now(),
            self.clock.monotonic(),
            **more,
        )

    def act(self, user: int, channel: int | None, **more: Any) -> None:
        self.recorder.observe(self.state(user, channel, **more))

    def present(self, **places: int) -> dict[int, VoiceSnapshot]:
        users = {"quartz": QUARTZ, "opal": OPAL}
        return {users[name]: self.state(users[name], channel) for name, channel in places.items()}

    async def go(self) -> Stage:
        self.recorder.set_recording(GUILD, True, {})
        await self.recorder.recover(0, GUILD, {}, "restart")
        self.heard.clear()
        return self

    async def rows(self) -> list[SessionRecord]:
        await self.recorder.idle()
        now = self.clock.now()
        found: list[SessionRecord] = await self.db.read(
            sessions_between, GUILD, now - timedelta(days=9), now + timedelta(days=9)
        )
        return found

    def hooks(self) -> list[str]:
        return [hook.removeprefix("on_voice_") for hook, _ in self.heard]
