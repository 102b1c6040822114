"""The audit log: who changed what, with what was before and what is after; kept for ever."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import AuditEntry
from core.database.inserting import insert_rows

#: Entries of one page of `/setup audit`.
PER_PAGE = 8


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log.

    :param actor_id: the member who did it, None for the bot itself.
    :param action: what was done, such as "plugin.enable" or "settings.change".
    :param target: what it was done to, such as a plugin's name; None where there is only one thing.
    :param before: JSON values, None when there was nothing.
    """

    id: int
    guild_id: int
    actor_id: int | None
    action: str
    target: str | None
    before: Any
    after: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the log, newest first.

    :param number: counted from 0.
    :param pages: how many there are, at least 1.
    """

    changes: tuple[Change, ...]
    number: int
    pages: int


def record(  # noqa: PLR0917 - seven plain facts, in the order of the table
    guild_id: int,
    actor_id: int | None,
    action: str,
    target: str | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    at: datetime,
) -> None:
    """Note a change; store function, called in the transaction of the change itself.

    :param actor_id: the member who asked, None for the bot itself.
    :param action: two words with a dot between them, such as "plugin.enable".
    :param target: what was changed, such as a plugin's name.
    :param before: JSON values of what is replaced, None when there was nothing.
    :param after: JSON values of what stands now, None when it is gone.
    :param at: aware UTC.
    """
    AuditEntry.insert(
        guild_id=guild_id,
        actor_id=actor_id,
        action=action,
        target=target,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        at=at,
    ).execute()


def record_many(  # noqa: PLR0917 - as `record`
    places: Collection[tuple[int, str]],
    actor_id: int | None,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    at: datetime,
) -> None:
    """Note the same change of many things; store function, arguments as for `record`.

    :param places: guild and target of each.
    """
    same: dict[str, Any] = {
        "actor_id": actor_id,
        "action": action,
        "before": None if before is None else dict(before),
        "after": None if after is None else dict(after),
        "at": at,
    }
    insert_rows(AuditEntry, [{"guild_id": guild_id, "target": target, **same} for guild_id, target in places])


def page_of(
    guild_id: int, number: int = 0, *, target: str | None = None, actor_id: int | None = None
) -> Page:
    """Return one page of a guild's log, newest first; store function.

    :param number: counted from 0; one beyond the end is the last one.
    :param target: only changes of this plugin.
    :param actor_id: only changes that this member made.
    """
    wanted: Any = AuditEntry.guild_id == guild_id
    if target is not None:
        wanted &= AuditEntry.target == target
    if actor_id is not None:
        wanted &= AuditEntry.actor_id == actor_id
    count: int = AuditEntry.select().where(wanted).count()
    pages = max(1, -(-count // PER_PAGE))
    number = min(max(number, 0), pages - 1)
    query: Any = (
        AuditEntry.select()
        .where(wanted)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(PER_PAGE)
        .offset(number * PER_PAGE)
    )
    changes = tuple(
        Change(row.id, row.guild_id, row.actor_id, row.action, row.target, row.before, row.after, row.at)
        for row in query
    )
    return Page(changes, number, pages)
