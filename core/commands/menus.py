"""Keeps each guild's command menu at Discord equal to the plugins that are on there.

What Discord last accepted is stored as a hash, so an unchanged menu costs no call, also at start. Switches
are gathered in windows, new commands are counted against a daily budget, and what did not get through is
sent again: after a restart too, since the stored hash still differs then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import discord

from core.commands.budget import charged, fits, frees_at, spent
from core.commands.menu_store import StoredMenu, forget_menu, store_menu, stored_menus
from core.commands.replies import UNREACHABLE
from core.commands.table import menu_hash
from core.commands.windows import Window, after_switch
from core.database import DatabaseError
from core.i18n import translate as _

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

GLOBAL = 0
#: Seconds before a menu that did not get through is sent again; the last one for ever after.
RETRY = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
#: Real seconds that one call may take: discord.py itself would wait out a rate limit of hours.
CALL_LIMIT = 30.0
#: Real seconds that a switch waits for the menu; then the member is told that it is on its way.
PATIENCE = 5.0

#: Calls on their way at once, so that none waits for the others longer than it may take.
MOST_AT_ONCE = 20
#: Menus that are kept built; guilds with the same plugins share one.
MOST_BUILT = 1_000

Payload = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MenuState:
    """How a guild's menu stands.

    :param status: `current`; `soon`, when this window closes; `full`, when the day's budget frees; or
        `failing`, when Discord has not taken it.
    :param spent: commands made in the last 24 hours.
    :param again_at: when it is sent, unless it is current.
    :param problem: what Discord said, in words for an admin.
    """

    status: str
    spent: int
    again_at: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Trouble:
    error: BaseException | None
    attempts: int


class MenuSync:
    """Sends menus to Discord, one call at a time per guild, the latest wish winning."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stored: dict[int, StoredMenu] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._built: dict[frozenset[str] | None, tuple[Payload, str]] = {}
        self._windows: dict[int, Window] = {}
        self._due: dict[int, datetime] = {}
        self._timers: dict[int, asyncio.Task[None]] = {}
        self._trouble: dict[int, _Trouble] = {}
        self._together = asyncio.Semaphore(MOST_AT_ONCE)
        self._before_start: set[int] | None = set()
        self.calls = 0

    async def start(self) -> None:
        """Bring the global menu and those of all guilds up to date, without waiting for Discord."""
        await self.load([])
        self.opened(GLOBAL)
        waiting, self._before_start = self._before_start, None
        if waiting:
            self._runtime.tasks.spawn(self._catch_up(waiting), f"send {len(waiting)} menus")

    async def load(self, guild_ids: Sequence[int]) -> None:
        """Read what is stored of these guilds and of the global menu."""
        fresh = [guild_id for guild_id in (GLOBAL, *guild_ids) if guild_id not in self._stored]
        self._stored.update(await self._runtime.db.read(stored_menus, fresh))

    def forget(self, guild_id: int) -> None:
        """Take it that Discord has no menu of a guild any more, as when the bot was put out."""
        stored = self._stored.get(guild_id)
        if stored is not None and (stored.hash or stored.names):
            self._stored[guild_id] = replace(stored, hash="", names=frozenset())
            self._runtime.tasks.spawn(
                self._runtime.db.write(forget_menu, guild_id, key=guild_id), f"forget menu {guild_id}"
            )

    def joined(self, guild_id: int, at: datetime | None) -> None:
        """Forget a menu that is older than the bot's membership: put out and asked back while it was away."""
        stored = self._stored.get(guild_id)
        if stored is not None and at is not None and at > stored.synced:
            self.forget(guild_id)

    def state(self, guild_id: int) -> MenuState:
        """Return how a guild's menu stands (0: the global one)."""
        stored = self._stored.get(guild_id)
        used = spent(stored.creates, self._runtime.clock.now()) if stored is not None else 0
        if self._right(guild_id, *self._wanted(guild_id)):
            return MenuState("current", used)
        trouble = self._trouble.get(guild_id)
        again_at = self._due.get(guild_id)
        if trouble is None:
            return MenuState("soon", used, again_at)
        if trouble.error is None:
            return MenuState("full", used, again_at)
        # Translated for who asks now, who need not be who switched.
        return MenuState("failing", used, again_at, in_words(trouble.error))

    def troubled(self) -> dict[int, MenuState]:
        """Return the menus that could not be sent, by guild id."""
        return {guild_id: self.state(guild_id) for guild_id in self._trouble}

    def tasks(self) -> Iterable[asyncio.Task[None]]:
        """Return the tasks that wait to send a menu."""
        return tuple(self._timers.values())

    def opened(self, guild_id: int) -> None:
        """Bring the menu of a guild that was opened up to date, once the bot is ready; does not wait."""
        if self._right(guild_id, *self._wanted(guild_id)):
            return
        if self._before_start is not None and guild_id != GLOBAL:
            self._before_start.add(guild_id)
        else:
            self._arm(guild_id, 0.0)

    async def switched(self, guild_id: int) -> MenuState:
        """Send a guild's menu after a switch: at once, or when the window closes that it falls into."""
        now = self._runtime.clock.monotonic()
        for each in [key for key, window in self._windows.items() if now >= window.closes]:
            if each != guild_id:
                del self._windows[each]
        window, opens = after_switch(self._windows.get(guild_id), now)
        self._windows[guild_id] = window
        if opens:
            sending = self._runtime.tasks.spawn(self.sync(guild_id), f"send menu {guild_id}")
            # Discord may let us wait; the member is told what is so by then.
            await asyncio.wait({sending}, timeout=PATIENCE)
        else:
            self._arm(guild_id, window.closes - now)
        return self.state(guild_id)

    async def sync(self, guild_id: int) -> MenuState:
        """Make a guild's menu what it should be, now; what does not get through is sent again later.

        :param guild_id: 0 for the global menu.
        """
        async with self._locks.setdefault(guild_id, asyncio.Lock()):
            try:
                delay = await self._send(guild_id)
            except Exception as error:
                log.exception("the command menu of guild %s could not be sent", guild_id)
                delay = self._failed(guild_id, error)
        if delay is not None:
            self._arm(guild_id, delay)
            return self.state(guild_id)
        self._trouble.pop(guild_id, None)
        state = self.state(guild_id)
        # A switch that was moved meanwhile has a time of its own.
        if state.status == "current":
            self._disarm(guild_id)
        return state

    def close(self) -> None:
        """Stop waiting to send; the stored hashes tell the next start what is left to do."""
        for guild_id in list(self._due):
            self._disarm(guild_id)

    async def _catch_up(self, guild_ids: Iterable[int]) -> None:
        """Send many menus, a few at a time: a task for each would take more memory than its guild."""
        left = iter(guild_ids)

        async def send() -> None:
            for guild_id in left:
                if self._runtime.closing:
                    return
                # One that is planned meanwhile has a task of its own.
                if guild_id not in self._due:
                    await self.sync(guild_id)

        await asyncio.gather(*(send() for _ in range(MOST_AT_ONCE)))

    def _wanted(self, guild_id: int) -> tuple[Payload, str]:
        """Return the menu that a guild should have, and its hash."""
        runtime = self._runtime
        active = None if guild_id == GLOBAL else runtime.guilds.active(guild_id)
        found = self._built.get(active)
        if found is None:
            table, tree = runtime.commands, runtime.bot.tree
            menu = table.global_menu(tree) if active is None else table.guild_menu(tree, active)
            found = menu, menu_hash(runtime.bot.application_id or 0, menu)
            if runtime.bot.application_id is not None:
                if len(self._built) >= MOST_BUILT:
                    self._built.clear()
                self._built[active] = found
        return found

    def _right(self, guild_id: int, menu: Payload, value: str) -> bool:
        stored = self._stored.get(guild_id)
        # A guild that never had a menu and needs none is already right.
        return stored.hash == value if stored is not None else not menu

    def _arm(self, guild_id: int, delay: float) -> None:
        """Send a guild's menu in `delay` seconds, whatever was planned before."""
        if self._runtime.closing:
            return
        due = self._runtime.clock.now() + timedelta(seconds=delay)
        timer = self._timers.get(guild_id)
        if timer is not None and guild_id in self._due:
            if self._due[guild_id] <= due:
                # It wakes early enough and looks at the new time then.
                self._due[guild_id] = due
                return
            timer.cancel()
            timer = None
        self._due[guild_id] = due
        if timer is None:
            self._timers[guild_id] = self._runtime.tasks.spawn(self._later(guild_id), f"menu {guild_id}")

    def _disarm(self, guild_id: int) -> None:
        timer = self._timers.get(guild_id)
        planned = self._due.pop(guild_id, None) is not None
        if planned and timer is not None and timer is not asyncio.current_task():
            timer.cancel()

    async def _later(self, guild_id: int) -> None:
        """Send a guild's menu when it is due, and again until it is right."""
        me = asyncio.current_task()
        try:
            while (due := self._due.get(guild_id)) is not None:
                if due > self._runtime.clock.now():
                    await self._runtime.clock.sleep_until(due)
                    continue
                del self._due[guild_id]
                await self.sync(guild_id)
        finally:
            if self._timers.get(guild_id) is me:
                del self._timers[guild_id]

    async def _send(self, guild_id: int) -> float | None:
        """Send what is wanted as far as the budget goes; returns seconds until the next try, None: right."""
        application_id = self._runtime.bot.application_id
        if application_id is None:
            return RETRY[0]
        menu, value = self._wanted(guild_id)
        if self._right(guild_id, menu, value):
            return None
        now = self._runtime.clock.now()
        stored = self._stored.get(guild_id) or StoredMenu("", frozenset(), (), now)
        new = {str(command["name"]) for command in menu} - stored.names
        wait: float | None = None
        if not fits(stored.creates, len(new), now):
            # What is gone leaves the menu at once, what changed is changed; only what is new has to wait.
            wait = (frees_at(stored.creates, len(new), now) - now).total_seconds()
            self._trouble[guild_id] = _Trouble(None, 0)
            menu = [command for command in menu if command["name"] in stored.names]
            value, new = menu_hash(application_id, menu), set()
            if stored.hash == value:
                return wait
        # Charged before it is spent: neither a crash nor a lost answer makes more of them than were counted.
        names = frozenset(str(command["name"]) for command in menu)
        before = stored
        stored = StoredMenu("", names, charged(stored.creates, len(new), now), now)
        await self._keep(guild_id, stored)
        try:
            async with self._together, asyncio.timeout(CALL_LIMIT):
                self.calls += 1
                await self._call(application_id, guild_id, menu)
        except UNREACHABLE as error:
            log.error("the command menu of guild %s was not taken by Discord: %s", guild_id, error)
            if isinstance(error, discord.HTTPException) and 400 <= error.status < 500:
                # A clear refusal: everything is as it was before.
                await self._keep(guild_id, before)
            return self._failed(guild_id, error)
        await self._keep(guild_id, replace(stored, hash=value))
        return wait

    async def _call(self, application_id: int, guild_id: int, menu: Payload) -> None:
        http: Any = self._runtime.bot.http
        if guild_id == GLOBAL:
            await http.bulk_upsert_global_commands(application_id, menu)
        else:
            await http.bulk_upsert_guild_commands(application_id, guild_id, menu)

    async def _keep(self, guild_id: int, stored: StoredMenu) -> None:
        self._stored[guild_id] = stored
        await self._runtime.db.write(store_menu, guild_id, stored, key=guild_id)

    def _failed(self, guild_id: int, error: BaseException) -> float:
        last = self._trouble.get(guild_id)
        attempts = last.attempts + 1 if last is not None else 1
        self._trouble[guild_id] = _Trouble(error.with_traceback(None), attempts)
        return RETRY[min(attempts, len(RETRY)) - 1]


def in_words(error: BaseException) -> str:
    """Return what kept a menu from being taken, and what to do about it."""
    match error:
        case DatabaseError():
            return _("My database does not answer.")
        case discord.Forbidden():
            return _(
                "Discord does not let me have commands here. Invite me again with the scope "
                "applications.commands."
            )
        case discord.HTTPException(status=status) if status >= 500:
            return _("Discord has a fault of its own ({status}).").format(status=status)
        case discord.HTTPException(status=status):
            return _("Discord refused it ({status}).").format(status=status)
        case TimeoutError():
            return _("Discord did not answer in time.")
        case _:
            return _("Discord could not be reached.")
