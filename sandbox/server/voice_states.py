"""Sitting down, moving and leaving: the one place where voice states change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox.server.members import Member, VoiceState
from sandbox.server.payloads import people
from sandbox.server.voice import manners

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.world import World


class VoiceRoom:
    """Changes voice states, tells the bot and writes the truth, all in one instant."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.on_bot_moved: Callable[[Guild, int | None, int | None], None] = lambda guild, before, after: None
        """Called after the bot's own seat changed: guild, channel before, channel after."""
        self.on_member_moved: Callable[[Guild, int, int | None, int | None], None] = lambda *moved: None
        """Called after anybody's seat changed: guild, user, channel before, channel after."""

    def move(
        self,
        guild: Guild,
        user_id: int,
        channel_id: int | None,
        *,
        member: Member | None = None,
        flags: Mapping[str, bool] | None = None,
    ) -> VoiceState:
        """Put a member into a channel (None: out), with the given flags; return the state as it is now."""
        world = self._world
        state = guild.voice_states.get(user_id)
        person = member or guild.members[user_id]
        before = state.channel_id if state else None
        if state is None:
            state = VoiceState(user_id, guild.id, None, f"{world.random.getrandbits(128):032x}")
        if channel_id not in {None, before}:
            state.suppress = manners.suppressed(guild, person, channel_id)
            state.request_to_speak_at = None
        state.channel_id = channel_id
        for name, value in (flags or {}).items():
            setattr(state, name, value)
        if channel_id is None:
            guild.voice_states.pop(user_id, None)
            state.self_stream = state.self_video = False
        else:
            guild.voice_states[user_id] = state
        if before != channel_id:
            world.truth.moved(guild.id, user_id, channel_id, bot=person.user.bot)
        mine = user_id == world.bot_user.id
        if world.bot_user.id in guild.members:
            world.hub.dispatch(
                "VOICE_STATE_UPDATE", people.voice_state(state, person), guild_id=guild.id, mine=mine
            )
        if before != channel_id:
            self.on_member_moved(guild, user_id, before, channel_id)
            self._hubs(guild, user_id, before, channel_id)
            if mine:
                self.on_bot_moved(guild, before, channel_id)
        return state

    def set_flags(self, guild: Guild, user_id: int, **flags: bool) -> VoiceState:
        """Change what a seated member hears and says."""
        return self.move(guild, user_id, guild.voice_states[user_id].channel_id, flags=flags)

    def leave_if_seated(self, guild: Guild, user_id: int) -> None:
        """Put a member out of voice when they sit anywhere."""
        if user_id in guild.voice_states and user_id in guild.members:
            self.move(guild, user_id, None)

    @staticmethod
    def _hubs(guild: Guild, user_id: int, before: int | None, after: int | None) -> None:
        if after in guild.hubs and not guild.members[user_id].user.bot:
            guild.hubs[after].joined(user_id)
        if before is not None:
            for hub in guild.hubs.values():
                hub.left(before)
