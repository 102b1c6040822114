"""Forgets a member in a guild: the core first, then every loaded plugin until all of them have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.events import MemberDataAsked, MemberForgotten
from core.i18n import translate as _
from core.jobs.run import JobFailed
from core.jobs.store import DueJob
from core.privacy import erasing
from core.privacy.member_rows import core_counts, known_here
from core.privacy.traces import rows_about, unloaded_with

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

FORGET = erasing.FORGET


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there about a member.

    :param core: rows of the core, by table.
    :param plugins: rows by plugin.
    :param unloaded: plugins that are not loaded and whose tables hold the member's id.
    :param under_way: whether the member is being forgotten already.
    """

    core: Mapping[str, int]
    plugins: Mapping[str, int]
    unloaded: tuple[str, ...]
    under_way: bool

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to forget."""
        return not any(self.core.values()) and not self.plugins and not self.unloaded


class Forgetter:
    """Runs the core's jobs that forget a member.

    :param runtime: the process.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: dict[int, asyncio.Future[tuple[str, ...]]] = {}

    async def start(self) -> None:
        """Try again what was given up in an earlier life: a plugin that was missing may be loaded now."""
        revived = await self._runtime.db.write_alone(erasing.revive, self._runtime.clock.now())
        if revived:
            log.info("%s members that could not be forgotten so far are forgotten now", revived)
            self._runtime.jobs.wake()

    async def kept(self, guild_id: int, user_id: int, *, own: bool) -> Kept:
        """Return what there is about a member in a guild.

        :param own: whether they ask for themselves.
        """
        runtime = self._runtime
        named = own or await runtime.db.read(known_here, guild_id, user_id, runtime.manager.schemas)
        rows = await runtime.db.read(rows_about, guild_id, user_id, runtime.manager.schemas)
        return Kept(
            await runtime.db.read(core_counts, guild_id, user_id, named=named),
            {plugin: sum(counts.values()) for plugin, counts in rows.items()},
            tuple(await runtime.db.read(unloaded_with, guild_id, user_id, list(runtime.manager.loaded))),
            await runtime.db.read(erasing.open_forgetting, guild_id, user_id) is not None,
        )

    async def refuse_if_busy(self, guild_id: int, user_id: int) -> None:
        """Make sure that nothing is going on in which the member takes part.

        :raises UserError: they sit in a recorded voice channel, or a plugin says why not now.
        """
        runtime = self._runtime
        await runtime.recorder.settled(guild_id)
        if await runtime.db.read(erasing.sits_in_voice, guild_id, user_id):
            raise UserError(
                _("<@{user}> sits in a voice channel that is recorded.").format(user=user_id),
                _("Leave voice first, then run /privacy forget again."),
            )
        event = MemberDataAsked(guild_id, user_id, runtime.clock.now())
        for name in list(runtime.manager.loaded):
            try:
                refusal = await runtime.dispatcher.ask(name, guild_id, "decide_forgetting", event)
            except Exception as error:
                log.warning("%s could not say whether a member can be forgotten: %r", name, error)
                raise UserError(
                    _("{title} could not say whether something is going on.").format(
                        title=runtime.manager.loaded[name].manifest.title
                    ),
                    _("Try again in a minute; whoever runs me finds the reason in the log."),
                ) from error
            if isinstance(refusal, UserError):
                raise refusal

    async def begin(
        self, guild_id: int, user_id: int, actor_id: int, within: float
    ) -> tuple[str, ...] | None:
        """Begin to forget a member, for good: it goes on after a restart.

        :param actor_id: who asked for it, maybe the member.
        :param within: real seconds to wait for it.
        :returns: the plugins that have not forgotten yet, none when all is done; None while it is under way.
        """
        runtime = self._runtime
        stand_in = runtime.ids.next()
        words = _("former member #{n}")
        now = runtime.clock.now()
        job_id = await runtime.db.write(
            erasing.begin, guild_id, user_id, actor_id, stand_in, words, now, key=guild_id
        )
        future = self._waiting.setdefault(job_id, asyncio.get_running_loop().create_future())
        runtime.jobs.wake()
        await asyncio.wait({future}, timeout=within)
        return future.result() if future.done() else None

    async def run(self, job: DueJob, payload: Mapping[str, Any]) -> None:
        """Do the job.

        :raises JobFailed: the member sits in voice again, or a plugin has not forgotten yet.
        """
        if "user_id" not in payload:
            # Done before, and the process was lost before that was noted.
            self._tell(job.id, ())
            return
        runtime, guild_id = self._runtime, job.guild_id
        user_id, stand_in = int(payload["user_id"]), int(payload["stand_in"])
        await runtime.names.forget(user_id)
        try:
            await runtime.db.write(
                erasing.erase, guild_id, user_id, stand_in, payload["name"], job.id, key=guild_id
            )
        except erasing.SitsInVoice:
            raise JobFailed("the member sits in a recorded voice channel again") from None
        await runtime.guilds.reread(guild_id)
        event = MemberForgotten(guild_id, user_id, stand_in, runtime.clock.now())
        waits: dict[str, str] = {}
        rows = await runtime.db.read(rows_about, guild_id, user_id, runtime.manager.schemas)
        for name in list(runtime.manager.loaded):
            if name in payload["done"] and name not in rows:
                continue
            try:
                await runtime.dispatcher.ask(name, guild_id, "on_member_forgotten", event)
            except Exception as error:
                waits[name] = f"it failed with {type(error).__name__}"
            else:
                await runtime.db.write(erasing.note_done, job.id, name, key=guild_id)
        rows = await runtime.db.read(rows_about, guild_id, user_id, runtime.manager.schemas)
        for name, columns in rows.items():
            waits.setdefault(name, f"it still has the id in {', '.join(columns)}")
        for name in await runtime.db.read(unloaded_with, guild_id, user_id, list(runtime.manager.loaded)):
            waits[name] = "it is not loaded, and its tables hold the id"
        if waits:
            names = tuple(sorted(waits))
            await runtime.db.write(
                erasing.note_waits, guild_id, job.id, names, runtime.clock.now(), key=guild_id
            )
            self._tell(job.id, names)
            words = "; ".join(f"{name}: {waits[name]}" for name in names)
            raise JobFailed(f"a member is not forgotten everywhere: {words}")
        await runtime.db.write_alone(erasing.remove_person, user_id, runtime.manager.schemas)
        await runtime.db.write(erasing.finish, guild_id, job.id, runtime.clock.now(), key=guild_id)
        self._tell(job.id, ())

    def _tell(self, job_id: int, waits: tuple[str, ...]) -> None:
        future = self._waiting.pop(job_id, None)
        if future is not None and not future.done():
            future.set_result(waits)
