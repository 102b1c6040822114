"""What people typed into a form and could not be taken, kept so that nobody types it again.

A draft is an entry in the guild's own settings, which belong to the core; it lasts a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.database import Guild, ensure_guild

KEPT = timedelta(days=1)
#: Drafts that a guild has at most; the oldest goes first.
MOST = 20
_KEY = "drafts"


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as somebody sent it.

    :param plugin: whose settings it is about.
    :param typed: what stands in the inputs, by their custom ids, in their order.
    :param presented: the marks of what the inputs held when the form was opened.
    """

    plugin: str
    typed: Mapping[str, str | list[str]]
    presented: str


def keep_draft(guild_id: int, draft_id: int, user_id: int, draft: Draft, at: datetime) -> None:
    """Keep a draft; store function.

    :param draft_id: of the interaction that brought it.
    """
    ensure_guild(guild_id)
    settings = _settings(guild_id)
    oldest = (at - KEPT).isoformat()
    drafts = {key: each for key, each in settings.get(_KEY, {}).items() if each["at"] >= oldest}
    drafts[str(draft_id)] = {
        "user": user_id,
        "at": at.isoformat(),
        "plugin": draft.plugin,
        "typed": [[name, value] for name, value in draft.typed.items()],
        "presented": draft.presented,
    }
    newest = sorted(drafts.items(), key=lambda item: (item[1]["at"], int(item[0])))[-MOST:]
    Guild.update(settings={**settings, _KEY: dict(newest)}).where(Guild.id == guild_id).execute()


def find_draft(guild_id: int, draft_id: int, user_id: int) -> Draft | None:
    """Return somebody's own draft, None when it is not kept any more; store function."""
    found = _settings(guild_id).get(_KEY, {}).get(str(draft_id))
    if found is None or found["user"] != user_id:
        return None
    return Draft(found["plugin"], dict(found["typed"]), found["presented"])


def _settings(guild_id: int) -> dict[str, Any]:
    row: Any = Guild.get_or_none(Guild.id == guild_id)
    return dict(row.settings or {}) if row is not None else {}
