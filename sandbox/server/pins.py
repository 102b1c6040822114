"""Pinned messages of a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.errors import RestError
from sandbox.server.payloads import Json, stamp

if TYPE_CHECKING:
    from sandbox.server.members import User
    from sandbox.server.messages import Message
    from sandbox.server.world import World

MOST = 250
"""Pins of one channel."""
_PINNED = 6


def pinned(world: World, channel_id: int) -> list[Message]:
    """Return a channel's pinned messages, the latest pin first."""
    found = [each for each in world.messages_room.in_channel(channel_id) if each.pinned is not None]
    return sorted(found, key=lambda each: (each.pinned, each.id), reverse=True)


def pin(world: World, message: Message, actor: User) -> None:
    """Pin a message, and say so in its channel; to pin twice changes nothing.

    Raises RestError 30003 when the channel has enough pins, 50021 for a message of the service's own.
    """
    if message.pinned is not None:
        return
    if message.type not in {0, 19, 20, 23}:
        raise RestError(403, 50021, "Cannot execute action on a system message")
    if len(pinned(world, message.channel_id)) >= MOST:
        raise RestError(400, 30003, f"Maximum number of pins reached ({MOST})")
    message.pinned = world.clock.now()
    channel = world.channels[message.channel_id]
    channel.last_pin = message.pinned
    world.messages_room.changed(message)
    _tell(world, message)
    reference = {"channel_id": str(channel.id), "message_id": str(message.id)}
    world.messages_room.create(channel, actor, {"message_reference": reference}, type=_PINNED)


def unpin(world: World, message: Message) -> None:
    """Unpin a message; one that is not pinned stays so."""
    if message.pinned is None:
        return
    message.pinned = None
    left = pinned(world, message.channel_id)
    world.channels[message.channel_id].last_pin = left[0].pinned if left else None
    world.messages_room.changed(message)
    _tell(world, message)


def _tell(world: World, message: Message) -> None:
    channel = world.channels[message.channel_id]
    body: Json = {
        "channel_id": str(channel.id),
        "last_pin_timestamp": stamp(channel.last_pin) if channel.last_pin else None,
    }
    if channel.guild_id:
        body["guild_id"] = str(channel.guild_id)
    if world.bot_sees(channel.id):
        world.hub.dispatch("CHANNEL_PINS_UPDATE", body, guild_id=channel.guild_id)
