"""From discord.py's voice states to frozen snapshots, copied in the tick in which they are seen."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import discord

from core.clock import Clock
from core.events import VoiceSnapshot
from core.values import quick_maker

_snapshot = quick_maker(VoiceSnapshot)
_NOBODY: Mapping[int, Mapping[str, Any]] = MappingProxyType({})


def snapshot_of(
    member: discord.Member,
    before_channel_id: int | None,
    state: discord.VoiceState,
    *,
    clock: Clock,
    sequence: int,
    replayed: bool = False,
    channel_id: int | None = None,
) -> VoiceSnapshot:
    """Copy one voice state; call it before returning to the event loop, `state` is a live object.

    :param member: whose state it is.
    :param before_channel_id: where the cache had the member before.
    :param state: the state after the event.
    :param sequence: the number of this snapshot, rising within the process.
    :param replayed: it arrived in the replay after a RESUME.
    :param channel_id: the channel that the gateway named, if known: discord.py shows a channel that is
        not in its cache as none at all, which would look like leaving.
    """
    return _copy(
        member.guild,
        member.id,
        member.bot,
        before_channel_id,
        state,
        clock=clock,
        sequence=sequence,
        replayed=replayed,
        channel_id=channel_id,
    )


def snapshot_of_payload(
    guild: discord.Guild, data: Mapping[str, Any], *, clock: Clock, sequence: int, replayed: bool = False
) -> VoiceSnapshot:
    """Make a snapshot from what the gateway said, for a state that discord.py's cache does not show.

    :param data: the payload of a voice state.
    """
    user_id, channel_id = int(data["user_id"]), data.get("channel_id")
    member = guild.get_member(user_id)
    named = data.get("member", {}).get("user", {})
    payload: Any = data
    return _copy(
        guild,
        user_id,
        member.bot if member is not None else bool(named.get("bot")),
        None,
        discord.VoiceState(data=payload),
        clock=clock,
        sequence=sequence,
        replayed=replayed,
        channel_id=None if channel_id is None else int(channel_id),
    )


def present_states(
    guild: discord.Guild,
    *,
    clock: Clock,
    sequence: int = 0,
    elsewhere: Mapping[int, Mapping[str, Any]] = _NOBODY,
) -> dict[int, VoiceSnapshot]:
    """Return a snapshot of everyone who is in voice now, by user id, as the guild's cache has them.

    Bots are marked where the member is known; an unknown bot is taken for a person until its next state.

    :param sequence: the number that these snapshots carry.
    :param elsewhere: what the gateway said of those who sit in channels that the cache does not know, by
        user id.
    """
    present: dict[int, VoiceSnapshot] = {}
    for user_id, data in elsewhere.items():
        present[user_id] = snapshot_of_payload(guild, data, clock=clock, sequence=sequence)
    for channel in (*guild.voice_channels, *guild.stage_channels):
        for user_id, state in channel.voice_states.items():
            member = guild.get_member(user_id)
            present[user_id] = _copy(
                guild,
                user_id,
                member is not None and member.bot,
                channel.id,
                state,
                clock=clock,
                sequence=sequence,
                replayed=False,
                channel_id=channel.id,
            )
    return present


def _copy(
    guild: discord.Guild,
    user_id: int,
    bot: bool,
    before_channel_id: int | None,
    state: discord.VoiceState,
    *,
    clock: Clock,
    sequence: int,
    replayed: bool,
    channel_id: int | None,
) -> VoiceSnapshot:
    if state.channel is not None:
        channel_id = state.channel.id
    afk_channel = guild.afk_channel
    # By position: by name it takes half as long again, and this runs for every voice state.
    return _snapshot(
        sequence,
        guild.id,
        user_id,
        channel_id,
        before_channel_id,
        clock.now(),
        clock.monotonic(),
        bot,
        state.self_deaf,
        state.self_mute,
        state.deaf,
        state.mute,
        bool(state.self_stream),
        afk_channel is not None and afk_channel.id == channel_id,
        replayed,
    )
