"""Channels and their permission overwrites."""

from __future__ import annotations

from dataclasses import dataclass, field

TEXT, DM, VOICE, CATEGORY, STAGE = 0, 1, 2, 4, 13
VOICE_LIKE = frozenset({VOICE, STAGE})
WRITABLE = frozenset({TEXT, DM, VOICE, STAGE})
"""Kinds of channel that hold messages."""


@dataclass(slots=True)
class Overwrite:
    """What one role (kind 0) or member (kind 1) may do in a channel, apart from its roles."""

    id: int
    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True)
class Channel:
    """A guild's channel or a direct one (``guild_id`` 0, with its recipient)."""

    id: int
    guild_id: int
    name: str
    type: int
    position: int = 0
    parent_id: int | None = None
    topic: str | None = None
    user_limit: int = 0
    bitrate: int = 64_000
    nsfw: bool = False
    rate_limit: int = 0
    last_message_id: int | None = None
    recipient_id: int = 0
    overwrites: dict[int, Overwrite] = field(default_factory=dict)

    @property
    def is_voice(self) -> bool:
        """Whether people can sit in it."""
        return self.type in VOICE_LIKE
