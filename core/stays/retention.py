"""How long a guild keeps its voice sessions one by one, and the daily job that folds the older ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.database import Guild, ensure_guild
from core.database.catalog import read_catalog
from core.database.current import proxy
from core.database.migrating import HISTORY
from core.errors import UserError
from core.events import KeptVoice, RetentionAsked
from core.guilds import audit
from core.i18n import translate as _
from core.jobs.outbox import CORE
from core.jobs.store import DueJob, insert
from core.stays.folding import Folded, Kept, fold_some, oldest_foldable

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: The core's job that folds.
FOLD = "@fold-voice"
#: What the setting is called in the guild's settings; days, 0 keeps sessions for ever.
SETTING = "voice_retention_days"
SHORTEST_DAYS, LONGEST_DAYS = 30, 3_650
#: Sessions looked at in one transaction: a long one would hold up everybody else's writes.
CHUNK = 500
#: Seconds after which a run leaves the rest to one a minute later.
ENOUGH = 20.0


class Retention:
    """Folds voice sessions that are older than their guild wants to keep them.

    :param runtime: the process.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def days(self, guild_id: int) -> int:
        """Return how many days a guild keeps voice sessions; 0 for ever."""
        return await self._runtime.db.read(retention_of, guild_id)

    async def set_days(self, guild_id: int, days: int, actor_id: int) -> None:
        """Set how many days a guild keeps voice sessions; audited, in effect at the next daily run.

        :param days: 30 to 3650, or 0 for ever.
        :raises UserError: it is neither.
        """
        if days and not SHORTEST_DAYS <= days <= LONGEST_DAYS:
            raise UserError(
                _("Voice sessions cannot be kept for {days} days.").format(days=days),
                _("Give {least} to {most} days, or 0 to keep them for ever.").format(
                    least=SHORTEST_DAYS, most=LONGEST_DAYS
                ),
            )
        now = self._runtime.clock.now()
        await self._runtime.db.write(set_retention, guild_id, days, actor_id, now, key=guild_id)

    async def plan(self) -> None:
        """Store the next daily run, unless it is there."""
        now = self._runtime.clock.now()
        await self._plan((now + timedelta(days=1)).replace(hour=5, minute=0, second=0, microsecond=0))

    async def run(self, job: DueJob, payload: Mapping[str, Any]) -> None:
        """Do the daily job, or go on with it."""
        runtime = self._runtime
        # Before the work: whatever comes of it, there is a next time.
        await self.plan()
        until = runtime.clock.monotonic() + ENOUGH
        done = set(payload.get("done", ()))
        for guild_id, days in await runtime.db.read(guilds_with_retention):
            if guild_id in done:
                continue
            try:
                ended = await self.fold(guild_id, days, until)
            except Exception:
                log.exception("the voice sessions of guild %d could not be folded today", guild_id)
                ended = True
            if ended:
                done.add(guild_id)
            if runtime.clock.monotonic() >= until:
                soon = runtime.clock.now() + timedelta(minutes=1)
                await self._plan(soon, {"done": sorted(done)})
                return

    async def fold(self, guild_id: int, days: int, until: float | None = None) -> bool:
        """Fold what a guild does not want to keep any longer, but for what plugins rest on.

        :param until: reading of the monotonic clock at which to stop; None for never.
        :returns: whether nothing is left to do.
        """
        runtime = self._runtime
        midnight = runtime.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        before = midnight - timedelta(days=days)
        start = await runtime.db.read(oldest_foldable, guild_id, before)
        if start is None:
            return True
        kept = await self._kept(RetentionAsked(guild_id, start, before))
        if kept is None:
            return True
        step, count = Folded(0, None), 0
        while True:
            step = await runtime.db.write(fold_some, guild_id, before, kept, step.place, CHUNK, key=guild_id)
            count += step.sessions
            ended = step.place is None
            if ended or (until is not None and runtime.clock.monotonic() >= until):
                break
        if count:
            log.info("folded %d voice sessions of guild %d into sums per day", count, guild_id)
        return ended

    async def _kept(self, event: RetentionAsked) -> Kept | None:
        """Ask every plugin what it rests on; None when that is not known of one of them."""
        manager, guild_id = self._runtime.manager, event.guild_id
        missing = {each.name for each in manager.absent}
        missing.update(await self._runtime.db.read(unloaded, sorted(manager.loaded)))
        if missing:
            names = ", ".join(sorted(missing))
            log.warning(
                "no voice session of guild %d is folded today: %s could not be asked, being not loaded",
                guild_id,
                names,
            )
            return None
        kept = KeptVoice()
        keeper = Kept(kept)
        for name, plugin in list(manager.loaded.items()):
            if "filter_retention" not in plugin.targets:
                continue
            try:
                answer = await self._runtime.dispatcher.ask(
                    name, guild_id, "filter_retention", event, value=kept
                )
                if not isinstance(answer, KeptVoice):
                    raise TypeError(f"filter_retention returned {answer!r}, not a KeptVoice")
                # What was there before stays, whatever the plugin made of it.
                kept = answer.and_spans(kept.spans).and_sessions(kept.session_ids)
                keeper = Kept(kept)
            except Exception as error:
                log.error(
                    "no voice session of guild %d is folded today: %s could not say what it rests on: %r",
                    guild_id,
                    name,
                    error,
                )
                return None
        return keeper

    async def _plan(self, due: datetime, payload: Mapping[str, Any] | None = None) -> None:
        await self._runtime.db.write(_store_run, self._runtime.ids.next(), due, dict(payload or {}))


def retention_of(guild_id: int) -> int:
    """Return how many days a guild keeps voice sessions, 0 for ever; store function."""
    guild = Guild.get_or_none(Guild.id == guild_id)
    return 0 if guild is None else _days(guild.settings)


def set_retention(guild_id: int, days: int, actor_id: int | None, at: datetime) -> None:
    """Store how many days a guild keeps voice sessions, and audit it; store function.

    :param days: 0 for ever.
    :param actor_id: the member who asked, None for the bot itself.
    """
    ensure_guild(guild_id)
    settings = dict(Guild.get_by_id(guild_id).settings or {})
    before = _days(settings)
    if before == days:
        return
    Guild.update(settings={**settings, SETTING: days}).where(Guild.id == guild_id).execute()
    audit.record(guild_id, actor_id, "voice.retention", None, {SETTING: before}, {SETTING: days}, at)


def guilds_with_retention() -> list[tuple[int, int]]:
    """Return (guild, days) of the guilds that do not keep voice sessions for ever; store function."""
    rows: Any = Guild.select(Guild.id, Guild.settings).order_by(Guild.id)
    found = [(guild_id, _days(settings)) for guild_id, settings in rows.tuples()]
    return [(guild_id, days) for guild_id, days in found if days]


def unloaded(loaded: list[str]) -> list[str]:
    """Return the plugins that have tables and are not loaded: they cannot be asked. Store function."""
    backend: Any = getattr(proxy, "obj", proxy)
    names = {table.removesuffix(HISTORY) for table in read_catalog(backend) if table.endswith(HISTORY)}
    return sorted(names - {CORE, *loaded})


def _days(settings: Any) -> int:
    days = dict(settings or {}).get(SETTING, 0)
    return days if isinstance(days, int) and days >= SHORTEST_DAYS else 0


def _store_run(job_id: int, due: datetime, payload: dict[str, Any]) -> None:
    insert(job_id, plugin=CORE, guild_id=0, name=FOLD, key=due.isoformat(), payload=payload, due=due)
