"""What can happen on Discord for a plugin to hear of, and events that a test makes up."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import datetime, timedelta
from typing import Any

from sandbox.stage import Stage

#: Hooks that fire when something happens on Discord, and the intent that they need.
HAPPENS = {
    "on_voice_session_started": "voice_states",
    "on_voice_session_moved": "voice_states",
    "on_voice_session_ended": "voice_states",
    "on_voice_state_changed": "voice_states",
    "on_member_roles_changed": "members",
    "on_member_left": "members",
    "on_channel_deleted": "guilds",
    "on_channel_changed": "guilds",
    "on_role_deleted": "guilds",
    "on_scheduled_event_changed": "guild_scheduled_events",
}


async def happenings(stage: Stage) -> None:
    """Let happen on Discord what plugins can hear of."""
    scene = stage.scene
    guild, owner = scene.guild, scene.owner
    someone = guild.add_member(f"visitor_{len(stage.world.log.entries)}")
    await someone.join(scene.voice_channels[0])
    await stage.advance(5)
    await someone.move(scene.voice_channels[1])
    await stage.advance(5)
    await someone.set_voice(self_deaf=True)
    await stage.advance(5)
    await someone.leave()
    guild.set_roles(someone, [role := guild.create_role("Visitor")])
    guild.delete_role(role)
    guild.remove_member(someone)
    guild.delete_channel(guild.create_channel("short-lived", type=2))
    starts = stage.world.clock.now() + timedelta(hours=1)
    await owner.create_event("Sunday", starts, channel=scene.voice_channels[0])
    await stage.settle()


def made_up(kind: Any, guild_id: int, now: datetime) -> Any:
    """Return a value of a type; an event's fields are filled with something that fits."""
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        given = {
            field.name: guild_id if field.name == "guild_id" else made_up(hints[field.name], guild_id, now)
            for field in dataclasses.fields(kind)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
        return kind(**given)
    if origin in (types.UnionType, typing.Union):
        return (
            None if type(None) in typing.get_args(kind) else made_up(typing.get_args(kind)[0], guild_id, now)
        )
    if kind is datetime:
        return now
    simple = {int: 1, str: "x", bool: False, float: 1.0}
    if kind in simple:
        return simple[kind]
    return (origin or kind)()
