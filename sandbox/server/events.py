"""Scheduled events of a guild, and who is interested in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.server.payloads import Json
from sandbox.server.payloads import events as shapes

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import User

STAGE, VOICE, EXTERNAL = 1, 2, 3
SCHEDULED, ACTIVE, COMPLETED, CANCELED = 1, 2, 3, 4
FOLLOWS = {SCHEDULED: {ACTIVE, CANCELED}, ACTIVE: {COMPLETED}, COMPLETED: set[int](), CANCELED: set[int]()}
"""Which status can come after which."""
MOST = 100
"""Events of a guild that are scheduled or running."""


@dataclass(slots=True)
class ScheduledEvent:
    """An event that a guild announces; ``interested`` maps each user to when they said so."""

    id: int
    guild_id: int
    creator: User
    name: str
    kind: int
    start: datetime
    end: datetime | None = None
    description: str | None = None
    channel_id: int | None = None
    location: str | None = None
    status: int = SCHEDULED
    recurrence: Json | None = None
    interested: dict[int, datetime] = field(default_factory=dict)


def add(guild: Guild, event: ScheduledEvent) -> ScheduledEvent:
    """Announce an event in its guild; who made it is interested in it."""
    guild.events[event.id] = event
    event.interested[event.creator.id] = guild.world.clock.now()
    _tell(guild, "GUILD_SCHEDULED_EVENT_CREATE", shapes.event(event))
    return event


def changed(guild: Guild, event: ScheduledEvent) -> None:
    """Tell the bot that an event's fields were changed; one that is over leaves the guild's list."""
    if event.status in {COMPLETED, CANCELED}:
        guild.events.pop(event.id, None)
    _tell(guild, "GUILD_SCHEDULED_EVENT_UPDATE", shapes.event(event))


def delete(guild: Guild, event: ScheduledEvent) -> None:
    """Drop an event."""
    del guild.events[event.id]
    _tell(guild, "GUILD_SCHEDULED_EVENT_DELETE", shapes.event(event))


def interest(guild: Guild, event: ScheduledEvent, user_id: int, *, shown: bool) -> None:
    """Note that a member is interested in an event, or no longer is; to say it twice changes nothing."""
    if shown == (user_id in event.interested):
        return
    if shown:
        event.interested[user_id] = guild.world.clock.now()
    else:
        del event.interested[user_id]
    body: Json = {
        "guild_scheduled_event_id": str(event.id),
        "user_id": str(user_id),
        "guild_id": str(guild.id),
    }
    _tell(guild, f"GUILD_SCHEDULED_EVENT_USER_{'ADD' if shown else 'REMOVE'}", body)


def _tell(guild: Guild, name: str, body: Json) -> None:
    if guild.world.bot_user.id in guild.members:
        guild.world.hub.dispatch(name, body, guild_id=guild.id)
