"""A guild's own emojis, and the emojis of reactions."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.server.errors import RestError
from sandbox.server.payloads import Json
from sandbox.server.payloads.emojis import emoji as shape

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import User
    from sandbox.server.world import World

MOST = 50
"""Still emojis, and as many moving ones, that a guild without boosts can have."""
_CUSTOM = re.compile(r"<?a?:?(\w{2,32}):(\d{1,20})>?")
_KEYCAP = "\u20e3"
_LETTERS_THAT_ARE_EMOJIS = "\u2139\u24c2\u3297\u3299"


@dataclass(slots=True)
class Emoji:
    """An emoji that somebody uploaded."""

    id: int
    name: str
    author: User
    image: bytes = b""
    content_type: str = "image/png"
    animated: bool = False
    roles: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReactionEmoji:
    """An emoji as reactions name it: a character, or an uploaded one's name and id."""

    name: str
    id: int | None = None
    animated: bool = False

    def body(self) -> Json:
        """Return it as JSON."""
        shown: Json = {"id": None if self.id is None else str(self.id), "name": self.name}
        if self.animated:
            shown["animated"] = True
        return shown


def updated(guild: Guild) -> None:
    """Tell the bot all emojis of a guild, as after each change."""
    if guild.world.bot_user.id in guild.members:
        body = {"guild_id": str(guild.id), "emojis": [shape(each) for each in guild.emojis.values()]}
        guild.world.hub.dispatch("GUILD_EMOJIS_UPDATE", body, guild_id=guild.id)


def for_reaction(world: World, given: str) -> tuple[ReactionEmoji, int | None]:
    """Return the emoji a client names, and for an uploaded one the id of its guild.

    Taken are a character and ``name:id``. Raises RestError 10014 for what is neither, or not there.
    """
    custom = _CUSTOM.fullmatch(given)
    if custom is not None:
        emoji_id = int(custom[2])
        for guild in world.guilds.values():
            if emoji_id in guild.emojis:
                found = guild.emojis[emoji_id]
                return ReactionEmoji(found.name, found.id, found.animated), guild.id
        raise RestError(400, 10014, "Unknown Emoji")
    if not _is_character(given):
        raise RestError(400, 10014, "Unknown Emoji")
    return ReactionEmoji(given), None


def _is_character(given: str) -> bool:
    if not given or len(given) > 20:
        return False
    if _KEYCAP in given:
        return len(given) <= 3 and given[0] in "0123456789#*"
    first = given[0]
    if first.isascii() or first.isspace():
        return False
    return unicodedata.category(first)[0] not in "LNZC" or first in _LETTERS_THAT_ARE_EMOJIS
