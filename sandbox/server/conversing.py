"""What people do about threads, and that they are typing."""

from __future__ import annotations

from sandbox.server import options, permissions
from sandbox.server.channels import THREADED, Channel
from sandbox.server.errors import Refused
from sandbox.server.moderating import Acting, Who
from sandbox.server.payloads import Json, people
from sandbox.server.payloads.threads import thread as thread_shape

LONGEST_NAME = 100


class Conversing(Acting):
    """The acts in channels that hold threads, and in the threads themselves."""

    async def typing(self, channel: Channel | int | str) -> None:
        """Show that they are typing. Raises Refused."""
        target = self._channel(channel)
        self._need(permissions.to_write_in(target), f"write in {target.name}", target)
        member = self._still_here()
        body: Json = {
            "channel_id": str(target.id),
            "guild_id": str(self.guild.id),
            "user_id": str(member.user.id),
            "timestamp": int(self._world.clock.now().timestamp()),
            "member": people.member(member),
        }
        if self._world.bot_sees(target.id):
            self._world.hub.dispatch("TYPING_START", body, guild_id=self.guild.id)

    async def start_thread(
        self,
        channel: Channel | int | str,
        name: str,
        *,
        message_id: int | str | None = None,
        private: bool = False,
        text: str | None = None,
    ) -> Json:
        """Start a thread, from a message, on its own, or as a post of a forum with its ``text``.

        Returns the thread. Raises Refused.
        """
        parent = self._channel(channel)
        if parent.type not in THREADED:
            raise Refused(f"{parent.name} holds no threads")
        if not 1 <= len(name) <= LONGEST_NAME:
            raise Refused(f"a thread's name has 1 to {LONGEST_NAME} characters, not {len(name)}")
        bit = permissions.CREATE_PRIVATE_THREADS if private else permissions.CREATE_PUBLIC_THREADS
        room = self._world.messages_room
        if parent.is_forum:
            if not text:
                raise Refused("a post begins with a text")
            self._need(permissions.SEND_MESSAGES, f"post in {parent.name}", parent)
            thread = self._world.threads.start(parent, self.member.user, name, announced=False)
            room.create(thread, self.member.user, {"content": text}, counted=False, message_id=thread.id)
            return thread_shape(thread)
        self._need(bit, f"start threads in {parent.name}", parent)
        message = None
        if message_id is not None:
            message = room.by_id.get(options.as_id(message_id, "message_id"))
            if message is None or message.channel_id != parent.id or message.visible_to is not None:
                raise Refused(f"{parent.name} has no message {message_id}", 404)
            if message.id in self._world.channels:
                raise Refused("that message has a thread already", 409)
        thread = self._world.threads.start(parent, self.member.user, name, message=message, private=private)
        if text:
            room.create(thread, self.member.user, {"content": text})
        return thread_shape(thread)

    async def join_thread(self, thread: Channel | int | str, who: Who | None = None) -> None:
        """Become a member of a thread, or add somebody to it; to be one already is fine. Raises Refused."""
        target = self._thread(thread)
        other = self._still_here() if who is None else self._one(who)
        self._world.threads.join(target, other.user.id)

    async def leave_thread(self, thread: Channel | int | str) -> None:
        """End their membership of a thread; not to be a member is fine. Raises Refused."""
        self._world.threads.leave(self._thread(thread), self._still_here().user.id)

    async def archive_thread(self, thread: Channel | int | str, *, archived: bool = True) -> None:
        """Put a thread away, or take it out again: its owner may, and who manages threads. Raises Refused."""
        target = self._thread(thread)
        assert target.thread is not None
        if target.thread.owner_id != self._still_here().user.id:
            self._need(permissions.MANAGE_THREADS, f"archive {target.name}", target)
        if target.thread.archived != archived:
            self._world.threads.archive(target, archived=archived)

    def _thread(self, thread: Channel | int | str) -> Channel:
        found = self._channel(thread)
        if found.thread is None:
            raise Refused(f"{found.name} is no thread")
        return found
