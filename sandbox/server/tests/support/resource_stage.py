"""What the tests of the HTTP API's resources share: a bot with rights, its guild, and refusals."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import discord
from support.loopback import LoopbackBot, Place

ADMINISTRATOR = 1 << 3


def grant(place: Place, *bits: int) -> None:
    """Give the bot's own role more permissions."""
    role = place.guild.bot_role
    assert role is not None
    for each in bits:
        role.permissions |= each
    place.guild.update_role(role)


def take(place: Place, *bits: int) -> None:
    """Take permissions from everybody, the bot included."""
    for role in place.guild.roles.values():
        for each in bits:
            role.permissions &= ~each
        place.guild.update_role(role)


def guild_of(place: Place, bot: LoopbackBot) -> discord.Guild:
    """Return the guild as the bot knows it."""
    guild = bot.get_guild(place.guild.id)
    assert guild is not None
    return guild


def text_of(place: Place, bot: LoopbackBot) -> discord.TextChannel:
    """Return the text channel as the bot knows it."""
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    return channel


async def code_of(awaitable: Awaitable[Any]) -> int:
    """Return Discord's code of the error that a call ends in."""
    try:
        await awaitable
    except discord.HTTPException as error:
        return error.code
    raise AssertionError("it was not refused")


def heard(place: Place, event: str) -> list[dict[str, Any]]:
    """Return what was dispatched to the bot under a name."""
    return [each["data"] for each in place.world.log if each.get("event") == event]
