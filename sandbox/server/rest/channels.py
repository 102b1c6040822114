"""Channels of a guild, and who may do what in each."""

from __future__ import annotations

from sandbox.server import permissions
from sandbox.server.audit import Action, changed
from sandbox.server.channels import CATEGORY, DM, FORUMS, IN_GUILDS, NEWS, TEXT, Channel, Overwrite, Tag
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.guilds import Guild
from sandbox.server.limits import check_channel, check_overwrite
from sandbox.server.payloads import Json
from sandbox.server.payloads import guilds as shapes
from sandbox.server.rest import checks, threads
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
MOST = 500
MOST_IN_CATEGORY = 50
_ALL = "/guilds/{guild_id}/channels"
_ONE = "/channels/{channel_id}"
_OVERWRITE = _ONE + "/permissions/{overwrite_id}"
_FIELDS = {
    "name": "name",
    "topic": "topic",
    "user_limit": "user_limit",
    "nsfw": "nsfw",
    "bitrate": "bitrate",
    "position": "position",
    "rate_limit_per_user": "rate_limit",
    "default_auto_archive_duration": "auto_archive",
    "default_thread_rate_limit_per_user": "thread_rate_limit",
    "default_reaction_emoji": "default_reaction",
    "default_sort_order": "sort_order",
    "default_forum_layout": "layout",
    "flags": "flags",
    "rtc_region": "rtc_region",
    "video_quality_mode": "video_quality",
}
_NONE_IS_ZERO = frozenset({"user_limit", "rate_limit_per_user", "default_thread_rate_limit_per_user"})
_NONE_CLEARS = frozenset(
    {"topic", "rtc_region", "default_auto_archive_duration", "default_reaction_emoji", "default_sort_order"}
)
_TOLD = ("name", "type", "topic", "nsfw", "bitrate", "user_limit", "rate_limit_per_user",
         "default_auto_archive_duration", "flags")  # fmt: skip


def _shape(call: Call, channel: Channel) -> Json:
    if not channel.guild_id:
        return shapes.direct_channel(channel, call.world.users[channel.recipient_id])
    if channel.thread is not None:
        return threads.shape(call, channel)
    return shapes.channel(channel)


@routes("GET", _ALL)
def get_channels(call: Call) -> Answer:
    """Return a guild's channels."""
    return 200, [shapes.channel(channel) for channel in call.guild().channels.values()]


@routes("POST", _ALL)
def create_channel(call: Call) -> Answer:
    """Add a channel."""
    guild, body = call.guild(), call.json()
    mine = checks.in_guild(guild, permissions.MANAGE_CHANNELS)
    kind = body.get("type") or TEXT
    checks.kept(check_channel(body, kind, creating=True))
    if kind not in IN_GUILDS:
        raise invalid_form(("type",), "BASE_TYPE_CHOICES", "Value must be a channel type of a guild.")
    if len(guild.channels) >= MOST:
        raise RestError(400, 30013, f"Maximum number of guild channels reached ({MOST})")
    parent = _parent(guild, body, kind)
    overwrites = _overwrites(guild, body.get("permission_overwrites") or [], mine, {})
    if parent is not None and not overwrites:
        # Who names no overwrites gets the category's.
        overwrites = {each.id: each for each in map(_copied, parent.overwrites.values())}
    channel = guild.create_channel(
        _name(body["name"], kind), kind, parent=parent, overwrites=overwrites.values(), announced=False
    )
    _apply(call, channel, {name: value for name, value in body.items() if name != "name"})
    guild.created_channel(channel)
    shape = shapes.channel(channel)
    checks.note(call, guild, Action.CHANNEL_CREATE, channel.id, changes=changed(None, shape, _TOLD))
    return 201, shape


def _name(given: str, kind: int) -> str:
    """Return a channel's name as the service keeps it: those to write in have no capitals and spaces."""
    return given.strip().lower().replace(" ", "-") if kind in {TEXT, NEWS} | FORUMS else given


def _copied(one: Overwrite) -> Overwrite:
    return Overwrite(one.id, one.kind, one.allow, one.deny)


def _parent(guild: Guild, body: Json, kind: int) -> Channel | None:
    if not body.get("parent_id"):
        return None
    parent = guild.channels.get(int(body["parent_id"]))
    if parent is None or parent.type != CATEGORY or kind == CATEGORY:
        raise invalid_form(("parent_id",), "CHANNEL_PARENT_INVALID", "Not a valid category")
    if sum(each.parent_id == parent.id for each in guild.channels.values()) >= MOST_IN_CATEGORY:
        words = f"Maximum number of channels in category reached ({MOST_IN_CATEGORY})"
        raise invalid_form(("parent_id",), "CHANNEL_PARENT_MAX_CHANNELS", words)
    return parent


def _overwrites(
    guild: Guild, bodies: list[Json], mine: int, before: dict[int, Overwrite]
) -> dict[int, Overwrite]:
    """Return overwrites by id. Raises RestError 50013 when one changes a bit that the bot lacks."""
    found: dict[int, Overwrite] = {}
    for each in bodies:
        one = Overwrite(
            int(each["id"]), int(each["type"]), int(each.get("allow") or 0), int(each.get("deny") or 0)
        )
        if one.kind == 0 and one.id not in guild.roles:
            raise unknown("overwrite")
        old = before.get(one.id, Overwrite(one.id, one.kind))
        if ((one.allow ^ old.allow) | (one.deny ^ old.deny)) & permissions.ALL & ~mine:
            raise checks.missing_permissions()
        found[one.id] = one
    return found


def _apply(call: Call, channel: Channel, body: Json) -> None:
    for name, field in _FIELDS.items():
        if name not in body:
            continue
        if body[name] is not None:
            setattr(channel, field, body[name])
        elif name in _NONE_IS_ZERO:
            setattr(channel, field, 0)
        elif name in _NONE_CLEARS:
            setattr(channel, field, None)
    if body.get("available_tags") is not None:
        known = {each.id: each for each in channel.tags}
        channel.tags = [_tag(call, each, known) for each in body["available_tags"]]


def _tag(call: Call, body: Json, known: dict[int, Tag]) -> Tag:
    given = int(body.get("id") or 0)
    return Tag(
        given if given in known else call.world.mint.next(),
        body["name"],
        bool(body.get("moderated")),
        int(body["emoji_id"]) if body.get("emoji_id") else None,
        body.get("emoji_name"),
    )


@routes("PATCH", _ALL)
def place(call: Call) -> Answer:
    """Put channels at positions, into categories, and under their categories' overwrites."""
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_CHANNELS)
    if not isinstance(call.body, list):
        raise invalid_form((), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    for each in call.body:
        if int(each["id"]) not in guild.channels:
            raise unknown("channel")
    for each in call.body:
        channel = guild.channels[int(each["id"])]
        if each.get("position") is not None:
            channel.position = int(each["position"])
        if "parent_id" in each:
            parent = _parent(guild, each, channel.type)
            channel.parent_id = parent.id if parent else None
            if parent is not None and each.get("lock_permissions"):
                channel.overwrites = {one.id: one for one in map(_copied, parent.overwrites.values())}
        guild.update_channel(channel)
    return 204, None


@routes("GET", _ONE)
def get_channel(call: Call) -> Answer:
    """Return a channel or thread."""
    channel = call.channel()
    checks.in_channel(call, channel, 0)
    return 200, _shape(call, channel)


@routes("PATCH", _ONE)
def edit_channel(call: Call) -> Answer:
    """Change a channel or thread."""
    channel, body = call.channel(), call.json()
    if channel.type == DM:
        raise RestError(400, 50003, "Cannot execute action on a DM channel")
    if channel.thread is not None:
        return threads.edit(call, channel, body)
    guild = call.world.guilds[channel.guild_id]
    mine = checks.in_channel(call, channel, permissions.MANAGE_CHANNELS)
    checks.kept(check_channel(body, channel.type))
    before = shapes.channel(channel)
    if body.get("permission_overwrites") is not None:
        checks.in_channel(call, channel, permissions.MANAGE_ROLES)
        channel.overwrites = _overwrites(guild, body["permission_overwrites"], mine, channel.overwrites)
    if "parent_id" in body and int(body["parent_id"] or 0) != (channel.parent_id or 0):
        parent = _parent(guild, body, channel.type)
        channel.parent_id = parent.id if parent else None
    if "name" in body:
        body = {**body, "name": _name(body["name"], channel.type)}
    if {channel.type, body.get("type")} == {TEXT, NEWS}:
        channel.type = body["type"]
    _apply(call, channel, body)
    after = shapes.channel(channel)
    if after != before:
        guild.update_channel(channel)
        changes = changed(before, after, _TOLD)
        if changes:
            checks.note(call, guild, Action.CHANNEL_UPDATE, channel.id, changes=changes)
    return 200, after


@routes("DELETE", _ONE)
def delete_channel(call: Call) -> Answer:
    """Remove a channel or thread; a direct one is only closed."""
    channel = call.channel()
    shape = _shape(call, channel)
    if channel.thread is not None:
        threads.remove(call, channel)
    elif channel.guild_id:
        checks.in_channel(call, channel, permissions.MANAGE_CHANNELS)
        guild = call.world.guilds[channel.guild_id]
        guild.delete_channel(channel)
        checks.note(call, guild, Action.CHANNEL_DELETE, channel.id, changes=changed(shape, None, _TOLD))
    return 200, shape


@routes("PUT", _OVERWRITE)
def put_overwrite(call: Call) -> Answer:
    """Set what a role or member may do in a channel."""
    channel, body = call.channel(), call.json()
    guild, mine = _for_overwrites(call, channel)
    checks.kept(check_overwrite(body))
    target = call.id("overwrite_id")
    old = channel.overwrites.get(target)
    channel.overwrites |= _overwrites(guild, [{**body, "id": target}], mine, channel.overwrites)
    guild.update_channel(channel)
    _note_overwrite(call, channel, old, channel.overwrites[target])
    return 204, None


@routes("DELETE", _OVERWRITE)
def delete_overwrite(call: Call) -> Answer:
    """Drop an overwrite."""
    channel = call.channel()
    guild, _mine = _for_overwrites(call, channel)
    old = channel.overwrites.pop(call.id("overwrite_id"), None)
    if old is None:
        raise unknown("overwrite")
    guild.update_channel(channel)
    _note_overwrite(call, channel, old, None)
    return 204, None


def _for_overwrites(call: Call, channel: Channel) -> tuple[Guild, int]:
    if not channel.guild_id or channel.thread is not None:
        raise RestError(400, 50024, "Cannot execute action on this channel type")
    return call.world.guilds[channel.guild_id], checks.in_channel(call, channel, permissions.MANAGE_ROLES)


def _note_overwrite(call: Call, channel: Channel, old: Overwrite | None, new: Overwrite | None) -> None:
    def told(one: Overwrite | None) -> Json | None:
        return None if one is None else {"allow": str(one.allow), "deny": str(one.deny)}

    one = new or old
    assert one is not None
    action = Action.OVERWRITE_UPDATE
    if old is None or new is None:
        action = Action.OVERWRITE_DELETE if new is None else Action.OVERWRITE_CREATE
    guild = call.world.guilds[channel.guild_id]
    options: Json = {"id": one.id, "type": one.kind}
    if one.id in guild.roles:
        options["role_name"] = guild.roles[one.id].name
    changes = changed(told(old), told(new), ("allow", "deny"))
    checks.note(call, guild, action, channel.id, changes=changes, options=options)
