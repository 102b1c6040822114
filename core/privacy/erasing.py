"""Store functions that take a member out of the core's tables, and put a stand-in in their place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from peewee import IntegrityError, fn

from core.database import (
    AuditEntry,
    Guild,
    GuildMembership,
    GuildPlugin,
    JobRow,
    Schema,
    User,
    VoiceSession,
    VoiceVoid,
    ensure_guild,
)
from core.guilds import audit
from core.jobs.outbox import CORE
from core.jobs.store import insert
from core.privacy.paths import core_id_fields, core_tables
from core.privacy.scrubbing import Scrub
from core.privacy.traces import elsewhere

#: The core's job that forgets a member.
FORGET = "@forget"
BEGUN, DONE, WAITS = "member.forget", "member.forgotten", "member.forget_waits"


#: Columns of the core in which ids and names may stand in the middle of other things.
_TEXTS: Mapping[Any, Sequence[str]] = {
    AuditEntry: ("target", "before", "after"),
    GuildPlugin: ("settings",),
    JobRow: ("key", "payload", "last_error"),
    VoiceVoid: ("reason",),
}


class SitsInVoice(Exception):
    """The member sits in a voice channel that is recorded, so their voice session is not over."""


def open_forgetting(guild_id: int, user_id: int) -> int | None:
    """Return the job that is to forget a member and is not done, None when there is none."""
    jobs: Any = JobRow.select().where(
        JobRow.plugin == CORE, JobRow.guild_id == guild_id, JobRow.name == FORGET, JobRow.state != "done"
    )
    return next((job.id for job in jobs if job.payload.get("user_id") == user_id), None)


def begin(  # noqa: PLR0917 - the engine hands arguments on by position
    guild_id: int, user_id: int, actor_id: int, stand_in: int, words: str, at: datetime
) -> int:
    """Store the stand-in and the job that forgets a member; one that is under way is tried again at once.

    :param actor_id: who asked for it, maybe the member.
    :param stand_in: a new id, of the stand-in and of the job.
    :param words: the stand-in's name, with {n} for its number in this guild.
    :returns: the job's id.
    """
    ensure_guild(guild_id)
    if (known := open_forgetting(guild_id, user_id)) is not None:
        JobRow.update(state="waiting", attempts=0, due=at).where(
            JobRow.id == known, JobRow.state.in_(("waiting", "dead"))
        ).execute()
        return known
    number = (
        AuditEntry.select().where(AuditEntry.guild_id == guild_id, AuditEntry.action == BEGUN).count() + 1
    )
    name = words.format(n=number)
    User.insert(id=stand_in, name=name).execute()
    actor = stand_in if actor_id == user_id else actor_id
    audit.record(guild_id, actor, BEGUN, name, None, None, at)
    insert(
        stand_in,
        plugin=CORE,
        guild_id=guild_id,
        name=FORGET,
        key=str(stand_in),
        payload={"user_id": user_id, "stand_in": stand_in, "name": name, "done": [], "waits": []},
        due=at,
    )
    return stand_in


def sits_in_voice(guild_id: int, user_id: int) -> bool:
    """Say whether a voice session of a member is open, in the AFK channel too."""
    open_ones: Any = VoiceSession.select().where(
        VoiceSession.guild_id == guild_id, VoiceSession.user_id == user_id, VoiceSession.left.is_null()
    )
    return bool(open_ones.exists())


def erase(guild_id: int, user_id: int, stand_in: int, new_name: str, job_id: int) -> None:
    """Put the stand-in in the member's place in every row of the core in this guild.

    :param job_id: the job that does it, which keeps the id until it is done.
    :raises SitsInVoice: a voice session of theirs is open.
    """
    if sits_in_voice(guild_id, user_id):
        raise SitsInVoice
    GuildMembership.delete().where(
        GuildMembership.guild_id == guild_id, GuildMembership.user_id == user_id
    ).execute()
    for model, here in core_tables():
        for field in core_id_fields(model):
            query: Any = model.update({field.name: stand_in})
            query.where(here(guild_id), field == user_id).execute()
    person = User.get_or_none(User.id == user_id)
    scrub = Scrub(user_id, stand_in, person.name if person is not None else "", new_name)
    for model, columns in _TEXTS.items():
        others = [JobRow.id != job_id] if model is JobRow else []
        _scrub_rows(model, columns, guild_id, scrub, *others)
    guild = Guild.get_or_none(Guild.id == guild_id)
    if guild is not None:
        before = dict(guild.settings or {})
        drafts = {
            key: draft for key, draft in before.get("drafts", {}).items() if draft.get("user") != user_id
        }
        settings = {**before, "drafts": drafts} if "drafts" in before else before
        after = scrub.value(settings)
        if after != before:
            Guild.update(settings=after).where(Guild.id == guild_id).execute()


def note_done(job_id: int, plugin: str) -> None:
    """Note in the job that a plugin has forgotten the member."""
    job = JobRow.get_by_id(job_id)
    if plugin not in job.payload["done"]:
        payload = {**job.payload, "done": [*job.payload["done"], plugin]}
        JobRow.update(payload=payload).where(JobRow.id == job_id).execute()


def note_waits(guild_id: int, job_id: int, plugins: Sequence[str], at: datetime) -> None:
    """Note in the job, and for the admins in the log, which plugins hold it up; the same ones once."""
    job = JobRow.get_by_id(job_id)
    if job.payload["waits"] == list(plugins):
        return
    JobRow.update(payload={**job.payload, "waits": list(plugins)}).where(JobRow.id == job_id).execute()
    audit.record(guild_id, None, WAITS, job.payload["name"], None, {"waits_for": list(plugins)}, at)


def finish(guild_id: int, job_id: int, at: datetime) -> None:
    """Take the member out of the job itself, the last row that knew the id."""
    job = JobRow.get_by_id(job_id)
    name = job.payload["name"]
    JobRow.update(payload={"name": name}, last_error=None).where(JobRow.id == job_id).execute()
    audit.record(guild_id, None, DONE, name, None, {"plugins": job.payload["done"]}, at)


def remove_person(user_id: int, schemas: Sequence[Schema]) -> bool:
    """Delete a person's row unless another guild needs it; says whether it is gone.

    Work across guilds, so it takes a transaction of its own.
    """
    if elsewhere(user_id, schemas):
        return False
    try:
        # A table of a plugin that is not loaded may refer to it; that must not spoil the transaction.
        with User._meta.database.atomic():
            User.delete().where(User.id == user_id).execute()
    except IntegrityError:
        return False
    return True


def revive(at: datetime) -> int:
    """Try every forgetting again that was given up: what it lacked may be there now; returns how many."""
    revived: int = (
        JobRow.update(state="waiting", attempts=0, due=at)
        .where(JobRow.plugin == CORE, JobRow.name == FORGET, JobRow.state == "dead")
        .execute()
    )
    return revived


def _scrub_rows(model: Any, columns: Sequence[str], guild_id: int, scrub: Scrub, *conditions: Any) -> None:
    """Scrub columns of a guild's rows; only those that may hold the id or the name are read."""
    fields = [getattr(model, column) for column in columns]
    hit: Any = None
    for field in fields:
        for needle in {str(scrub.user_id), scrub.name} - {""}:
            found = _contains(field, needle)
            hit = found if hit is None else hit | found
    for row in model.select().where(model.guild_id == guild_id, hit, *conditions):
        values = {}
        for column in columns:
            before = getattr(row, column)
            after = scrub.value(before)
            if after != before:
                values[column] = after
        if values:
            model.update(values).where(model.id == row.id).execute()


def _contains(field: Any, needle: str) -> Any:
    """Return the condition that a text column holds a text, as JSON writes it."""
    return fn.REPLACE(field, json.dumps(needle, ensure_ascii=False)[1:-1], "") != field
