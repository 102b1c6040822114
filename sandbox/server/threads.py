"""Threads: started, joined, written in, put away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.server import permissions
from sandbox.server.channels import NEWS, NEWS_THREAD, PRIVATE_THREAD, PUBLIC_THREAD, Channel, Thread
from sandbox.server.payloads import Json
from sandbox.server.payloads import threads as shapes

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import User
    from sandbox.server.messages import Message
    from sandbox.server.world import World

ARCHIVE_MINUTES = (60, 1440, 4320, 10080)
_HAS_THREAD = 1 << 5
_STARTED, _FIRST_OF_THREAD = 18, 21


class ThreadRoom:
    """Starts and changes threads and tells the bot of those it sees."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hidden: set[int] = set()

    def start(
        self,
        parent: Channel,
        owner: User,
        name: str,
        *,
        message: Message | None = None,
        private: bool = False,
        auto_archive: int | None = None,
        rate_limit: int | None = None,
        invitable: bool = True,
        tags: tuple[int, ...] = (),
        announced: bool = True,
    ) -> Channel:
        """Start a thread in a channel, from a message (whose id it takes) or on its own.

        ``announced``: the parent channel or the thread gets the service's message about it, which posts
        of a forum do without.
        """
        world = self._world
        guild = world.guilds[parent.guild_id]
        now = world.clock.now()
        kind = PRIVATE_THREAD if private else NEWS_THREAD if parent.type == NEWS else PUBLIC_THREAD
        thread = Channel(
            message.id if message is not None else world.mint.next(),
            guild.id,
            name,
            kind,
            parent_id=parent.id,
            rate_limit=rate_limit if rate_limit is not None else parent.thread_rate_limit,
            thread=Thread(
                owner.id,
                now,
                archived_at=now,
                touched=now,
                auto_archive=auto_archive or parent.auto_archive or 1440,
                invitable=invitable,
                members={owner.id: now} if owner.id in guild.members else {},
                tags=list(tags),
            ),
        )
        guild.threads[thread.id] = world.channels[thread.id] = thread
        self._tell("THREAD_CREATE", thread, shapes.thread_for(world, thread) | {"newly_created": True})
        if announced and message is not None:
            message.flags |= _HAS_THREAD
            world.messages_room.changed(message)
            source = {"channel_id": str(parent.id), "message_id": str(message.id)}
            world.messages_room.create(
                thread, owner, {"message_reference": source}, type=_FIRST_OF_THREAD, counted=False
            )
        elif announced and not private:
            source = {"channel_id": str(thread.id)}
            world.messages_room.create(
                parent, owner, {"content": name, "message_reference": source}, type=_STARTED
            )
        self._watch(thread)
        self.look_again(guild)
        return thread

    def look_again(self, guild: Guild) -> None:
        """Tell the bot of the threads in channels that it did not see before and sees now."""
        world = self._world
        if not guild.threads or world.bot_user.id not in guild.members:
            return
        for parent_id in {each.parent_id or 0 for each in guild.threads.values()}:
            if not world.bot_sees(parent_id):
                self._hidden.add(parent_id)
            elif parent_id in self._hidden:
                self._hidden.discard(parent_id)
                found = [each for each in self.seen_by_bot(guild) if each.parent_id == parent_id]
                me = world.bot_user.id
                joined = [each for each in found if each.thread is not None and me in each.thread.members]
                body: Json = {
                    "guild_id": str(guild.id),
                    "channel_ids": [str(parent_id)],
                    "threads": [shapes.thread(each) for each in found],
                    "members": [shapes.member(each, me) for each in joined],
                }
                world.hub.dispatch("THREAD_LIST_SYNC", body, guild_id=guild.id)

    def written_in(self, channel: Channel) -> None:
        """Note a new message: it counts, it wakes the thread, it puts the archiving off."""
        thread = channel.thread
        if thread is None:
            return
        thread.message_count += 1
        thread.total_sent += 1
        thread.touched = self._world.clock.now()
        if thread.archived:
            self.archive(channel, archived=False)

    def archive(self, channel: Channel, *, archived: bool) -> None:
        """Put a thread away, or take it out again."""
        thread = channel.thread
        assert thread is not None
        thread.archived = archived
        thread.archived_at = thread.touched = self._world.clock.now()
        self.changed(channel)
        if not archived:
            self._watch(channel)

    def changed(self, channel: Channel) -> None:
        """Tell the bot that a thread's fields were changed."""
        self._tell("THREAD_UPDATE", channel, shapes.thread_for(self._world, channel))

    def delete(self, channel: Channel) -> None:
        """Drop a thread with its messages."""
        world = self._world
        sees = world.bot_sees(channel.id)
        guild = world.guilds[channel.guild_id]
        guild.threads.pop(channel.id, None)
        world.channels.pop(channel.id, None)
        world.messages_room.forget(channel.id)
        source = world.messages_room.by_id.get(channel.id)
        if source is not None:
            source.flags &= ~_HAS_THREAD
            world.messages_room.changed(source)
        body: Json = {
            "id": str(channel.id),
            "guild_id": str(guild.id),
            "parent_id": str(channel.parent_id),
            "type": channel.type,
        }
        if sees:
            world.hub.dispatch("THREAD_DELETE", body, guild_id=guild.id)

    def join(self, channel: Channel, user_id: int) -> None:
        """Make somebody a member of a thread; to be one already is fine."""
        world, thread = self._world, channel.thread
        assert thread is not None
        if user_id in thread.members:
            return
        thread.members[user_id] = world.clock.now()
        guild = world.guilds[channel.guild_id]
        mine = user_id == world.bot_user.id
        if mine:
            # Who is let into a thread hears of it as if it were new.
            self._tell("THREAD_CREATE", channel, shapes.thread_for(world, channel))
        added = shapes.member(channel, user_id) | {
            "member": shapes.of_guild(guild, guild.members[user_id]),
            "presence": None,
        }
        self._members_changed(guild, channel, {"added_members": [added]}, mine=mine)

    def leave(self, channel: Channel, user_id: int) -> None:
        """End a membership of a thread; not to be a member is fine."""
        thread = channel.thread
        assert thread is not None
        if thread.members.pop(user_id, None) is None:
            return
        guild = self._world.guilds[channel.guild_id]
        mine = user_id == self._world.bot_user.id
        self._members_changed(guild, channel, {"removed_member_ids": [str(user_id)]}, mine=mine)

    def left_guild(self, guild: Guild, user_id: int) -> None:
        """End all memberships of somebody who left the guild."""
        for channel in guild.threads.values():
            self.leave(channel, user_id)

    def seen_by_bot(self, guild: Guild) -> list[Channel]:
        """Return the threads that are not put away and that the bot may see."""
        bot = guild.members[self._world.bot_user.id]
        return [
            each
            for each in guild.threads.values()
            if each.thread is not None
            and not each.thread.archived
            and permissions.in_channel(guild, bot, each) & permissions.VIEW_CHANNEL
        ]

    def _members_changed(self, guild: Guild, channel: Channel, what: Json, *, mine: bool) -> None:
        thread = channel.thread
        assert thread is not None
        body: Json = {
            "id": str(channel.id),
            "guild_id": str(guild.id),
            "member_count": min(50, len(thread.members)),
        }
        if mine or self._world.bot_sees(channel.id):
            event = "THREAD_MEMBERS_UPDATE"
            self._world.hub.dispatch(event, body | what, guild_id=guild.id, mine=mine)

    def _tell(self, event: str, channel: Channel, body: Json) -> None:
        if self._world.bot_sees(channel.id):
            self._world.hub.dispatch(event, body, guild_id=channel.guild_id)

    def _watch(self, channel: Channel) -> None:
        thread = channel.thread
        assert thread is not None
        clock = self._world.clock
        touched = thread.touched

        async def look() -> None:
            if self._world.channels.get(channel.id) is not channel or thread.archived:
                return
            if thread.touched > touched:
                self._watch(channel)
            else:
                self.archive(channel, archived=True)

        clock.call_at(touched + timedelta(minutes=thread.auto_archive), look)
