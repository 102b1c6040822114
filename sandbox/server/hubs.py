"""Join-to-create hubs, as popular public bots run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.channels import VOICE, Channel

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild


class Hub:
    """A voice channel in which nobody stays: each gets a channel of their own within the second."""

    def __init__(self, guild: Guild, channel: Channel, template: str) -> None:
        self._guild = guild
        self.channel = channel
        self.template = template
        self.made: set[int] = set()

    def joined(self, user_id: int) -> None:
        """Somebody sits in the hub: another bot will move them."""
        clock = self._guild.world.clock
        clock.call_later(self._guild.world.random.randint(150, 650) / 1000, lambda: self._move_on(user_id))

    async def _move_on(self, user_id: int) -> None:
        guild = self._guild
        state = guild.voice_states.get(user_id)
        if state is None or state.channel_id != self.channel.id:
            return
        name = self.template.replace("{name}", guild.members[user_id].display_name)
        parent = guild.channels.get(self.channel.parent_id or 0)
        created = guild.create_channel(name, VOICE, parent=parent)
        self.made.add(created.id)
        guild.world.voice.move(guild, user_id, created.id)

    def left(self, channel_id: int) -> None:
        """Somebody left a channel: if it is one of ours and empty, it goes."""
        if channel_id in self.made:
            self._guild.world.clock.call_later(0.2, lambda: self._tidy(channel_id))

    async def _tidy(self, channel_id: int) -> None:
        guild = self._guild
        if channel_id not in guild.channels:
            self.made.discard(channel_id)
            return
        if not any(state.channel_id == channel_id for state in guild.voice_states.values()):
            self.made.discard(channel_id)
            guild.delete_channel(guild.channels[channel_id])
