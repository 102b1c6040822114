"""The base of all models, and the tables of the core."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import peewee
from peewee import SQL, Check

from core.database.current import current_now, proxy
from core.database.fields import Instant, JsonText, Reference, Snowflake, Text


class BaseModel(peewee.Model):
    """What every entity has: an own 64-bit id unless it names another key, and when it was made and changed.

    `updated_at` is kept by save(), update() and set_by_id(); an upsert must name it itself, best by
    `preserve=[Model.updated_at]`.
    """

    id = peewee.BigAutoField()
    created_at = Instant(default=current_now)
    updated_at = Instant(default=current_now)

    class Meta:
        database = proxy
        legacy_table_names = False

    @classmethod
    def update(cls, data: Any = None, /, **columns: Any) -> Any:
        """Return an UPDATE that also sets `updated_at`."""
        names = {getattr(key, "name", key) for key in (data or {})}
        if "updated_at" not in columns and "updated_at" not in names:
            columns["updated_at"] = current_now()
        return super().update(data, **columns)

    def save(self, *args: Any, **options: Any) -> Any:
        """Store this row and set `updated_at`."""
        self.updated_at = cast(Any, current_now())
        return super().save(*args, **options)


class Guild(BaseModel):
    """A guild that the bot has seen."""

    id = Snowflake(primary_key=True)
    name = Text(default="")
    settings = JsonText(default=dict)
    afk_channel_id = Snowflake(null=True)

    class Meta:
        table_name = "guilds"


class User(BaseModel):
    """A person, across guilds."""

    id = Snowflake(primary_key=True)
    name = Text(default="")

    class Meta:
        table_name = "users"


class GuildMembership(BaseModel):
    """What one guild knows of one person."""

    guild_id = Reference(Guild, index=False)
    user_id = Reference(User)
    is_org_member = peewee.BooleanField(default=False)
    rank = Text(null=True)

    class Meta:
        table_name = "guild_memberships"
        indexes = ((("guild_id", "user_id"), True),)


class GuildPlugin(BaseModel):
    """Whether a guild wants a plugin, and the plugin's settings there."""

    guild_id = Reference(Guild, index=False)
    plugin = Text()
    enabled = peewee.BooleanField(default=False)
    settings = JsonText(default=dict)
    changed_by = Snowflake(null=True)

    class Meta:
        table_name = "guild_plugins"
        indexes = ((("guild_id", "plugin"), True),)


class GuildRank(BaseModel):
    """The rank that a role gives in a guild; a guild without any goes by Discord's permissions."""

    guild_id = Reference(Guild, index=False)
    role_id = Snowflake()
    rank = Text()

    class Meta:
        table_name = "guild_ranks"
        indexes = ((("guild_id", "role_id"), True),)


class VoiceSession(BaseModel):
    """One stay of one member in one voice channel; ids come from core.ids.

    No foreign keys: rows arrive in bursts of thousands, for people and channels that nothing else has met
    yet, and a key to guilds would put one more lookup and (on PostgreSQL) a row lock on each of them.
    The partial unique index is the database's own guard against being in two places at once.
    """

    id = Snowflake(primary_key=True)
    guild_id = Snowflake()
    user_id = Snowflake()
    channel_id = Snowflake()
    joined = Instant()
    left = Instant(null=True)
    deafened_us = Snowflake(default=0)
    status = Text(default="active")
    previous_id = Snowflake(null=True)
    joined_estimated = peewee.BooleanField(default=False)
    left_estimated = peewee.BooleanField(default=False)
    afk = peewee.BooleanField(default=False)
    deafened_since = Instant(null=True)
    via_channel_id = Snowflake(null=True)

    class Meta:
        table_name = "voice_sessions"
        constraints = (
            Check("\"status\" IN ('active', 'completed', 'cancelled')", name="voice_sessions_status"),
            Check('"left" IS NULL OR "left" >= "joined"', name="voice_sessions_order"),
        )
        indexes = ((("user_id", "guild_id", "id"), False), (("guild_id", "joined"), False))


VoiceSession.add_index(
    VoiceSession.guild_id,
    VoiceSession.user_id,
    unique=True,
    where=SQL('"left" IS NULL'),
    name="voice_sessions_one_open",
)


class VoiceVoid(BaseModel):
    """Why a voice session was voided, and by whom; without one a cancelled session was too short to keep."""

    session_id = Reference(VoiceSession, unique=True)
    guild_id = Snowflake()
    reason = Text()
    voided_by = Snowflake(null=True)
    at = Instant()

    class Meta:
        table_name = "voice_voids"


class VoiceDay(BaseModel):
    """What is left of a member's sessions in one channel once they were folded, per UTC day.

    Microseconds, so that the sums are those of the sessions. A stay over midnight is cut there and counts as
    a stay of the day on which it began.
    """

    guild_id = Snowflake()
    user_id = Snowflake()
    channel_id = Snowflake()
    day = Instant()
    present_us = Snowflake(default=0)
    deafened_us = Snowflake(default=0)
    afk_us = Snowflake(default=0)
    stays = Snowflake(default=0)
    estimated = Snowflake(default=0)

    class Meta:
        table_name = "voice_daily"
        indexes = ((("user_id", "guild_id", "channel_id", "day"), True), (("guild_id", "day"), False))


class ShardHeartbeat(BaseModel):
    """When a shard was last known to be connected, and which process said so."""

    shard_id = Snowflake(primary_key=True)
    at = Instant()
    owner = Text(null=True)

    class Meta:
        table_name = "shard_heartbeats"


class GuildSight(BaseModel):
    """Until when voice was seen in a guild, and the highest time that ever stood there.

    The two differ once a clock was set back.
    """

    guild_id = Snowflake(primary_key=True)
    seen_until = Instant()
    newest = Instant()

    class Meta:
        table_name = "guild_sights"


class JobRow(BaseModel):
    """A durable timer or outbox entry; ids come from core.ids.

    No key to guilds: a job of the process itself has guild 0. One with `held_since` waits for its plugin
    and costs no look; one that runs belongs, until `claimed_until`, to the process that claimed it.
    """

    id = Snowflake(primary_key=True)
    plugin = Text()
    guild_id = Snowflake()
    name = Text()
    key = Text()
    payload = JsonText(default=dict)
    due = Instant()
    state = Text(default="waiting")
    attempts = Snowflake(default=0)
    last_error = Text(null=True)
    claimed_by = Text(null=True)
    claimed_until = Instant(null=True)
    held_since = Instant(null=True)

    class Meta:
        table_name = "jobs"
        constraints = (Check("\"state\" IN ('waiting', 'running', 'done', 'dead')", name="jobs_state"),)
        indexes = ((("plugin", "guild_id", "name", "key"), True), (("state", "due"), False))


JobRow.add_index(
    JobRow.due,
    JobRow.id,
    where=SQL('"state" = \'waiting\' AND "held_since" IS NULL'),
    name="jobs_ready",
)


class AuditEntry(BaseModel):
    """Who changed what; kept for ever, so nothing else may be needed to keep it."""

    guild_id = Snowflake()
    actor_id = Snowflake(null=True)
    action = Text()
    target = Text(null=True)
    before = JsonText(null=True)
    after = JsonText(null=True)
    at = Instant(default=current_now)

    class Meta:
        table_name = "audit_log"
        indexes = ((("guild_id", "at"), False),)


class CommandMenu(BaseModel):
    """The command menu that Discord last accepted for a guild (0: the global one).

    `names` are its top-level commands and `creates` the times and numbers of commands made lately, as Discord
    allows 200 a day.
    """

    guild_id = Snowflake(primary_key=True)
    hash = Text()
    synced_at = Instant()
    names = JsonText(default=list, null=True)
    creates = JsonText(default=list, null=True)

    class Meta:
        table_name = "command_menus"


CORE_MODELS: tuple[type[BaseModel], ...] = (
    Guild,
    User,
    GuildMembership,
    GuildPlugin,
    GuildRank,
    VoiceSession,
    VoiceVoid,
    VoiceDay,
    ShardHeartbeat,
    GuildSight,
    JobRow,
    AuditEntry,
    CommandMenu,
)


def all_models(base: type[BaseModel] = BaseModel) -> list[type[BaseModel]]:
    """Return every model that has been imported so far."""
    found: list[type[BaseModel]] = []
    for model in base.__subclasses__():
        found.append(model)
        found.extend(all_models(model))
    return found


def ensure_guild(guild_id: int, name: str = "") -> None:
    """Make sure that the guild has a row; store function.

    :param name: its name now; an empty one leaves the stored name as it is.
    """
    _ensure(Guild, guild_id, name)


def ensure_user(user_id: int, name: str = "") -> None:
    """Make sure that the user has a row; store function. `name` as in `ensure_guild`."""
    _ensure(User, user_id, name)


def _ensure(model: type[Guild] | type[User], key: int, name: str) -> None:
    query = model.insert(id=key, name=name)
    if not name:
        query.on_conflict(action="ignore", conflict_target=[model.id]).execute()
        return
    now: datetime = current_now()
    query.on_conflict(
        conflict_target=[model.id],
        update={model.name: name, model.updated_at: now},
        where=(model.name != name),
    ).execute()
