"""Users, their membership in a guild, and where they sit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class User:
    """An account, the same in every guild."""

    id: int
    username: str
    global_name: str | None = None
    bot: bool = False
    flags: int = 0


@dataclass(slots=True)
class Member:
    """One user in one guild."""

    user: User
    guild_id: int
    joined_at: datetime
    nick: str | None = None
    roles: list[int] = field(default_factory=list)
    timed_out_until: datetime | None = None

    @property
    def display_name(self) -> str:
        """The name the guild sees."""
        return self.nick or self.user.global_name or self.user.username


@dataclass(slots=True)
class VoiceState:
    """Where a member sits and what they hear and say. ``session_id`` lasts as long as the connection."""

    user_id: int
    guild_id: int
    channel_id: int | None
    session_id: str
    deaf: bool = False
    mute: bool = False
    self_deaf: bool = False
    self_mute: bool = False
    self_stream: bool = False
    self_video: bool = False
    suppress: bool = False
    request_to_speak_at: datetime | None = None


@dataclass(slots=True)
class Role:
    """A role of a guild; the one whose id is the guild's is @everyone."""

    id: int
    name: str
    permissions: int
    position: int
    color: int = 0
    hoist: bool = False
    managed: bool = False
    mentionable: bool = False
    bot_id: int | None = None
