"""All that is kept about a member in a guild: the core's rows and what every loaded plugin answers."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.events import MemberDataAsked
from core.privacy.files import jsonable
from core.privacy.member_rows import core_data, known_here
from core.privacy.traces import rows_about, unloaded_with

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)
HOOK = "collect_member_data"


@dataclass(frozen=True, slots=True)
class MemberData:
    """What was found.

    :param document: JSON values, ready to be written.
    :param failed: the titles of plugins that could not answer.
    :param unloaded: the names of plugins that are not loaded and keep something about the member.
    :param silent: the titles of plugins that keep rows about the member and have no hook that tells them.
    """

    document: dict[str, Any]
    failed: tuple[str, ...]
    unloaded: tuple[str, ...]
    silent: tuple[str, ...]


async def member_data(runtime: Runtime, guild_id: int, user_id: int, *, own: bool) -> MemberData:
    """Ask the core and every loaded plugin, on or not; one that fails is named in the document.

    :param own: whether they ask for themselves; others learn nothing of who left nothing in this guild.
    """
    now = runtime.clock.now()
    event = MemberDataAsked(guild_id, user_id, now)
    plugins: dict[str, Any] = {}
    missing: dict[str, str] = {}
    failed, silent = [], []
    rows = await runtime.db.read(rows_about, guild_id, user_id, runtime.manager.schemas)
    for name, plugin in list(runtime.manager.loaded.items()):
        if name in rows and HOOK not in plugin.targets:
            # Whatever its manifest says that it keeps.
            where = ", ".join(f"{column}: {count}" for column, count in rows[name].items())
            missing[name] = f"it keeps rows with this id but cannot hand them out ({where})"
            silent.append(plugin.manifest.title)
            continue
        about = {"title": plugin.manifest.title, "keeps": plugin.manifest.personal_data}
        try:
            answer = jsonable(await runtime.dispatcher.ask(name, guild_id, HOOK, event))
            json.dumps(answer, allow_nan=False)
        except Exception as error:
            log.warning("%s could not tell what it keeps about a member: %r", name, error)
            missing[name] = "it failed when it was asked; ask again, or an admin"
            failed.append(plugin.manifest.title)
        else:
            plugins[name] = {**about, "data": answer}
    loaded = list(runtime.manager.loaded)
    unloaded = await runtime.db.read(unloaded_with, guild_id, user_id, loaded)
    missing |= dict.fromkeys(unloaded, "it is not loaded, and its tables hold this id")
    named = own or await runtime.db.read(known_here, guild_id, user_id, runtime.manager.schemas)
    document = {
        "guild_id": str(guild_id),
        "user_id": str(user_id),
        "exported_at": now.isoformat(),
        "core": jsonable(await runtime.db.read(core_data, guild_id, user_id, named=named)),
        "plugins": plugins,
        "missing": missing,
    }
    return MemberData(document, tuple(failed), tuple(unloaded), tuple(silent))
