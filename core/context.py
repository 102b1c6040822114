"""What a plugin is handed: everything it may touch, for one guild."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import discord

from core.database.errors import DatabaseBusy, DatabaseClosed
from core.plugin_tasks import plugin_tasks
from core.scope import Scope, current, nobodys
from core.threads import Crossing, crossed, in_thread, note_left

if TYPE_CHECKING:
    from core.clock import Clock
    from core.events import SessionRecord
    from core.ids import IdSource
    from core.runtime import Runtime
    from core.voice.seat import SeatProblem

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["Context", "SeatAccess", "VoiceAccess"]


@dataclass(frozen=True, slots=True)
class VoiceAccess:
    """The voice sessions of one guild."""

    _runtime: Runtime
    guild_id: int

    def open_sessions(self) -> list[SessionRecord]:
        """Return who sits in voice now, as recorded."""
        return self._runtime.recorder.present_now(self.guild_id)

    async def settled(self) -> None:
        """Return once everything the gateway has said so far is committed."""
        await self._runtime.recorder.settled(self.guild_id)


@dataclass(frozen=True, slots=True)
class SeatAccess:
    """The bot's own place in voice; tracking never depends on it."""

    _runtime: Runtime
    guild_id: int
    owner: str

    async def claim(self, channel_id: int) -> SeatProblem | None:
        """Ask the bot to sit in a channel.

        :returns: what stands in the way, in words, or None. The claim stands all the same and is served once
            that has gone, unless there is no such voice channel; the guild's admins are told once.
        """
        # The connection outlives the call, and the plugin too when another one holds a claim.
        with nobodys():
            return await self._runtime.seats.claim(self.guild_id, channel_id, self.owner)

    async def release(self) -> None:
        """Give up the claim; the next owner's claim is served, or the bot leaves."""
        with nobodys():
            await self._runtime.seats.release(self.guild_id, self.owner)


@dataclass(frozen=True, slots=True)
class Context:
    """One plugin in one guild.

    :param runtime: the process that the plugin runs in.
    """

    runtime: Runtime
    plugin: str
    guild_id: int

    @classmethod
    def of(cls, interaction: discord.Interaction[Any]) -> Context:
        """Return the context of the plugin whose command or component is running.

        :raises RuntimeError: called outside a command or component of a plugin.
        """
        scope = current.get()
        if scope is None or interaction.guild_id is None:
            raise RuntimeError("Context.of is for commands and components of plugins, in a guild")
        runtime = cast("Runtime", interaction.client.runtime)
        return runtime.context_for(scope.plugin, interaction.guild_id)

    @property
    def clock(self) -> Clock:
        """Return the process's clock."""
        return self.runtime.clock

    @property
    def ids(self) -> IdSource:
        """Return the source of new ids."""
        return self.runtime.ids

    @property
    def bot(self) -> discord.Client:
        """Return the Discord client."""
        return self.runtime.bot

    @property
    def guild(self) -> discord.Guild | None:
        """Return the guild from the client's cache; None while Discord has not sent it."""
        return self.runtime.bot.get_guild(self.guild_id)

    @property
    def log(self) -> logging.Logger:
        """Return the plugin's logger."""
        return logging.getLogger(f"plugins.{self.plugin}")

    @property
    def delivery(self) -> int | None:
        """Return the number of the event that is handled now, the same each time that it is delivered.

        None for an event that comes once; those that `publish` stored may come again.
        """
        scope = current.get()
        return scope.delivery if scope is not None else None

    @property
    def settings(self) -> Any:
        """Return the plugin's settings in this guild, an instance of its own model."""
        return self.runtime.guilds.plugin_settings(self.guild_id, self.plugin)

    @property
    def voice(self) -> VoiceAccess:
        """Return the voice sessions of this guild."""
        return VoiceAccess(self.runtime, self.guild_id)

    @property
    def seat(self) -> SeatAccess:
        """Return the bot's own place in voice."""
        return SeatAccess(self.runtime, self.guild_id, self.plugin)

    async def write(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a store function in a transaction and return its result once it is committed.

        :param fn: module-level, database only, safe to run twice.
        """
        # The engine's own keyword `key` would clash with a store function's, so arguments are bound here.
        call = _bound(fn, *args, **kwargs)
        try:
            result: R = await self.runtime.db.write(call, key=self.guild_id)
        except asyncio.CancelledError:
            note_left(_name(fn), self._written)
            raise
        return result

    async def read(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a store function on a read-only connection."""
        crossing = Crossing()
        call = _bound(fn, *args, **kwargs)
        answer = self.runtime.db.read(_named(lambda: crossing.run(call), fn))
        result = await crossed(crossing, _name(fn), answer)
        return cast(R, result)

    def emit(self, hook: str, event: object) -> None:
        """Deliver an event to the plugins that are on in this guild; call it after the commit.

        :raises UnknownHook: there is no `on_*` hook of this name.
        """
        self.runtime.dispatcher.deliver(self.guild_id, hook, event)

    async def decide(self, hook: str, event: object = None) -> Any | None:
        """Ask the plugins that are on here, in order, and return the first answer that is not None.

        :raises UnknownHook: there is no `decide_*` hook of this name.
        """
        return await self.runtime.dispatcher.decide(self.guild_id, hook, event)

    async def filter(self, hook: str, value: Any, event: object = None) -> Any:
        """Pass a value through the plugins that are on here, in order, and return what they made of it.

        :raises HookFailed: one of them failed, so the value is not known.
        :raises UnknownHook: there is no `filter_*` hook of this name.
        """
        return await self.runtime.dispatcher.filter(self.guild_id, hook, value, event)

    async def collect(self, hook: str, event: object = None) -> list[tuple[str, Any]]:
        """Ask every plugin that is on here and return (plugin, answer) of those that have an answer.

        :raises UnknownHook: there is no `collect_*` hook of this name.
        """
        return await self.runtime.dispatcher.collect(self.guild_id, hook, event)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something beside the handler; it is cancelled when the plugin is switched off here.

        What must survive a restart is a job instead.

        :param name: what the log calls it when it fails.
        """
        scope = Scope(self.plugin, self.guild_id, f"task {name}")
        return plugin_tasks().spawn(scope, work, f"{self.plugin}.{name} {self.guild_id}")

    def declared(self, hook: str) -> list[tuple[str, Any]]:
        """Return what the plugins that are on here answered to a `register_*` hook, as (plugin, answer)."""
        return self.runtime.manager.declared(hook, self.runtime.guilds.active(self.guild_id))

    def peer(self, plugin: str) -> Context:
        """Return the context of a plugin that this one requires, in the same guild.

        :raises KeyError: the manifest does not require it.
        """
        if plugin not in self.runtime.manager.needs(self.plugin):
            raise KeyError(f"{self.plugin} does not require {plugin}")
        return Context(self.runtime, plugin, self.guild_id)

    async def to_thread(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run blocking code off the event loop and return its result."""
        return await in_thread(_bound(fn, *args, **kwargs), _name(fn))

    async def _written(self) -> None:
        """Return once every write of this guild that was begun before has ended."""
        while True:
            try:
                await self.runtime.db.write(nothing, key=self.guild_id)
            except DatabaseClosed:
                return
            except DatabaseBusy:
                await self.runtime.db.idle()
            else:
                return


def nothing() -> None:
    """Do nothing: the writer answers in the order of calls, so those before have ended with this one."""


def _name(fn: Callable[..., Any]) -> str:
    return f"{getattr(fn, '__module__', __name__)}.{getattr(fn, '__qualname__', repr(fn))}"


def _bound(fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Callable[[], R]:
    def call() -> R:
        return fn(*args, **kwargs)

    return _named(call, fn)


def _named(call: Callable[[], R], fn: Callable[..., Any]) -> Callable[[], R]:
    """Give a call the name that logs and figures of the database show."""
    call.__qualname__ = call.__name__ = getattr(fn, "__qualname__", repr(fn))
    call.__module__ = getattr(fn, "__module__", __name__)
    return call
