"""Channels and their permission overwrites."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

TEXT, DM, VOICE, CATEGORY, NEWS, STAGE, FORUM, MEDIA = 0, 1, 2, 4, 5, 13, 15, 16
NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD = 10, 11, 12
VOICE_LIKE = frozenset({VOICE, STAGE})
THREADS = frozenset({NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD})
FORUMS = frozenset({FORUM, MEDIA})
THREADED = frozenset({TEXT, NEWS, FORUM, MEDIA})
"""Kinds of channel in which threads can be started."""
WRITABLE = frozenset({TEXT, DM, VOICE, NEWS, STAGE}) | THREADS
"""Kinds of channel that hold messages."""
IN_GUILDS = frozenset({TEXT, VOICE, CATEGORY, NEWS, STAGE, FORUM, MEDIA})
"""Kinds of channel that a guild can be given."""


@dataclass(slots=True)
class Overwrite:
    """What one role (kind 0) or member (kind 1) may do in a channel, apart from its roles."""

    id: int
    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True)
class Tag:
    """A label that posts of a forum can bear."""

    id: int
    name: str
    moderated: bool = False
    emoji_id: int | None = None
    emoji_name: str | None = None


@dataclass(slots=True)
class Thread:
    """What a thread has beyond a channel; ``members`` maps each to when they joined.

    ``touched`` is when it was last written in or woken, from which its archiving is counted.
    """

    owner_id: int
    created: datetime
    archived_at: datetime
    touched: datetime
    auto_archive: int = 1440
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    members: dict[int, datetime] = field(default_factory=dict)
    message_count: int = 0
    total_sent: int = 0
    tags: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Channel:
    """A guild's channel, a thread in one, or a direct one (``guild_id`` 0, with its recipient)."""

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
    last_pin: datetime | None = None
    auto_archive: int | None = None
    thread_rate_limit: int = 0
    flags: int = 0
    tags: list[Tag] = field(default_factory=list)
    default_reaction: dict[str, str | None] | None = None
    sort_order: int | None = None
    layout: int = 0
    thread: Thread | None = None
    rtc_region: str | None = None
    video_quality: int = 1

    @property
    def is_forum(self) -> bool:
        """Whether everything written in it is a thread."""
        return self.type in FORUMS

    @property
    def is_voice(self) -> bool:
        """Whether people can sit in it."""
        return self.type in VOICE_LIKE
