"""Whether the bot can do its work now; what is wrong is said in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from core.plugin_tasks import plugin_tasks
from core.scope import Scope, running

if TYPE_CHECKING:
    from core.manifest import HealthCheck
    from core.runtime import Runtime

#: Seconds that the database may take to answer.
DATABASE_WITHIN = 1.0
#: Seconds that a plugin's check may take, and for which its answer is good, so that nobody's service is
#: asked at every probe.
CHECK_WITHIN = 3.0
CHECK_AGAIN = 15.0
#: How long a stall of the event loop is told.
STALLS_TOLD = timedelta(hours=1)
#: Tasks of a plugin in one guild, beside what runs for it, that look like forgotten ones.
MANY_TASKS = 100
#: Guilds that are named when many are not open.
_NAMED = 5


@dataclass(slots=True)
class Report:
    """What was found.

    :param problems: each keeps the bot from its work.
    :param notes: worth knowing; the bot works.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class _Answer:
    at: float
    words: str | None


def nothing() -> None:
    """Ask for nothing; store function: that it is answered is the answer."""


class Readiness:
    """Looks at gateway, guilds, database and plugins.

    :param runtime: assembled or not.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._answers: dict[str, _Answer] = {}
        self._asking: dict[str, asyncio.Task[str | None]] = {}

    async def look(self) -> Report:
        """Return what stands in the way now. On the bot's loop; takes four seconds at most."""
        report, runtime = Report(), self._runtime
        if runtime.closing:
            report.problems.append("the bot is stopping")
            return report
        report.problems += [*self._gateway(), *self._guilds(), *self._rivals()]
        if runtime.assembled and (overflow := runtime.recorder.overflow()) is not None:
            (report.problems if overflow.problem else report.notes).append(str(overflow))
        report.notes += [*self._intents(), *self._dispatch(), *self._loop(), *self._jobs_and_menus()]
        for broken in runtime.manager.quarantined:
            (report.problems if broken.unmigrated else report.notes).append(f"plugin {broken}")
        # Side by side: each of them may use up its time.
        database, checks = await asyncio.gather(self._database(), self._checks())
        if database is not None:
            report.problems.append(database)
        for vital, words in checks:
            (report.problems if vital else report.notes).append(words)
        secrets = runtime.settings.secrets()
        report.problems = [_without(secrets, words) for words in report.problems]
        report.notes = [_without(secrets, words) for words in report.notes]
        return report

    def _gateway(self) -> Iterator[str]:
        runtime = self._runtime
        if not runtime.ready:
            yield "the bot is starting: Discord has not sent its guilds yet"
            return
        away = sorted(set(runtime.bot.shards) - runtime.bot.connected_shards)
        if away:
            names = ", ".join(map(str, away))
            yield f"no connection to Discord's gateway on shard {names}; it is tried again by itself"

    def _intents(self) -> Iterator[str]:
        if self._runtime.assembled and self._runtime.bot.withheld:
            names = ", ".join(self._runtime.bot.withheld)
            yield (
                f"Discord does not grant the intents {names}, which plugins would like; switch them on in "
                "the Developer Portal"
            )

    def _guilds(self) -> Iterator[str]:
        runtime = self._runtime
        if not runtime.ready:
            return
        failed = runtime.opener.failed
        if failed:
            some = "; ".join(f"{guild}: {words}" for guild, words in list(failed.items())[:_NAMED])
            more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
            yield f"{len(failed)} guilds could not be opened and are tried again: {some}{more}"

    def _rivals(self) -> Iterator[str]:
        """Yield which other bots are at work on the same guilds and the same database."""
        if self._runtime.assembled:
            yield from map(str, self._runtime.recorder.rivals())

    def _dispatch(self) -> Iterator[str]:
        dispatcher = self._runtime.dispatcher
        for state in dispatcher.breakers():
            yield (
                f"plugin {state.plugin} gets no events in guild {state.guild_id} after {state.failures} "
                f"failures in a row; tried again at {state.opens_again:%Y-%m-%d %H:%M:%S}Z"
            )
        for hung in dispatcher.hung():
            what = f" for {', '.join(hung.waits_for)}" if hung.waits_for else ""
            yield (
                f"{hung.plugin}.{hung.hook} in guild {hung.guild_id} was stopped after its deadline and does "
                f"not end, {hung.running:.0f} s by now; its lane waits{what}"
            )

    def _loop(self) -> Iterator[str]:
        """Yield which plugins make everybody wait."""
        now = self._runtime.clock.now()
        recent = [
            stall
            for stall in self._runtime.health.watchdog.recent
            if now - stall.at < STALLS_TOLD and stall.plugin
        ]
        for plugin in sorted({stall.plugin for stall in recent if stall.plugin}):
            mine = [stall for stall in recent if stall.plugin == plugin]
            yield (
                f"plugin {plugin} held up the event loop {len(mine)} times lately, the last time for "
                f"{mine[-1].seconds:.1f} s; the log shows where"
            )
        tasks = plugin_tasks()
        for plugin, guild_id in tasks.owners():
            if (number := len(tasks.of(plugin, guild_id))) >= MANY_TASKS:
                yield f"plugin {plugin} has {number} tasks in guild {guild_id} that nothing waits for"

    def _jobs_and_menus(self) -> Iterator[str]:
        runtime = self._runtime
        if not runtime.assembled:
            return
        for job in runtime.jobs.hung():
            yield f"job {job.plugin}.{job.name} of guild {job.guild_id} goes on although it was told to stop"
        if troubled := runtime.menus.troubled():
            guild, state = next(iter(troubled.items()))
            why = state.problem or "its budget for today is used up"
            yield f"Discord has not taken {len(troubled)} command menus; that of guild {guild}: {why}"

    async def _database(self) -> str | None:
        """Return what is wrong with the database, None when reader and writer answer in time."""
        runtime = self._runtime
        if not runtime.assembled:
            return "the database is not open yet"
        try:
            async with asyncio.timeout(DATABASE_WITHIN):
                await asyncio.gather(runtime.db.read(nothing), runtime.db.write(nothing))
        except TimeoutError:
            return (
                f"the database has not answered within {DATABASE_WITHIN:g} s, "
                f"{runtime.db.pending} calls wait; look whether it runs, or who is slow in the log"
            )
        except Exception as error:
            return f"the database does not work: {error}"
        return None

    async def _checks(self) -> list[tuple[bool, str]]:
        """Return what the plugins' own checks find, as (vital, words)."""
        if not self._runtime.ready:
            return []
        checks = [
            (plugin.name, check)
            for plugin in self._runtime.manager.loaded.values()
            for check in plugin.health_checks
        ]
        answers = await asyncio.gather(*(self._ask(plugin, check) for plugin, check in checks))
        return [
            (check.vital, f"{plugin}.{check.name}: {words}")
            for (plugin, check), words in zip(checks, answers, strict=True)
            if words is not None
        ]

    async def _ask(self, plugin: str, check: HealthCheck) -> str | None:
        name, now = f"{plugin}.{check.name}", asyncio.get_running_loop().time()
        known = self._answers.get(name)
        if known is not None and now - known.at < CHECK_AGAIN:
            return known.words
        # One that is under way, also one that is deaf to its cancellation, is not begun a second time.
        if name not in self._asking:
            task = self._runtime.tasks.spawn(self._probe(plugin, check), f"health check {name}")
            self._asking[name] = task
            task.add_done_callback(lambda _: self._asking.pop(name, None))
        task = self._asking[name]
        await asyncio.wait({task}, timeout=CHECK_WITHIN)
        if not task.done():
            task.cancel()
            words: str | None = f"it has not answered within {CHECK_WITHIN:g} s"
        else:
            words = "it was stopped" if task.cancelled() else task.result()
        self._answers[name] = _Answer(now, words)
        return words

    async def _probe(self, plugin: str, check: HealthCheck) -> str | None:
        with running(Scope(plugin, 0, f"health check {check.name}")):
            try:
                words = await check.probe(self._runtime)
            except (Exception, SystemExit) as error:
                return f"it failed: {type(error).__name__}: {error}"
        return None if words is None else str(words)


def _without(secrets: tuple[str, ...], words: str) -> str:
    for secret in secrets:
        words = words.replace(secret, "***")
    return words
