"""The database: threads that write and read, models, migrations."""

from core.database import driver  # noqa: F401 - before anything imports peewee

# isort: split
from core.database.current import current_now
from core.database.engine import Database, after_commit
from core.database.errors import (
    CommitUnknown,
    DatabaseBusy,
    DatabaseClosed,
    DatabaseError,
    DatabaseUnavailable,
    MigrationFailed,
    StatementTooSlow,
)
from core.database.fields import CentiScu, Instant, JsonText, Money, Reference, Snowflake, Text
from core.database.models import (
    AuditEntry,
    BaseModel,
    CommandMenu,
    Guild,
    GuildMembership,
    GuildPlugin,
    GuildRank,
    GuildSight,
    JobRow,
    ShardHeartbeat,
    User,
    VoiceDay,
    VoiceSession,
    VoiceVoid,
    ensure_guild,
    ensure_user,
)
from core.database.opening import open_database
from core.database.schema import CORE_SCHEMA, Schema, drift, migrate_down, migrate_status, migrate_up

__all__ = [
    "CORE_SCHEMA",
    "AuditEntry",
    "BaseModel",
    "CentiScu",
    "CommandMenu",
    "CommitUnknown",
    "Database",
    "DatabaseBusy",
    "DatabaseClosed",
    "DatabaseError",
    "DatabaseUnavailable",
    "Guild",
    "GuildMembership",
    "GuildPlugin",
    "GuildRank",
    "GuildSight",
    "Instant",
    "JobRow",
    "JsonText",
    "MigrationFailed",
    "Money",
    "Reference",
    "Schema",
    "ShardHeartbeat",
    "Snowflake",
    "StatementTooSlow",
    "Text",
    "User",
    "VoiceDay",
    "VoiceSession",
    "VoiceVoid",
    "after_commit",
    "current_now",
    "drift",
    "ensure_guild",
    "ensure_user",
    "migrate_down",
    "migrate_status",
    "migrate_up",
    "open_database",
]
