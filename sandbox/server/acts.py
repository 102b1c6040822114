"""What is done to a world from outside, written into its log so that it can be done again."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.server.act_values import Encoder, places
from sandbox.server.errors import Refused, RestError

if TYPE_CHECKING:
    from sandbox.server.log import Log
    from sandbox.server.world import World

Entry = dict[str, Any]
Kind = TypeVar("Kind", bound=type)

_within: ContextVar[bool] = ContextVar("within an act", default=False)
"""Whether what happens now follows from an act, or is the bot's doing, and is therefore none of its own."""


@contextmanager
def consequences() -> Iterator[None]:
    """Mark what happens in the context as following from something else: it is not written as an act."""
    token = _within.set(True)
    try:
        yield
    finally:
        _within.reset(token)


def carried(action: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    """Return a timer's action that stays a consequence when the timer was set by one."""
    if not _within.get():
        return action

    async def follow() -> None:
        with consequences():
            await action()

    return follow


class Acts:
    """Writes acts, and the turns of the clock between them, into a world's log."""

    def __init__(self, world: World) -> None:
        self._world = world

    def begin(self, actor: dict[str, str], verb: str, arguments: dict[str, Any]) -> Entry | None:
        """Write an act before it takes effect; what comes of it may be added to the entry."""
        log = self._world.log
        if not log.enabled:
            return None
        encoder = Encoder(self._world, fields=verb.startswith("update"))
        given = {name: encoder.encode(value) for name, value in arguments.items()}
        for name in ("guild_id", "user_id"):
            if name in actor:
                encoder.look_at_id(int(actor[name]))
        fields: dict[str, Any] = {**actor, "verb": verb, "arguments": given}
        if encoder.named:
            fields["named"] = encoder.named
        found = places(self._world, verb, arguments)
        if found:
            fields["places"] = found
        return log.add("act", "in", **fields)

    def turned(self, target: datetime) -> Callable[[], None]:
        """Write that the clock is turned; the returned function notes that it has got there."""
        log = self._world.log
        attached = self._world.clock.attached
        entry = log.add("clock", "in", to=target.isoformat(), attached=attached)

        def done() -> None:
            if entry is not None:
                entry["until"] = log.total

        return done

    def watch(self, thing: object, actor: str, *, but: tuple[str, ...] = ()) -> None:
        """Write the calls of a thing's public methods, except those in ``but``, as acts of ``actor``."""
        for name, method in inspect.getmembers(thing, inspect.ismethod):
            if not name.startswith("_") and name not in but:
                act = _act(method.__func__, lambda _: self._world, lambda _: {"actor": actor})
                setattr(thing, name, functools.partial(act, thing))


def recorded(
    world: Callable[[Any], World], actor: Callable[[Any], dict[str, str]], *, but: tuple[str, ...] = ()
) -> Callable[[Kind], Kind]:
    """Decorate a class: calls of its public methods, except those in ``but``, are written as acts.

    ``world`` and ``actor`` tell for an instance which world it is of, and who acts.
    """

    def decorate(kind: Kind) -> Kind:
        for name, function in inspect.getmembers(kind, inspect.isfunction):
            fixed = isinstance(inspect.getattr_static(kind, name), staticmethod)
            if not name.startswith("_") and name not in but and not fixed:
                setattr(kind, name, _act(function, world, actor))
        return kind

    return decorate


def _act(
    function: Callable[..., Any], world: Callable[[Any], World], actor: Callable[[Any], dict[str, str]]
) -> Callable[..., Any]:
    verb = function.__name__
    names = list(inspect.signature(function).parameters)[1:]

    def begin(me: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[dict[str, Any], Entry | None]:
        arguments = {
            # Writing would use up an iterator before the act itself could.
            name: list(value) if hasattr(value, "__next__") else value
            for name, value in chain(zip(names, given, strict=False), named.items())
        }
        return arguments, world(me).acts.begin(actor(me), verb, arguments)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def act_async(me: Any, /, *given: Any, **named: Any) -> Any:
            if _within.get():
                return await function(me, *given, **named)
            arguments, entry = begin(me, given, named)
            with _Outcome(entry, world(me).log):
                result = await function(me, **arguments)
                if entry is not None and hasattr(result, "interaction_id"):
                    entry["outcome"] = result.kind
                return result

        return act_async

    @functools.wraps(function)
    def act(me: Any, /, *given: Any, **named: Any) -> Any:
        if _within.get():
            return function(me, *given, **named)
        arguments, entry = begin(me, given, named)
        with _Outcome(entry, world(me).log):
            return function(me, **arguments)

    return act


class _Outcome:
    """Marks what happens in the context as following from an act.

    When it ends, its entry gets whether it was refused, and how far the log was.
    """

    __slots__ = ("_entry", "_log", "_token")

    def __init__(self, entry: Entry | None, log: Log) -> None:
        self._entry = entry
        self._log = log

    def __enter__(self) -> None:
        self._token = _within.set(True)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        _within.reset(self._token)
        if self._entry is not None:
            if isinstance(error, Refused | RestError | ValueError):
                self._entry["refused"] = str(error)
            self._entry["ended"] = self._log.total
