"""What a plugin's models, migrations and store functions need of the database."""

from __future__ import annotations

from peewee import (
    JOIN,
    SQL,
    BigAutoField,
    BooleanField,
    Case,
    Check,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    fn,
)

from core.database import (
    BaseModel,
    CentiScu,
    Guild,
    Instant,
    JsonText,
    Money,
    Reference,
    Schema,
    Snowflake,
    Text,
    User,
    current_now,
    ensure_guild,
    ensure_user,
)

__all__ = [
    "JOIN",
    "SQL",
    "BaseModel",
    "BigAutoField",
    "BooleanField",
    "Case",
    "CentiScu",
    "Check",
    "ForeignKeyField",
    "Guild",
    "Instant",
    "IntegerField",
    "IntegrityError",
    "JsonText",
    "Money",
    "Reference",
    "Schema",
    "Snowflake",
    "Text",
    "User",
    "current_now",
    "ensure_guild",
    "ensure_user",
    "fn",
]
