"""What befalls the database and the clock of a story."""

from __future__ import annotations

from datetime import datetime, timedelta

from support.voice_people import People


class Faults(People):
    """People, and a database that does not always answer, and a clock that somebody sets."""

    def __init__(self, number: int, start: datetime) -> None:
        super().__init__(number, start)
        self.held: datetime | None = None
        self.freed = -1.0
        self.backwards = timedelta()
        self.calm_since: datetime | None = None
        """Since when the heartbeat goes on by a clock that nobody sets."""

    async def do_hold(self, who: int, where: int) -> None:
        """The database answers no write for a while."""
        if self.process is not None and self.held is None:
            self.held = self.clock.now()
            self.process.gate.free.clear()

    async def do_stall(self, who: int, where: int) -> None:
        """The database takes heartbeats, and refuses what is recorded of voice."""
        if self.process is not None and self.held is None:
            self.held = self.clock.now()
            self.process.gate.voice_free.clear()

    async def do_free(self, who: int, where: int) -> None:
        if self.held is not None:
            self.held, self.freed = None, self.clock.monotonic()
        if self.process is not None:
            self.process.gate.open()

    async def do_jump(self, who: int, where: int) -> None:
        """The clock is put on."""
        self.calm_since = None
        self.clock.offset += timedelta(seconds=where * 7)

    async def do_jump_back(self, who: int, where: int) -> None:
        step = timedelta(seconds=where * 7)
        self.calm_since = None
        self.clock.offset -= step
        self.backwards += step
