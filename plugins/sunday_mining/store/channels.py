"""The configured channels, and which of them is dispatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugins.operations import (
    ChannelRef,
    OperationView,
    running_operations,
    set_dispatch,
    track_channels,
    tracked_channels,
    untrack_channel,
)
from plugins.sunday_mining.models import SundayChannel, SundayLeftOut
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


def current_channels(guild_id: int) -> list[ChannelRef]:
    """Return the configured channels, and then those that count for the running operation besides."""
    found = {each.channel_id: each for each in configured_channels(guild_id)}
    for operation in running_operations(guild_id, TYPE):
        for each in tracked_channels(guild_id, operation.id):
            found.setdefault(each.channel_id, each)
    return list(found.values())


def add_channels(
    guild_id: int, channels: Sequence[ChannelRef], at: datetime, dispatch_id: int | None = None
) -> Added:
    """Configure channels; for a running operation they count from now on.

    :param at: aware.
    :param dispatch_id: which of them is dispatch when none is configured yet; the first by default.
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
    if dispatch_id is None and fresh:
        dispatch_id = fresh[0].channel_id
    SundayLeftOut.delete().where(
        SundayLeftOut.guild_id == guild_id,
        SundayLeftOut.channel_id.in_(sorted(channel.channel_id for channel in channels)),
    ).execute()
    added = []
    for place, channel in enumerate(fresh, start=1):
        # Dispatch of a running operation stays where it is, so the flag is set only while none is configured.
        dispatch = not before and channel.channel_id == dispatch_id
        added.append(ChannelRef(channel.channel_id, channel.name, dispatch=dispatch))
        SundayChannel.create(
            guild_id=guild_id,
            channel_id=channel.channel_id,
            name=channel.name,
            dispatch=dispatch,
            sort=last + place,
        )
    operation = track_channels(guild_id, TYPE, added, at) if added else None
    return Added(tuple(added), already, operation)


def seat_in(guild_id: int, channel_id: int) -> bool:
    """Make one of the configured channels dispatch, for the running operation too.

    :returns: whether it is configured; nothing is changed otherwise.
    """
    if all(each.channel_id != channel_id for each in configured_channels(guild_id)):
        return False
    here = SundayChannel.channel_id == channel_id
    SundayChannel.update(dispatch=False).where(SundayChannel.guild_id == guild_id, ~here).execute()
    SundayChannel.update(dispatch=True).where(SundayChannel.guild_id == guild_id, here).execute()
    set_dispatch(guild_id, TYPE, channel_id)
    return True


def remove_channel(guild_id: int, channel_id: int, at: datetime, *, gone: bool = False) -> Removed | None:
    """Take a channel out of the configuration, and out of a running operation from now on.

    When it was dispatch, the next one in order becomes it. Its category does not bring it back.

    :param at: aware; time in the channel until then stays credited.
    :param gone: Discord has deleted it.
    :returns: None when it neither is configured nor counts; nothing is changed then.
    """
    channel = next((each for each in current_channels(guild_id) if each.channel_id == channel_id), None)
    if gone:
        SundayLeftOut.delete().where(
            SundayLeftOut.guild_id == guild_id, SundayLeftOut.channel_id == channel_id
        ).execute()
    if channel is None:
        return None
    if not gone:
        SundayLeftOut.insert(guild_id=guild_id, channel_id=channel_id).on_conflict_ignore().execute()
    SundayChannel.delete().where(
        SundayChannel.guild_id == guild_id, SundayChannel.channel_id == channel_id
    ).execute()
    if channel.dispatch and (rest := configured_channels(guild_id)):
        SundayChannel.update(dispatch=True).where(
            SundayChannel.guild_id == guild_id, SundayChannel.channel_id == rest[0].channel_id
        ).execute()
    return Removed(channel, untrack_channel(guild_id, TYPE, channel_id, at))
