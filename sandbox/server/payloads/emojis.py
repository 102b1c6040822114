"""Emojis of a guild as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.payloads import Json, people

if TYPE_CHECKING:
    from sandbox.server.emojis import Emoji


def emoji(one: Emoji) -> Json:
    """Return an emoji object, as a guild carries it."""
    return {
        "id": str(one.id),
        "name": one.name,
        "user": people.user(one.author),
        "roles": [str(each) for each in one.roles],
        "require_colons": True,
        "managed": False,
        "animated": one.animated,
        "available": True,
    }
