"""What people change in their guild: channels, roles, scheduled events, and which bots are in it."""

from __future__ import annotations

from datetime import datetime

from sandbox.server import events, options, permissions
from sandbox.server.audit import Action, changed
from sandbox.server.channels import CATEGORY, IN_GUILDS, NEWS, STAGE, TEXT, VOICE, Channel
from sandbox.server.errors import Refused
from sandbox.server.events import ScheduledEvent
from sandbox.server.members import Role
from sandbox.server.moderating import Acting
from sandbox.server.payloads import Json
from sandbox.server.payloads import events as event_shapes
from sandbox.server.payloads import guilds as shapes

_MOST_CHANNELS = 500
_LONGEST_NAME = 100
_CHANNEL_FIELDS = ("name", "topic", "user_limit", "position", "nsfw", "bitrate", "rate_limit")
_TOLD = ("name", "type", "topic", "nsfw", "bitrate", "user_limit", "rate_limit_per_user")
_EVENT_TOLD = ("name", "description", "entity_type", "status", "channel_id")
_STATUSES = {
    "scheduled": events.SCHEDULED,
    "active": events.ACTIVE,
    "completed": events.COMPLETED,
    "canceled": events.CANCELED,
}
_KINDS = {VOICE: events.VOICE, STAGE: events.STAGE}


class Managing(Acting):
    """The acts of who runs a guild; each writes its audit log."""

    async def create_channel(
        self,
        name: str,
        type: int = TEXT,  # noqa: A002 - Discord's word
        *,
        parent: Channel | int | str | None = None,
        user_limit: int = 0,
        topic: str | None = None,
    ) -> Channel:
        """Add a channel, with its category's overwrites if it is in one. Raises Refused."""
        category = None if parent is None else self._channel(parent)
        self._need(permissions.MANAGE_CHANNELS, "create channels", category)
        if type not in IN_GUILDS:
            raise Refused(f"a guild has no channels of type {type}")
        if len(self.guild.channels) >= _MOST_CHANNELS:
            raise Refused(
                f"{self.guild.name} has {_MOST_CHANNELS} channels, which is the most there can be", 409
            )
        if category is not None and (category.type != CATEGORY or type == CATEGORY):
            raise Refused(f"{category.name} cannot hold that channel: only a category holds others")
        overwrites = () if category is None else tuple(category.overwrites.values())
        channel = self.guild.create_channel(
            _name(name, type),
            type,
            parent=category,
            overwrites=overwrites,
            user_limit=_limit(user_limit),
            topic=topic,
        )
        made = changed(None, shapes.channel(channel), _TOLD)
        self._note(Action.CHANNEL_CREATE, channel.id, changes=made)
        return channel

    async def edit_channel(self, channel: Channel | int | str, **fields: str | int | bool | None) -> Channel:
        """Change its name, topic, user_limit, position, nsfw, bitrate or rate_limit. Raises Refused."""
        target = self._channel(channel)
        self._need(permissions.MANAGE_CHANNELS, f"change {target.name}", target)
        unknown = [name for name in fields if name not in _CHANNEL_FIELDS]
        if unknown or not fields:
            raise Refused(
                f"a channel's {', '.join(_CHANNEL_FIELDS)} can be changed, not {', '.join(unknown)}"
            )
        for name, value in fields.items():
            now = getattr(target, name)
            right = value is None or isinstance(value, str) if name == "topic" else type(value) is type(now)
            if not right:
                raise Refused(f"{name} is {now!r}, which {value!r} cannot replace")
        if "name" in fields:
            fields["name"] = _name(str(fields["name"]), target.type)
        if "user_limit" in fields:
            _limit(int(fields["user_limit"] or 0))
        before = shapes.channel(target)
        for name, value in fields.items():
            setattr(target, name, value)
        self.guild.update_channel(target)
        changes = changed(before, shapes.channel(target), _TOLD)
        self._note(Action.CHANNEL_UPDATE, target.id, changes=changes)
        return target

    async def delete_channel(self, channel: Channel | int | str) -> None:
        """Delete a channel; who sits in it is put out. Raises Refused."""
        target = self._channel(channel)
        self._need(permissions.MANAGE_CHANNELS, f"delete {target.name}", target)
        gone = changed(shapes.channel(target), None, _TOLD)
        if target.thread is not None:
            self._world.threads.delete(target)
        else:
            self.guild.delete_channel(target)
        self._note(Action.CHANNEL_DELETE, target.id, changes=gone)

    async def create_role(self, name: str, *, permissions: int = 0) -> Role:
        """Add a role with permissions that the person has themselves. Raises Refused."""
        self._may_grant(permissions)
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise Refused(f"a role's name has 1 to {_LONGEST_NAME} characters")
        role = self.guild.create_role(name, permissions=permissions)
        self._note(Action.ROLE_CREATE, role.id)
        return role

    async def delete_role(self, role: Role | int | str) -> None:
        """Delete a role that stands below the person. Raises Refused."""
        found = self._role(role)
        self._need(permissions.MANAGE_ROLES, "delete roles")
        self._below(found, f"delete {found.name}")
        if found.managed:
            raise Refused(f"{found.name} belongs to a bot: it goes with it", 409)
        self.guild.delete_role(found)
        self._note(Action.ROLE_DELETE, found.id)

    async def create_event(
        self,
        name: str,
        start: datetime | str,
        *,
        channel: Channel | int | str | None = None,
        location: str | None = None,
        end: datetime | str | None = None,
        description: str | None = None,
    ) -> ScheduledEvent:
        """Announce an event in a voice or stage channel, or with an end at a location. Raises Refused."""
        self._need(permissions.CREATE_EVENTS | permissions.MANAGE_EVENTS, "create events")
        begins, ends = _moment(start), None if end is None else _moment(end)
        if begins <= self._world.clock.now() or (ends is not None and ends <= begins):
            raise Refused("an event begins in the future and ends after that")
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise Refused(f"an event's name has 1 to {_LONGEST_NAME} characters")
        if len(self.guild.events) >= events.MOST:
            raise Refused(f"{self.guild.name} has {events.MOST} events already", 409)
        target = None if channel is None else self._channel(channel)
        if target is not None and target.type not in _KINDS:
            raise Refused(f"{target.name} is not a voice channel")
        if (target is None) == (not location) or (target is None and ends is None):
            raise Refused("an event has a channel, or a location and an end")
        event = ScheduledEvent(
            self._world.mint.next(),
            self.guild.id,
            self.member.user,
            name,
            events.EXTERNAL if target is None else _KINDS[target.type],
            begins,
            ends,
            description,
            None if target is None else target.id,
            location,
        )
        events.add(self.guild, event)
        made = changed(None, event_shapes.event(event), _EVENT_TOLD)
        self._note(Action.EVENT_CREATE, event.id, changes=made)
        return event

    async def set_event(self, event: ScheduledEvent | int | str, status: str) -> None:
        """Start (active), end (completed) or call off (canceled) an event. Raises Refused."""
        found = self._event(event)
        self._may_run(found)
        if _STATUSES.get(status) not in events.FOLLOWS[found.status]:
            follows = [name for name, number in _STATUSES.items() if number in events.FOLLOWS[found.status]]
            raise Refused(f"after its status now comes {' or '.join(follows)}, not {status}", 409)
        before = event_shapes.event(found)
        found.status = _STATUSES[status]
        events.changed(self.guild, found)
        changes = changed(before, event_shapes.event(found), _EVENT_TOLD)
        self._note(Action.EVENT_UPDATE, found.id, changes=changes)

    async def delete_event(self, event: ScheduledEvent | int | str) -> None:
        """Delete an event. Raises Refused."""
        found = self._event(event)
        self._may_run(found)
        events.delete(self.guild, found)
        self._note(Action.EVENT_DELETE, found.id)

    async def interest(self, event: ScheduledEvent | int | str, shown: bool = True) -> None:
        """Show interest in an event, or no longer; to say it twice is fine. Raises Refused (404)."""
        found = self._event(event)
        events.interest(self.guild, found, self._still_here().user.id, shown=shown)

    async def invite_bot(self, permissions: int | None = None) -> None:
        """Bring the bot into the guild, with these permissions or the usual ones. Raises Refused."""
        self._need_guild("invite bots")
        given = {} if permissions is None else {"permissions": permissions}
        self.guild.add_bot(**given)
        self._note(Action.BOT_ADD, self._world.bot_user.id)

    async def remove_bot(self) -> None:
        """Put the bot out of the guild. Raises Refused."""
        self._need(permissions.KICK_MEMBERS, "remove bots")
        bot = self._world.bot_user
        if bot.id not in self.guild.members:
            raise Refused(f"the bot is not a member of {self.guild.name}", 409)
        self.guild.remove_bot()
        self._note(Action.KICK, bot.id)

    async def create_hub(self, channel: Channel | int | str, name_template: str = "{name}'s crew") -> None:
        """Have another bot run a voice channel as a join-to-create hub. Raises Refused."""
        self._need_guild("set up other bots")
        self.guild.create_hub(self._channel(channel), name_template)

    def _need_guild(self, words: str) -> None:
        self._need(permissions.MANAGE_GUILD, words)

    def _may_grant(self, bits: int) -> None:
        self._need(permissions.MANAGE_ROLES, "create roles")
        mine = permissions.in_guild(self.guild, self._still_here())
        if bits & ~mine & permissions.ALL or bits & ~permissions.ALL:
            raise Refused("a role gets only permissions that exist and that its maker has", 403)

    def _may_run(self, event: ScheduledEvent) -> None:
        own = event.creator.id == self.member.user.id
        needed = permissions.MANAGE_EVENTS | (permissions.CREATE_EVENTS if own else 0)
        self._need(needed, "change that event")

    def _event(self, event: ScheduledEvent | int | str) -> ScheduledEvent:
        number = event.id if isinstance(event, ScheduledEvent) else options.as_id(event, "event_id")
        found = self.guild.events.get(number)
        if found is None:
            raise Refused(f"{self.guild.name} has no event {number}", 404)
        return found


def channel_shape(channel: Channel) -> Json:
    """Return a channel of a guild as JSON."""
    return shapes.channel(channel)


def _name(given: str, kind: int) -> str:
    if not 1 <= len(given.strip()) <= _LONGEST_NAME:
        raise Refused(f"a channel's name has 1 to {_LONGEST_NAME} characters")
    return given.strip().lower().replace(" ", "-") if kind in {TEXT, NEWS} else given


def _limit(given: int) -> int:
    if not 0 <= given <= 99:
        raise Refused(f"a user limit is 0 (none) to 99, not {given}")
    return given


def _moment(given: datetime | str) -> datetime:
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError as error:
        raise Refused(f"{given!r} is no time; write it like 2026-03-01T18:00:00+00:00") from error
    if moment.tzinfo is None:
        raise Refused("a time needs its zone, such as 2026-03-01T18:00:00+00:00")
    return moment
