"""What was said in a guild's voice, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sandbox.server.voice import rtp


@dataclass(slots=True)
class SenderStats:
    """One sender's packets, with the bytes and frames of Opus in them.

    ``silence``: the silent ones of the frames. ``unheard``: packets sent while muted or suppressed.
    """

    user_id: int
    packets: int = 0
    opus_bytes: int = 0
    frames: int = 0
    silence: int = 0
    unheard: int = 0

    def count(self, opus: bytes, *, heard: bool) -> None:
        """Take one packet's Opus payload."""
        frames = rtp.opus_frames(opus)
        self.packets += 1
        self.opus_bytes += len(opus)
        self.frames += frames
        if opus == rtp.SILENCE:
            self.silence += frames
        if not heard:
            self.unheard += 1


@dataclass(slots=True)
class VoiceStats:
    """The bot's voice in one guild since the world began, and how its connection stands.

    ``unreadable``: datagrams that no key opened. ``closes``: close codes of its voice sockets, by whoever
    closed them; 1006 is a line that broke. ``refusals``: faults that struck, by their step.
    """

    guild_id: int
    channel_id: int | None = None
    connected: bool = False
    version: int | None = None
    mode: str | None = None
    dave_protocol_version: int | None = None
    key_package_bytes: int = 0
    speaking: int = 0
    identifies: int = 0
    resumes: int = 0
    heartbeats: int = 0
    unreadable: int = 0
    closes: Counter[int] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    senders: dict[int, SenderStats] = field(default_factory=dict)

    def sender(self, user_id: int) -> SenderStats:
        """Return the counts of one user, made when there are none."""
        return self.senders.setdefault(user_id, SenderStats(user_id))

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "guild_id": str(self.guild_id),
            "channel_id": None if self.channel_id is None else str(self.channel_id),
            "connected": self.connected,
            "version": self.version,
            "mode": self.mode,
            "dave_protocol_version": self.dave_protocol_version,
            "key_package_bytes": self.key_package_bytes,
            "speaking": self.speaking,
            "identifies": self.identifies,
            "resumes": self.resumes,
            "heartbeats": self.heartbeats,
            "unreadable": self.unreadable,
            "closes": {str(code): count for code, count in self.closes.items()},
            "refusals": dict(self.refusals),
            "senders": [
                {
                    "user_id": str(one.user_id),
                    "packets": one.packets,
                    "bytes": one.opus_bytes,
                    "frames": one.frames,
                    "silence": one.silence,
                    "unheard": one.unheard,
                }
                for one in self.senders.values()
            ],
        }
