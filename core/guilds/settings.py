"""What guilds have set for plugins: read, checked on load and on write, and kept in memory.

Only what a guild has set itself is stored, so a plugin's new default reaches everybody else.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from core.errors import UserError
from core.events import Resync
from core.guilds import store
from core.guilds.settings_fields import fields_of, spoken
from core.guilds.settings_words import Problem, problems_of
from core.i18n import translate as _

if TYPE_CHECKING:
    from core.clock import Clock
    from core.database import Database
    from core.guilds.state import GuildStates

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """One plugin's settings in one guild.

    :param raw: what the row holds, JSON values.
    :param values: what is in effect.
    :param problems: what the row holds and cannot be used; the defaults stand in for it.
    """

    raw: Mapping[str, Any]
    values: BaseModel
    problems: tuple[Problem, ...] = ()

    @property
    def own(self) -> frozenset[str]:
        """Return the fields that the guild has set and that are in effect."""
        return frozenset(self.values.model_fields_set)

    @property
    def wrong(self) -> frozenset[str]:
        """Return what stands in the row and is not in effect because of a problem."""
        lost = self.raw.keys() - self.own if any(not each.field for each in self.problems) else set()
        return frozenset(lost | {each.field for each in self.problems} & self.raw.keys())


class PluginSettings:
    """The settings of all plugins in all guilds of this process."""

    def __init__(self, db: Database, clock: Clock, states: GuildStates) -> None:
        self._db = db
        self._clock = clock
        self._states = states
        self._stored: dict[tuple[int, str], Stored] = {}
        self._defaults: dict[str, Stored] = {}
        self._changing: dict[tuple[int, str], asyncio.Lock] = {}

    def read(self, row: store.PluginRow) -> None:
        """Take a stored row into memory; what cannot be used is left out, said in the log and kept."""
        model = self._model(row.plugin)
        if model is None or not row.settings:
            return
        stored = usable(model, row.settings)
        self._stored[row.guild_id, row.plugin] = stored
        if stored.problems:
            log.error(
                "settings of %s in guild %s are not usable, defaults are used: %s",
                row.plugin,
                row.guild_id,
                "; ".join(str(problem) for problem in stored.problems),
            )

    def stored(self, guild_id: int, plugin: str) -> Stored:
        """Return a plugin's settings in a guild, with what is wrong about them.

        :raises LookupError: the plugin registers no settings.
        """
        found = self._stored.get((guild_id, plugin)) or self._defaults.get(plugin)
        if found is None:
            model = self._model(plugin)
            if model is None:
                raise LookupError(f"{plugin} registers no settings")
            found = self._defaults[plugin] = Stored({}, model())
        return found

    async def change(
        self,
        guild_id: int,
        plugin: str,
        values: Mapping[str, Any],
        actor_id: int | None,
        reset: Collection[str] = (),
    ) -> BaseModel:
        """Set some fields and leave the others; see `GuildStates.set_settings`."""
        # Changes of one plugin's settings go one after the other, each checked against the one before.
        async with self._changing.setdefault((guild_id, plugin), asyncio.Lock()):
            current = self.stored(guild_id, plugin)
            model = type(current.values)
            new = _validated(model, current, values, reset)
            stored = to_store(plugin, current, new)
            before, after = _changed(current, new)
            if not before:
                return current.values
            await self._db.write(
                store.set_settings,
                guild_id,
                plugin,
                self._states.wanted(guild_id, plugin),
                stored.raw,
                before,
                after,
                actor_id,
                self._clock.now(),
                key=guild_id,
            )
            self._stored[guild_id, plugin] = stored
        self._states.tell(plugin, guild_id, Resync(guild_id, "settings"))
        return stored.values

    def _model(self, plugin: str) -> type[BaseModel] | None:
        loaded = self._states.manager.loaded.get(plugin)
        return loaded.settings_model if loaded is not None else None


def usable(model: type[BaseModel], raw: Mapping[str, Any]) -> Stored:
    """Return settings made of what is right in `raw`; the defaults stand in for the rest."""
    left, problems = dict(raw), list[Problem]()
    while left:
        try:
            values = model.model_validate_json(json.dumps(left), by_name=True, by_alias=False)
        except ValidationError as error:
            found = problems_of(error, model)
        # A validator is the plugin's own code; what it raises must not keep a guild from opening.
        except Exception:
            log.exception("a validator of %s failed", model.__qualname__)
            found = [Problem("", "", _("the plugin cannot read what is stored"))]
        else:
            return Stored(raw, values, tuple(problems))
        problems += found
        wrong = {problem.field for problem in found} & left.keys()
        # What no single field is to blame for leaves nothing to keep.
        left = {name: value for name, value in left.items() if name not in wrong} if wrong else {}
    return Stored(raw, model(), tuple(problems))


def _validated(
    model: type[BaseModel], current: Stored, values: Mapping[str, Any], reset: Collection[str]
) -> BaseModel:
    unknown = [name for name in (*values, *reset) if name not in model.model_fields]
    if unknown:
        raise UserError(
            _("There is no setting called {name}.").format(name=spoken(unknown[0])),
            _("The settings are: {names}.").format(names=", ".join(each.title for each in fields_of(model))),
        )
    own = {name: getattr(current.values, name) for name in current.own if name not in reset}
    try:
        return model.model_validate({**own, **values}, by_name=True, by_alias=False)
    except ValidationError as error:
        raise UserError(
            "\n".join(str(problem) for problem in problems_of(error, model)),
            _("Nothing was changed; correct it and try again."),
        ) from None


def to_store(plugin: str, current: Stored, new: BaseModel) -> Stored:
    """Return what the row will hold: what differs from the defaults, and what another version knew.

    :raises RuntimeError: a value is not the same any more once it has been JSON, such as a SecretStr.
    """
    model = type(new)
    values, defaults = _as_json(new), _as_json(model())
    raw = {name: value for name, value in values.items() if value != defaults[name]}
    read_back = usable(model, raw)
    if read_back.values != new:
        raise RuntimeError(f"the settings of {plugin} do not survive being stored as JSON")
    foreign = {
        name: value
        for name, value in current.raw.items()
        if name not in model.model_fields and name not in current.wrong
    }
    return Stored({**foreign, **raw}, read_back.values)


def _changed(current: Stored, new: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that differ, before and after, as JSON values."""
    old, now = _as_json(current.values), _as_json(new)
    before = {name: old[name] for name in now if old[name] != now[name]}
    # What could not be used stood there all the same and is lost now: the log keeps it.
    before |= {name: current.raw[name] for name in sorted(current.wrong)}
    return before, {name: now.get(name) for name in before}


def _as_json(values: BaseModel) -> dict[str, Any]:
    return values.model_dump(mode="json", by_alias=False, include=set(type(values).model_fields))
