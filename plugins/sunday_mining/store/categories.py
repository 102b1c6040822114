"""Categories whose voice channels count, also those that are made in them later or moved into them.

The channels that are there when a category is added are on the list like any other. Those that come later are
not, or the list would fill with what a join-to-create bot makes for an hour: they count for the operation
that runs, and for the next one if they are still in the category when it starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugins.operations import (
    ChannelRef,
    ChannelsTaken,
    OperationView,
    channels_ever_tracked,
    running_operations,
    track_channels,
)
from plugins.sunday_mining.models import SundayCategory, SundayLeftOut
from plugins.sunday_mining.store.channels import TYPE, Added, add_channels, configured_channels
from redlegion.database import ensure_guild

#: The channels of categories, by the id of the category.
Present = Mapping[int, Sequence[ChannelRef]]


@dataclass(frozen=True, slots=True)
class CategoryRef:
    """A category whose voice channels count."""

    category_id: int
    name: str


def configured_categories(guild_id: int) -> list[CategoryRef]:
    """Return the guild's categories in the order in which they were added."""
    query: Any = SundayCategory.select(SundayCategory.category_id, SundayCategory.name).where(
        SundayCategory.guild_id == guild_id
    )
    return [CategoryRef(*row) for row in query.order_by(SundayCategory.id).tuples()]


def add_category(
    guild_id: int,
    category: CategoryRef,
    channels: Sequence[ChannelRef],
    at: datetime,
    dispatch_id: int | None = None,
) -> Added:
    """Configure a category with the channels that are in it now; the rest is as in `add_channels`."""
    ensure_guild(guild_id)
    SundayCategory.insert(
        guild_id=guild_id, category_id=category.category_id, name=category.name, since=at
    ).on_conflict_ignore().execute()
    return add_channels(guild_id, channels, at, dispatch_id)


def remove_category(guild_id: int, category_id: int) -> CategoryRef | None:
    """Take a category out of the configuration; the channels on the list, and those that count, stay.

    :returns: None when it is not configured.
    """
    found = next((each for each in configured_categories(guild_id) if each.category_id == category_id), None)
    if found is not None:
        SundayCategory.delete().where(
            SundayCategory.guild_id == guild_id, SundayCategory.category_id == category_id
        ).execute()
    return found


def channel_came(
    guild_id: int, category_id: int, channel: ChannelRef, since: datetime, at: datetime
) -> OperationView | None:
    """Let a channel that was made in a category, or moved into it, count for the running operation.

    :param since: from when time in it counts; not before the category was added.
    :param at: now.
    :returns: the operation; None when none runs, or category or channel are not to count.
    """
    added = _categories(guild_id).get(category_id)
    if added is None or channel.channel_id in _left_out(guild_id):
        return None
    return _track(guild_id, [channel], max(since, added), at)


def catch_up(guild_id: int, present: Present, since: datetime, at: datetime) -> None:
    """Let the channels of categories count that came while nobody looked.

    Those that counted for the running operation before do not count again: somebody took them out.

    :param since: from when they count.
    :param at: now.
    """
    for operation in running_operations(guild_id, TYPE):
        known = channels_ever_tracked(guild_id, operation.id)
        for category_id, added in _categories(guild_id).items():
            here = [each for each in _wanted(guild_id, present, category_id) if each.channel_id not in known]
            if here:
                _track(guild_id, here, max(since, added), at)


def further_channels(guild_id: int, present: Present) -> list[ChannelRef]:
    """Return the channels of configured categories that are not on the list, and were not taken out."""
    listed = {each.channel_id for each in configured_channels(guild_id)}
    return [
        channel
        for category in configured_categories(guild_id)
        for channel in _wanted(guild_id, present, category.category_id)
        if channel.channel_id not in listed
    ]


def _wanted(guild_id: int, present: Present, category_id: int) -> list[ChannelRef]:
    left_out = _left_out(guild_id)
    return [each for each in present.get(category_id, ()) if each.channel_id not in left_out]


def _track(
    guild_id: int, channels: Sequence[ChannelRef], since: datetime, at: datetime
) -> OperationView | None:
    try:
        return track_channels(guild_id, TYPE, channels, at, since=since)
    except ChannelsTaken:
        # It counts for an operation of another kind; nobody asked for this one by name.
        return None


def _categories(guild_id: int) -> dict[int, datetime]:
    """Return since when each category is configured."""
    query: Any = SundayCategory.select(SundayCategory.category_id, SundayCategory.since).where(
        SundayCategory.guild_id == guild_id
    )
    return dict(query.order_by(SundayCategory.id).tuples())


def _left_out(guild_id: int) -> set[int]:
    query: Any = SundayLeftOut.select(SundayLeftOut.channel_id).where(SundayLeftOut.guild_id == guild_id)
    return {row[0] for row in query.tuples()}
