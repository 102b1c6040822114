"""Store functions of Sunday mining: the configured channels, for `ctx.write` and `ctx.read`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugins.operations import ChannelRef, OperationView, track_channels, untrack_channel
from plugins.sunday_mining.models import SundayChannel
from redlegion.database import ensure_guild, fn

TYPE = "sunday"
#: As many as one operation tracks and one list of choices shows.
CHANNEL_LIMIT = 25


class TooManyChannels(Exception):
    """Adding these would pass the limit; nothing was added.

    :param have: how many are configured.
    :param wanted: how many more were asked for.
    """

    def __init__(self, have: int, wanted: int) -> None:
        super().__init__(f"{have} channels and {wanted} more are above {CHANNEL_LIMIT}")
        self.have = have
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a request to add channels.

    :param added: those that are new, in order.
    :param already: those that were configured before.
    :param operation: the running operation for which the new ones count from now on, if one runs.
    """

    added: tuple[ChannelRef, ...]
    already: tuple[ChannelRef, ...]
    operation: OperationView | None


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of a request to remove a channel.

    :param operation: the running operation for which it counted until now, if any.
    """

    channel: ChannelRef
    operation: OperationView | None


def configured_channels(guild_id: int) -> list[ChannelRef]:
    """Return the guild's channels in the order in which they were added."""
    query: Any = (
        SundayChannel.select(SundayChannel.channel_id, SundayChannel.name, SundayChannel.dispatch)
        .where(SundayChannel.guild_id == guild_id)
        .order_by(SundayChannel.sort, SundayChannel.id)
    )
    return [ChannelRef(*row) for row in query.tuples()]


def add_channels(guild_id: int, channels: Sequence[ChannelRef], at: datetime) -> Added:
    """Configure channels, the first of all as dispatch; for a running operation they count from now on.

    :param at: aware.
    :raises TooManyChannels: they do not fit; nothing is changed.
    :raises ChannelsTaken: one counts for another running operation; nothing is changed.
    """
    ensure_guild(guild_id)
    before = {channel.channel_id for channel in configured_channels(guild_id)}
    already = tuple(channel for channel in channels if channel.channel_id in before)
    fresh = [channel for channel in channels if channel.channel_id not in before]
    if len(before) + len(fresh) > CHANNEL_LIMIT:
        raise TooManyChannels(len(before), len(fresh))
    last = (
        SundayChannel.select(fn.MAX(SundayChannel.sort)).where(SundayChannel.guild_id == guild_id).scalar()
        or 0
    )
    added = []
    for place, channel in enumerate(fresh, start=1):
        # Dispatch of a running operation stays where it is, so the flag is set only while none is configured.
        first = not before and place == 1
        added.append(ChannelRef(channel.channel_id, channel.name, dispatch=first))
        SundayChannel.create(
            guild_id=guild_id,
            channel_id=channel.channel_id,
            name=channel.name,
            dispatch=first,
            sort=last + place,
        )
    operation = track_channels(guild_id, TYPE, added, at) if added else None
    return Added(tuple(added), already, operation)


def remove_channel(guild_id: int, channel_id: int, at: datetime) -> Removed | None:
    """Take a channel out of the configuration, and out of a running operation from now on.

    When it was dispatch, the next one in order becomes it.

    :param at: aware; time in the channel until then stays credited.
    :returns: None when it is not configured; nothing is changed then.
    """
    channel = next((each for each in configured_channels(guild_id) if each.channel_id == channel_id), None)
    if channel is None:
        return None
    SundayChannel.delete().where(
        SundayChannel.guild_id == guild_id, SundayChannel.channel_id == channel_id
    ).execute()
    if channel.dispatch and (rest := configured_channels(guild_id)):
        SundayChannel.update(dispatch=True).where(
            SundayChannel.guild_id == guild_id, SundayChannel.channel_id == rest[0].channel_id
        ).execute()
    return Removed(channel, untrack_channel(guild_id, TYPE, channel_id, at))
