"""The discord.py client: gateway in, snapshots out. One seam: connector and clock come from outside."""

from __future__ import annotations

import itertools
import logging
from datetime import UTC
from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from core.commands.deaf_views import DeafViewStore
from core.commands.guard import GuardedTree
from core.commands.own import own_components
from core.commands.router import ComponentRouter
from core.events import (
    ChannelChanged,
    ChannelDeleted,
    MemberLeft,
    MemberRolesChanged,
    RoleDeleted,
    ScheduledEventChanged,
)
from core.names import account_name
from core.reading import take_turns
from core.voice.raw_states import Payload, RawStates
from core.voice.snapshots import present_states, snapshot_of, snapshot_of_payload

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

VocalChannel = discord.VoiceChannel | discord.StageChannel

#: Seconds without a further guild after which discord.py says it is ready; later ones are taken as they come.
GUILD_READY_TIMEOUT = 0.5


#: The flags by which Discord grants an application a privileged intent, in large and in small.
_GRANTS = {
    "members": ("gateway_guild_members", "gateway_guild_members_limited"),
    "presences": ("gateway_presence", "gateway_presence_limited"),
    "message_content": ("gateway_message_content", "gateway_message_content_limited"),
}


def withheld(wishes: frozenset[str], flags: discord.ApplicationFlags) -> tuple[str, ...]:
    """Return those of the wished intents that an application with these flags may not ask for."""
    return tuple(
        name
        for name in sorted(wishes)
        if name in _GRANTS and not any(getattr(flags, grant) for grant in _GRANTS[name])
    )


class Bot(discord.AutoShardedClient):
    """Carries what Discord says to the runtime, in the tick in which it arrives.

    :param runtime: the process that it belongs to.
    :param connector: another way to reach Discord, such as a sandbox's socket; None for the internet.
    :param intents: names of intents beyond guilds and voice states.
    :param wishes: names of further ones, which are asked for where Discord grants them.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        connector: aiohttp.BaseConnector | None,
        intents: frozenset[str],
        wishes: frozenset[str] = frozenset(),
    ) -> None:
        wanted = discord.Intents(guilds=True, voice_states=True, **dict.fromkeys(intents | wishes, True))
        super().__init__(
            intents=wanted,
            connector=connector,
            guild_ready_timeout=GUILD_READY_TIMEOUT,
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        take_turns(self.http)
        # discord.py would call a view's own callbacks, whoever may use it and whosever id it bears.
        self._connection._view_store = DeafViewStore(self._connection)
        self.raw_states = RawStates(self._connection.parsers, self._knows_channel, self._voice_unheard)
        self._parse_guild = self._connection.parsers["GUILD_CREATE"]
        self._connection.parsers["GUILD_CREATE"] = self._guild_sent
        self._wishes = wishes
        self.withheld: tuple[str, ...] = ()
        self.runtime = runtime
        self.tree = GuardedTree(self, runtime)
        self.router = ComponentRouter(runtime, own_components())
        self.connected_shards: set[int] = set()
        self._replaying: set[int] = set()
        self._readying: set[int] = set()
        self._sequence = itertools.count(1)
        self.seen_events = 0

    async def setup_hook(self) -> None:
        """Give up the optional intents that the application was not granted, before they are asked for."""
        self.withheld = withheld(self._wishes, self.application_flags)
        if not self.withheld:
            return
        log.warning(
            "Discord does not grant the application the intents %s, which plugins would like: some of what "
            "they offer does less. Switch them on in the Developer Portal, under Bot, Privileged Gateway "
            "Intents.",
            ", ".join(self.withheld),
        )
        state = self._connection
        state._intents = discord.Intents(**{**dict(self.intents), **dict.fromkeys(self.withheld, False)})
        # What discord.py derives from the intents when it is made.
        state.member_cache_flags = discord.MemberCacheFlags.from_intents(state._intents)
        if not state._intents.members:
            state.store_user = state.store_user_no_intents  # type: ignore[method-assign]

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Take our copy before discord.py hands its live objects to listener tasks."""
        taker = _TAKERS.get(event)
        if taker is not None:
            try:
                taker(self, *args)
            except Exception:
                log.exception("the gateway event %s could not be taken", event)
        # Most of them nobody else hears, and discord.py takes 3 us to find that out.
        if event in self._listeners or hasattr(self, f"on_{event}"):
            super().dispatch(event, *args, **kwargs)

    def next_sequence(self) -> int:
        """Return the number of the next snapshot of this process."""
        return next(self._sequence)

    def has_left(self, guild_id: int) -> bool:
        """Say whether a guild would be on a shard of ours and Discord surely does not count the bot there."""
        shard = (guild_id >> 22) % (self.shard_count or 1)
        # Discord names all guilds of a shard, also those that are out, before the shard is ready.
        known = shard in self.connected_shards and shard not in self._readying
        return known and self.get_guild(guild_id) is None

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait before a further IDENTIFY on the bot's clock, as Discord allows one per five seconds."""
        if not initial:
            await self.runtime.before_identify()

    def _voice(self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState) -> None:
        self.seen_events += 1
        guild = member.guild
        guild_id = guild.id
        channel, former = after.channel, before.channel
        channel_id = self.raw_states.heard(None if channel is None else channel.id)
        runtime = self.runtime
        if self.user is not None and member.id == self.user.id:
            runtime.seats.own_state(guild_id, channel_id)
        elif guild_id in runtime.seats.waiting:
            runtime.seats.reconsider(guild_id)
        if not runtime.recorder.wants(guild_id):
            return
        snapshot = snapshot_of(
            member,
            None if former is None else former.id,
            after,
            clock=runtime.clock,
            sequence=next(self._sequence),
            # A shard's number is worked out anew at each look.
            replayed=bool(self._replaying) and guild.shard_id in self._replaying,
            channel_id=channel_id,
        )
        if not snapshot.bot:
            runtime.names.saw(snapshot.user_id, account_name(member))
        runtime.recorder.observe(snapshot)

    def _voice_unheard(self, data: Payload) -> None:
        """Take a state of a member whom discord.py does not know, such as the end of one who was removed."""
        guild = self.get_guild(int(data.get("guild_id") or 0))
        if guild is None or not self.runtime.recorder.wants(guild.id):
            return
        snapshot = snapshot_of_payload(
            guild,
            data,
            clock=self.runtime.clock,
            sequence=self.next_sequence(),
            replayed=guild.shard_id in self._replaying,
        )
        self.runtime.recorder.observe(snapshot)

    def _knows_channel(self, guild_id: int, channel_id: int) -> bool:
        guild = self.get_guild(guild_id)
        return guild is not None and guild.get_channel(channel_id) is not None

    def _guild_sent(self, data: Payload) -> None:
        """Let a guild be opened now; discord.py tells of it later, when no further ones came for a while."""
        self._parse_guild(data)
        # One that is new is told of as such, before it is opened.
        if self.runtime.ready or data.get("unavailable") is not False:
            return
        guild = self.get_guild(int(data["id"]))
        if guild is not None and guild.shard_id in self._readying:
            self.runtime.opener.arrived(guild)

    def _shard_connected(self, shard_id: int) -> None:
        self.connected_shards.add(shard_id)
        self._readying.add(shard_id)
        self.raw_states.forget_where(lambda guild_id: (guild_id >> 22) % (self.shard_count or 1) == shard_id)

    def _shard_disconnected(self, shard_id: int) -> None:
        if shard_id in self.connected_shards:
            self.connected_shards.discard(shard_id)
            self._replaying.add(shard_id)
            guild_ids = [guild.id for guild in self.guilds if guild.shard_id == shard_id]
            self.runtime.opener.left(guild_ids)
            self.runtime.recorder.disconnected(self.runtime.clock.now(), guild_ids)

    def _shard_ready(self, shard_id: int) -> None:
        self._replaying.discard(shard_id)
        self._readying.discard(shard_id)
        self.runtime.shard_is_back(shard_id, "restart")

    def _shard_resumed(self, shard_id: int) -> None:
        self.connected_shards.add(shard_id)
        self._replaying.discard(shard_id)
        self.runtime.shard_is_back(shard_id, "resume")

    def _guild_there(self, guild: discord.Guild) -> None:
        # While a shard gets ready, its guilds are taken together.
        if guild.shard_id not in self._readying:
            self.runtime.guild_is_there(guild)

    def _guild_joined(self, guild: discord.Guild) -> None:
        # Discord forgets a guild's menu when it puts an application out.
        self.runtime.menus.forget(guild.id)
        self._guild_there(guild)

    def _guild_away(self, guild: discord.Guild) -> None:
        self.runtime.opener.left([guild.id])
        self.runtime.recorder.disconnected(self.runtime.clock.now(), [guild.id])
        # discord.py keeps the voice states of an outage and only adds to them when the guild is back, so
        # people who left meanwhile would seem to sit there still.
        guild._voice_states.clear()
        self.raw_states.forget(guild.id)

    def _member_removed(self, payload: discord.RawMemberRemoveEvent) -> None:
        now = self.runtime.clock.now()
        self.raw_states.forget_member(payload.guild_id, payload.user.id)
        self.runtime.recorder.member_gone(payload.guild_id, payload.user.id, now)
        self.runtime.dispatcher.deliver(
            payload.guild_id, "on_member_left", MemberLeft(payload.guild_id, payload.user.id, now)
        )

    def _channel_deleted(self, channel: discord.abc.GuildChannel) -> None:
        now = self.runtime.clock.now()
        self.runtime.recorder.channel_deleted(channel.guild.id, channel.id, now)
        self.runtime.dispatcher.deliver(
            channel.guild.id, "on_channel_deleted", ChannelDeleted(channel.guild.id, channel.id, now)
        )

    def _role_deleted(self, role: discord.Role) -> None:
        self._guild_changed(role.guild)
        self.runtime.dispatcher.deliver(
            role.guild.id,
            "on_role_deleted",
            RoleDeleted(
                role.guild.id,
                role.id,
                self.runtime.clock.now(),
                self.runtime.recorder.unseen_since(role.guild.id),
            ),
        )
        self.runtime.tasks.spawn(
            self.runtime.guilds.forget_roles(role.guild.id, [role.id]), f"forget role {role.id}"
        )

    def _channel_made(self, channel: discord.abc.GuildChannel) -> None:
        self._channel_changed("created", channel, None)

    def _channel_edited(self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        self._guild_changed(after.guild)
        self._channel_changed("updated", after, before.category_id)

    def _channel_changed(self, change: str, channel: discord.abc.GuildChannel, former: int | None) -> None:
        changed = ChannelChanged(
            guild_id=channel.guild.id,
            channel_id=channel.id,
            change=change,
            name=channel.name,
            type=channel.type.name,
            category_id=channel.category_id,
            former_category_id=former,
            at=self.runtime.clock.now(),
        )
        self.runtime.dispatcher.deliver(channel.guild.id, "on_channel_changed", changed)

    def _role_edited(self, _before: discord.Role, after: discord.Role) -> None:
        self._guild_changed(after.guild)

    def _guild_edited(self, before: discord.Guild, after: discord.Guild) -> None:
        self._guild_changed(after)
        if before.afk_channel != after.afk_channel:
            self._afk_changed(after, {before.afk_channel, after.afk_channel})

    def _afk_changed(self, guild: discord.Guild, doors: set[VocalChannel | None]) -> None:
        """See anew those who sit in a channel that has become the AFK channel, or is it no longer."""
        runtime = self.runtime
        if not runtime.recorder.wants(guild.id):
            return
        inside = {channel.id for channel in doors if channel is not None}
        present = present_states(
            guild,
            clock=runtime.clock,
            sequence=self.next_sequence(),
            elsewhere=self.raw_states.elsewhere(guild.id),
        )
        for snapshot in present.values():
            if snapshot.channel_id in inside:
                runtime.recorder.observe(snapshot)

    def _guild_changed(self, guild: discord.Guild) -> None:
        if guild.id in self.runtime.seats.waiting:
            self.runtime.seats.reconsider(guild.id)

    def _member_updated(self, before: discord.Member, after: discord.Member) -> None:
        if after == after.guild.me:
            self._guild_changed(after.guild)
        if before.roles == after.roles:
            return
        roles = frozenset(role.id for role in after.roles)
        self.runtime.dispatcher.deliver(
            after.guild.id,
            "on_member_roles_changed",
            MemberRolesChanged(
                after.guild.id,
                after.id,
                roles,
                self.runtime.clock.now(),
                self.runtime.recorder.unseen_since(after.guild.id),
            ),
        )

    def _event_made(self, event: discord.ScheduledEvent) -> None:
        self._event_changed("created", event)

    def _event_edited(self, _before: discord.ScheduledEvent, after: discord.ScheduledEvent) -> None:
        self._event_changed("updated", after)

    def _event_deleted(self, event: discord.ScheduledEvent) -> None:
        self._event_changed("deleted", event)

    def _event_changed(self, change: str, event: discord.ScheduledEvent) -> None:
        # Copied here, as discord.py goes on changing the same object.
        changed = ScheduledEventChanged(
            guild_id=event.guild_id,
            event_id=event.id,
            change=change,
            name=event.name,
            status=_EVENT_STATUS[event.status],
            starts=event.start_time.astimezone(UTC),
            channel_id=event.channel_id,
            at=self.runtime.clock.now(),
        )
        self.runtime.dispatcher.deliver(event.guild_id, "on_scheduled_event_changed", changed)

    def _interaction(self, interaction: discord.Interaction[Any]) -> None:
        if self.router.takes(interaction):
            self.runtime.tasks.spawn(self.router.route(interaction), f"component {interaction.id}")


_EVENT_STATUS = {
    discord.EventStatus.scheduled: "scheduled",
    discord.EventStatus.active: "active",
    discord.EventStatus.completed: "completed",
    discord.EventStatus.cancelled: "cancelled",
}

_TAKERS: dict[str, Any] = {
    "voice_state_update": Bot._voice,
    "shard_connect": Bot._shard_connected,
    "shard_disconnect": Bot._shard_disconnected,
    "shard_ready": Bot._shard_ready,
    "shard_resumed": Bot._shard_resumed,
    "guild_join": Bot._guild_joined,
    "guild_available": Bot._guild_there,
    "guild_unavailable": Bot._guild_away,
    "guild_remove": Bot._guild_away,
    "raw_member_remove": Bot._member_removed,
    "guild_channel_create": Bot._channel_made,
    "guild_channel_delete": Bot._channel_deleted,
    "guild_role_delete": Bot._role_deleted,
    "member_update": Bot._member_updated,
    "guild_channel_update": Bot._channel_edited,
    "guild_role_update": Bot._role_edited,
    "guild_update": Bot._guild_edited,
    "scheduled_event_create": Bot._event_made,
    "scheduled_event_update": Bot._event_edited,
    "scheduled_event_delete": Bot._event_deleted,
    "interaction": Bot._interaction,
}
