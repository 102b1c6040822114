"""A guild's own emojis."""

from __future__ import annotations

from sandbox.server import permissions
from sandbox.server.audit import Action, changed
from sandbox.server.emojis import MOST, Emoji, updated
from sandbox.server.errors import RestError
from sandbox.server.guilds import Guild
from sandbox.server.limits import check_emoji, image_of
from sandbox.server.payloads.emojis import emoji as shape
from sandbox.server.rest import checks
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_ALL = "/guilds/{guild_id}/emojis"
_ONE = _ALL + "/{emoji_id}"
_EITHER = permissions.CREATE_EXPRESSIONS | permissions.MANAGE_EXPRESSIONS


def _emoji(call: Call, guild: Guild) -> Emoji:
    found = guild.emojis.get(call.id("emoji_id"))
    if found is None:
        raise RestError(404, 10014, "Unknown Emoji")
    return found


def _may_change(call: Call, guild: Guild, emoji: Emoji) -> None:
    mine = emoji.author.id == call.world.bot_user.id
    bits = checks.in_guild(guild, 0)
    if not bits & (_EITHER if mine else permissions.MANAGE_EXPRESSIONS):
        raise checks.missing_permissions()


@routes("GET", _ALL)
def listing(call: Call) -> Answer:
    """Return a guild's emojis."""
    return 200, [shape(each) for each in call.guild().emojis.values()]


@routes("GET", _ONE)
def get(call: Call) -> Answer:
    """Return one emoji."""
    return 200, shape(_emoji(call, call.guild()))


@routes("POST", _ALL)
def create(call: Call) -> Answer:
    """Add an emoji."""
    guild, body = call.guild(), call.json()
    if not checks.in_guild(guild, 0) & _EITHER:
        raise checks.missing_permissions()
    checks.kept(check_emoji(body, creating=True))
    image = image_of(body["image"])
    assert image is not None
    animated = image[0] == "image/gif"
    if sum(each.animated == animated for each in guild.emojis.values()) >= MOST:
        raise RestError(400, 30008, f"Maximum number of emojis reached ({MOST})")
    roles = [int(each) for each in body.get("roles") or ()]
    emoji = Emoji(
        call.world.mint.next(), body["name"], call.world.bot_user, image[1], image[0], animated, roles
    )
    guild.emojis[emoji.id] = emoji
    updated(guild)
    changes = changed(None, shape(emoji), ("name",))
    checks.note(call, guild, Action.EMOJI_CREATE, emoji.id, changes=changes)
    return 201, shape(emoji)


@routes("PATCH", _ONE)
def edit(call: Call) -> Answer:
    """Change an emoji's name, or the roles that may use it."""
    guild, body = call.guild(), call.json()
    emoji = _emoji(call, guild)
    _may_change(call, guild, emoji)
    checks.kept(check_emoji(body))
    before = shape(emoji)
    emoji.name = body.get("name") or emoji.name
    if body.get("roles") is not None:
        emoji.roles = [int(each) for each in body["roles"]]
    updated(guild)
    changes = changed(before, shape(emoji), ("name",))
    checks.note(call, guild, Action.EMOJI_UPDATE, emoji.id, changes=changes)
    return 200, shape(emoji)


@routes("DELETE", _ONE)
def delete(call: Call) -> Answer:
    """Remove an emoji."""
    guild = call.guild()
    emoji = _emoji(call, guild)
    _may_change(call, guild, emoji)
    del guild.emojis[emoji.id]
    updated(guild)
    changes = changed(shape(emoji), None, ("name",))
    checks.note(call, guild, Action.EMOJI_DELETE, emoji.id, changes=changes)
    return 204, None
