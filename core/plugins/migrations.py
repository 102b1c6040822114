"""The core's tables brought up to date, then each plugin's on its own: a broken one costs only itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.database import CORE_SCHEMA, Database, MigrationFailed, Schema, migrate_status, migrate_up
from core.database.backends import Backend
from core.database.schema import MigrationState, own_connection, states_of
from core.errors import StartupError
from core.plugins.interrupts import ctrl_c_noted
from core.plugins.loading import in_words, not_ctrl_c
from core.plugins.tables import HOOK

if TYPE_CHECKING:
    from core.plugins.manager import PluginManager

log = logging.getLogger(__name__)


def migrate_all(target: str | Database, manager: PluginManager) -> list[str]:
    """Apply what is pending; a plugin whose migrations cannot be applied is quarantined with what needs it.

    What of its migrations was applied before the one that failed stays; a later start tries the rest again.

    :param target: a URL, or an open database.
    :returns: the applied ones as "schema/name".
    :raises StartupError: the core's own tables cannot be brought up to date, or the database is gone.
    :raises MigrationFailed: a migration of the core broke a rule.
    """
    if isinstance(target, str):
        with ctrl_c_noted():
            return _migrate_each(target, manager)
    # Held open all the while: SQLite clears its log up whenever the last connection of all is closed.
    with ctrl_c_noted(), own_connection(target, lock=False, shared=True) as connection:
        if _is_up_to_date(connection, manager):
            return []
        return _migrate_each(target, manager)


def _is_up_to_date(connection: Backend, manager: PluginManager) -> bool:
    """Say whether nothing is left to do, which is so at nearly every start; what is wrong is said later."""
    try:
        states = states_of(connection, [CORE_SCHEMA, *manager.schemas])
    except BaseException as error:
        not_ctrl_c(error)
        log.debug("the migrations could not be looked at together", exc_info=True)
        return False
    return bool(states) and all(state.state == "applied" for state in states)


def _migrate_each(target: str | Database, manager: PluginManager) -> list[str]:
    applied = migrate_up(target, [CORE_SCHEMA])
    for plugin in list(manager.loaded.values()):
        # What it requires may have taken it along.
        if plugin.schema is None or plugin.name not in manager.loaded:
            continue
        states: list[MigrationState] = []
        try:
            states = migrate_status(target, [plugin.schema])
            reason = _refusal(states)
            if reason is None:
                applied += migrate_up(target, [plugin.schema])
        except StartupError:
            raise
        except BaseException as error:
            not_ctrl_c(error)
            log.debug("the migrations of %s failed", plugin.name, exc_info=True)
            now = _now(target, plugin.schema)
            done = {state.name for state in states if state.state == "applied"}
            applied += [f"{s.schema}/{s.name}" for s in now if s.state == "applied" and s.name not in done]
            reason = _failure(now, error)
        if reason is not None:
            manager.quarantine(plugin.name, HOOK, reason, unmigrated=True)
    return applied


def _refusal(states: Sequence[MigrationState]) -> str | None:
    """Return why the tables of a plugin must not be touched, or None."""
    for state in states:
        if state.state == "unknown":
            return (
                f"the database is newer than this version of the plugin, it has {state.name}; install the "
                "newer version again, or restore a backup made before the upgrade"
            )
        if state.state == "edited":
            return (
                f"its migration {state.name} was edited after it was applied; restore the file and put the "
                "change into a new migration"
            )
    return None


def _now(target: str | Database, schema: Schema) -> list[MigrationState]:
    """Return where a plugin's migrations stand after one of them raised; nothing if they cannot be read.

    :raises StartupError: it was not the plugin's fault, the database itself is gone.
    """
    migrate_status(target, [CORE_SCHEMA])
    try:
        return migrate_status(target, [schema])
    except OSError:
        return []


def _failure(states: Sequence[MigrationState], error: BaseException) -> str:
    """Return what to say of the migration that raised, the first that is still pending."""
    if isinstance(error, MigrationFailed):
        words = str(error)
        # The sentence goes on after it, but an ellipsis is not the end of one.
        return words if words.endswith("...") else words.removesuffix(".")
    pending = [state.name for state in states if state.state == "pending"]
    which = f"its migration {pending[0]}" if pending else "one of its migrations"
    return f"{which} could not be applied: {in_words(error)}"
