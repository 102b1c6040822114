"""Scheduled events and who is interested in them."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.server import events, permissions
from sandbox.server.audit import Action, changed
from sandbox.server.channels import STAGE, VOICE
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.events import ScheduledEvent
from sandbox.server.guilds import Guild
from sandbox.server.limits import check_event
from sandbox.server.payloads import Json, people
from sandbox.server.payloads import threads as member_shapes
from sandbox.server.payloads.events import event as shape
from sandbox.server.rest import checks, queries
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_ALL = "/guilds/{guild_id}/scheduled-events"
_ONE = _ALL + "/{guild_scheduled_event_id}"
_EITHER = permissions.CREATE_EVENTS | permissions.MANAGE_EVENTS
_CHANNEL_OF = {events.STAGE: STAGE, events.VOICE: VOICE}
_TOLD = ("name", "description", "entity_type", "status", "channel_id", "privacy_level")


def _event(call: Call, guild: Guild) -> ScheduledEvent:
    found = guild.events.get(call.id("guild_scheduled_event_id"))
    if found is None:
        raise unknown("scheduled event")
    return found


def _may(guild: Guild, needed: int) -> None:
    if not checks.in_guild(guild, 0) & needed:
        raise checks.missing_permissions()


def _counted(call: Call, one: ScheduledEvent) -> Json:
    return shape(one, counted=queries.flag(call, "with_user_count"))


@routes("GET", _ALL)
def listing(call: Call) -> Answer:
    """Return the events that are scheduled or running."""
    return 200, [_counted(call, each) for each in call.guild().events.values()]


@routes("GET", _ONE)
def get(call: Call) -> Answer:
    """Return one event."""
    return 200, _counted(call, _event(call, call.guild()))


@routes("POST", _ALL)
def create(call: Call) -> Answer:
    """Announce an event."""
    guild, body = call.guild(), call.json()
    _may(guild, _EITHER)
    now = call.world.clock.now()
    kind = body.get("entity_type")
    checks.kept(check_event(body, kind if isinstance(kind, int) else 0, now, creating=True))
    if len(guild.events) >= events.MOST:
        raise RestError(
            400, 30038, f"Maximum number of uncompleted guild scheduled events reached ({events.MOST})"
        )
    one = ScheduledEvent(
        call.world.mint.next(),
        guild.id,
        call.world.bot_user,
        body["name"],
        body["entity_type"],
        _moment(body["scheduled_start_time"]),
    )
    _apply(guild, one, body)
    events.add(guild, one)
    checks.note(call, guild, Action.EVENT_CREATE, one.id, changes=changed(None, shape(one), _TOLD))
    return 200, shape(one)


@routes("PATCH", _ONE)
def edit(call: Call) -> Answer:
    """Change an event: its fields, or its status."""
    guild, body = call.guild(), call.json()
    one = _event(call, guild)
    _may(guild, _EITHER if one.creator.id == call.world.bot_user.id else permissions.MANAGE_EVENTS)
    kind = body.get("entity_type") or one.kind
    checks.kept(check_event(body, kind, call.world.clock.now()))
    status = body.get("status")
    if status is not None and status != one.status and status not in events.FOLLOWS[one.status]:
        words = "Invalid guild scheduled event status transition"
        raise invalid_form(("status",), "GUILD_SCHEDULED_EVENT_INVALID_STATUS_TRANSITION", words)
    if kind != one.kind and kind == events.EXTERNAL:
        if body.get("scheduled_end_time") is None and one.end is None:
            raise invalid_form(("scheduled_end_time",), "BASE_TYPE_REQUIRED", "This field is required")
        if body.get("entity_metadata") is None:
            raise invalid_form(("entity_metadata",), "BASE_TYPE_REQUIRED", "This field is required")
    before = shape(one)
    one.kind = kind
    one.status = status or one.status
    _apply(guild, one, body)
    events.changed(guild, one)
    checks.note(call, guild, Action.EVENT_UPDATE, one.id, changes=changed(before, shape(one), _TOLD))
    return 200, shape(one)


def _apply(guild: Guild, one: ScheduledEvent, body: Json) -> None:
    if "name" in body:
        one.name = body["name"]
    if "description" in body:
        one.description = body["description"] or None
    if "scheduled_start_time" in body:
        one.start = _moment(body["scheduled_start_time"])
    if "scheduled_end_time" in body:
        one.end = _moment(body["scheduled_end_time"]) if body["scheduled_end_time"] else None
    if "recurrence_rule" in body:
        one.recurrence = _recurrence(body["recurrence_rule"])
    if one.kind == events.EXTERNAL:
        one.channel_id = None
        one.location = (body.get("entity_metadata") or {}).get("location", one.location)
        return
    one.location = None
    if "channel_id" in body:
        channel = guild.channels.get(int(body["channel_id"] or 0))
        if channel is None:
            raise unknown("channel")
        if channel.type != _CHANNEL_OF[one.kind]:
            raise invalid_form(("channel_id",), "CHANNEL_TYPE_INVALID", "Invalid channel type")
        one.channel_id = channel.id


def _moment(given: str) -> datetime:
    moment = datetime.fromisoformat(given)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _recurrence(given: Json | None) -> Json | None:
    if given is None:
        return None
    lists = ("by_weekday", "by_n_weekday", "by_month", "by_month_day", "by_year_day")
    return {"end": None, "count": None, "interval": 1, **given} | {
        name: given.get(name) or [] for name in lists
    }


@routes("DELETE", _ONE)
def delete(call: Call) -> Answer:
    """Drop an event."""
    guild = call.guild()
    one = _event(call, guild)
    _may(guild, _EITHER if one.creator.id == call.world.bot_user.id else permissions.MANAGE_EVENTS)
    events.delete(guild, one)
    checks.note(call, guild, Action.EVENT_DELETE, one.id, changes=changed(shape(one), None, _TOLD))
    return 204, None


@routes("GET", _ONE + "/users")
def users(call: Call) -> Answer:
    """Return who is interested in an event, by id."""
    guild = call.guild()
    one = _event(call, guild)
    found = []
    for user_id in queries.page(call, sorted(one.interested), 100, 100):
        body: Json = {
            "guild_scheduled_event_id": str(one.id),
            "user_id": str(user_id),
            "user": people.user(call.world.users[user_id]),
            "response": 1,
        }
        if queries.flag(call, "with_member") and user_id in guild.members:
            body["member"] = member_shapes.of_guild(guild, guild.members[user_id])
        found.append(body)
    return 200, found
