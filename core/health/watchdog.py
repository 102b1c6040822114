"""Notices when the event loop stands still, and names the plugin whose code holds it.

A thread asks the loop to turn, twenty times a second. An answer that stays out is a stall: what the loop's
thread is doing is looked at right then, and told once the loop turns again.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import Any

from core.clock import Clock, SystemClock
from core.context import Context
from core.scope import Scope, current

log = logging.getLogger(__name__)

#: Seconds between two questions, and seconds without an answer that make a stall. A stall that began just
#: after an answer is seen up to one pause late, so everything over the sum of both is noticed.
PAUSE = 0.05
PATIENCE = 0.2
#: Seconds after which a stall that goes on is told without waiting for its end.
ENDLESS = 5.0
#: Stalls that are kept to be looked at.
KEPT = 20
#: Lines of the stack in the log, the innermost ones.
STACK_LINES = 30

_monotonic = SystemClock().monotonic


@dataclass(frozen=True, slots=True)
class Stall:
    """One time in which the event loop did not turn.

    :param plugin: whose code held it; None when it was nobody's.
    :param guild_id: the guild it worked for, where that can be told.
    :param hook: what it did, where that can be told.
    :param seconds: how long, at least; up to `PAUSE` more.
    :param stack: where the loop's thread was, innermost last.
    """

    at: datetime
    plugin: str | None
    guild_id: int | None
    hook: str | None
    seconds: float
    stack: str

    def __str__(self) -> str:
        who = f"plugin {self.plugin}" if self.plugin else "no plugin's code"
        where = "".join(
            f", {name} {value}" for name, value in (("guild", self.guild_id), ("hook", self.hook)) if value
        )
        return f"{who}{where}"


@dataclass(frozen=True, slots=True)
class _Sight:
    plugin: str | None
    guild_id: int | None
    hook: str | None
    stack: str
    idle: bool = False


class Watchdog:
    """Watches the event loop that runs when it is started.

    :param modules: plugins' names by the name of their package.
    :param clock: what stalls are dated with; their length is real time, whatever clock the bot runs on.
    """

    def __init__(self, modules: Mapping[str, str], clock: Clock) -> None:
        self._modules = modules
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._answered = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._asked_at: float | None = None
        self.recent: deque[Stall] = deque(maxlen=KEPT)
        self.stalls: Counter[str] = Counter()
        self.stalled_seconds: defaultdict[str, float] = defaultdict(float)

    def start(self) -> None:
        """Begin to watch the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._ended.clear()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching. Harmless when done twice."""
        self._ended.set()
        self._answered.set()
        if self._thread is not None:
            self._thread.join(1.0)
            self._thread = None

    def still(self) -> float:
        """Return for how many seconds the loop has not answered; 0.0 while it turns. From any thread."""
        asked = self._asked_at
        return 0.0 if asked is None else max(0.0, _monotonic() - asked)

    def _watch(self) -> None:
        while not self._ended.wait(PAUSE):
            frame = sys._current_frames().get(self._loop_thread)
            if frame is not None and _waits(frame):
                # Waking a loop that has nothing to do would be most of what watching it costs.
                continue
            del frame
            self._answered.clear()
            self._asked_at = asked = _monotonic()
            if not self._ask():
                return
            if not self._answered.wait(PATIENCE):
                self._stalled(asked)
            self._asked_at = None

    def _ask(self) -> bool:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._answered.set)
        except RuntimeError:
            # The loop is closed: there is nothing left to watch.
            return False
        return True

    def _stalled(self, asked: float) -> None:
        at, sight = self._clock.now(), self._look()
        if not self._answered.wait(ENDLESS - PATIENCE) and not self._ended.is_set():
            stall = _stall(at, sight, _monotonic() - asked)
            log.error("the event loop has stood still for %.1f s: %s\n%s", stall.seconds, stall, stall.stack)
            self._answered.wait()
        if self._ended.is_set():
            return
        stall = _stall(at, sight, _monotonic() - asked)
        name, milliseconds = stall.plugin or "", stall.seconds * 1000
        self.stalls[name] += 1
        self.stalled_seconds[name] += stall.seconds
        self.recent.append(stall)
        if sight.idle:
            log.info("the event loop waited %.0f ms for a processor: the machine is busy", milliseconds)
        else:
            log.warning("the event loop stood still for %.0f ms: %s\n%s", milliseconds, stall, stall.stack)

    def _look(self) -> _Sight:
        """Return what the loop's thread is doing right now."""
        frame = sys._current_frames().get(self._loop_thread)
        if frame is None or _waits(frame):
            return _Sight(None, None, None, "", idle=True)
        stack = "".join(traceback.format_stack(frame)[-STACK_LINES:]).rstrip()
        scope = self._scope()
        plugin, guild_id = self._owner(frame)
        if scope is not None and plugin in {None, scope.plugin}:
            return _Sight(scope.plugin, scope.guild_id, scope.hook, stack)
        return _Sight(plugin, guild_id, None, stack)

    def _owner(self, frame: FrameType | None) -> tuple[str | None, int | None]:
        """Return the plugin of the innermost frame that is a plugin's, and the guild that it works for."""
        plugin: str | None = None
        while frame is not None:
            name = self._plugin_of(str(frame.f_globals.get("__name__", "")))
            if name is not None:
                plugin = plugin or name
                for value in _values(frame):
                    if isinstance(value, Context):
                        return plugin, value.guild_id
            frame = frame.f_back
        return plugin, None

    def _plugin_of(self, module: str) -> str | None:
        while module:
            if module in self._modules:
                return self._modules[module]
            module = module.rpartition(".")[0]
        return None

    def _scope(self) -> Scope | None:
        """Return the scope of the task that runs; Python shows it to other threads from 3.12 on."""
        task = asyncio.current_task(self._loop)
        context_of: Callable[[], Any] | None = getattr(task, "get_context", None)
        if context_of is None:
            return None
        scope: Scope | None = context_of().get(current)
        return scope


def _stall(at: datetime, sight: _Sight, seconds: float) -> Stall:
    return Stall(at, sight.plugin, sight.guild_id, sight.hook, seconds, sight.stack)


def _waits(frame: FrameType) -> bool:
    """Say whether the loop only waits for work or for a processor: then no code held it."""
    return frame.f_globals.get("__name__") == "selectors"


def _values(frame: FrameType) -> list[Any]:
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    found = frame.f_locals
    return [found[name] for name in names if name in found]
