"""Scheduled events as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.payloads import Json, optional_id, people, stamp

if TYPE_CHECKING:
    from sandbox.server.events import ScheduledEvent


def event(one: ScheduledEvent, *, counted: bool = False) -> Json:
    """Return a scheduled event object; ``counted`` adds how many are interested."""
    body: Json = {
        "id": str(one.id),
        "guild_id": str(one.guild_id),
        "channel_id": optional_id(one.channel_id),
        "creator_id": str(one.creator.id),
        "creator": people.user(one.creator),
        "name": one.name,
        "description": one.description,
        "image": None,
        "scheduled_start_time": stamp(one.start),
        "scheduled_end_time": stamp(one.end) if one.end else None,
        "privacy_level": 2,
        "status": one.status,
        "entity_type": one.kind,
        "entity_id": None,
        "entity_metadata": {"location": one.location} if one.location is not None else None,
        "recurrence_rule": one.recurrence,
        "guild_scheduled_event_exceptions": [],
    }
    if counted:
        body["user_count"] = len(one.interested)
    return body
