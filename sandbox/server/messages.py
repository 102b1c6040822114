"""Messages and their files, channel by channel."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.server import channels, components, permissions
from sandbox.server.errors import unknown
from sandbox.server.keep import Files, oldest
from sandbox.server.payloads import messages as shapes

if TYPE_CHECKING:
    from sandbox.server.channels import Channel
    from sandbox.server.members import User
    from sandbox.server.reactions import Reaction
    from sandbox.server.world import World

EPHEMERAL = 1 << 6
LOADING = 1 << 7
SUPPRESS_EMBEDS = 1 << 2
SUPPRESS_NOTIFICATIONS = 1 << 12
COMPONENTS_V2 = 1 << 15
_SETTABLE = EPHEMERAL | SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
_USER_MENTION = re.compile(r"<@!?(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_REPLY, _FIRST_OF_THREAD = 19, 21
_ROLE_MENTION = re.compile(r"<@&(\d+)>")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came with a request; ``key`` is the N of its part ``files[N]``."""

    key: str
    filename: str
    data: bytes
    content_type: str | None = None


@dataclass(slots=True)
class Attachment:
    """A stored file of a message."""

    id: int
    filename: str
    data: bytes | None
    """None once the world has let go of it."""
    content_type: str
    url: str
    description: str | None = None
    ephemeral: bool = False
    size: int = 0

    def __post_init__(self) -> None:
        self.size = len(self.data or b"")


@dataclass(slots=True)
class Message:
    """A message; ``visible_to`` names the one person who sees an ephemeral one."""

    id: int
    channel_id: int
    guild_id: int
    author: User
    timestamp: datetime
    type: int = 0
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    tts: bool = False
    edited: datetime | None = None
    visible_to: int | None = None
    webhook_id: int | None = None
    metadata: dict[str, Any] | None = None
    command_name: str | None = None
    reference: dict[str, Any] | None = None
    snapshot: dict[str, Any] | None = None
    nonce: str | int | None = None
    mentions: list[int] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    reactions: dict[str, Reaction] = field(default_factory=dict)
    pinned: datetime | None = None
    former_parts: set[str] = field(default_factory=set)


class MessageRoom:
    """Stores messages, dispatches what the bot may hear of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.by_id: dict[int, Message] = {}
        self._by_channel: dict[int, list[Message]] = {}
        self.files = Files(world.keep)
        self.dismissed: set[int] = set()
        """Ephemeral messages that their receivers put away; the bot may still edit them."""

    def in_channel(self, channel_id: int) -> list[Message]:
        """Return a channel's messages, oldest first."""
        return self._by_channel.get(channel_id, [])

    def get(self, channel_id: int, message_id: int) -> Message:
        """Return a message. Raises RestError 10008."""
        message = self.by_id.get(message_id)
        if message is None or message.channel_id != channel_id:
            raise unknown("message")
        return message

    def create(
        self,
        channel: Channel,
        author: User,
        body: dict[str, Any],
        uploads: Iterable[Upload] = (),
        *,
        type: int = 0,  # noqa: A002 - Discord's word
        flags: int = 0,
        visible_to: int | None = None,
        webhook_id: int | None = None,
        metadata: dict[str, Any] | None = None,
        command_name: str | None = None,
        counted: bool = True,
        message_id: int | None = None,
    ) -> Message:
        """Store a new message from a request's body and dispatch it, unless it is ephemeral.

        ``counted`` is false for what no thread counts: its first message, which in a forum has the
        thread's own id for ``message_id``.
        """
        world = self._world
        message = Message(
            message_id or world.mint.next(),
            channel.id,
            channel.guild_id,
            author,
            world.clock.now(),
            type,
            visible_to=visible_to,
            webhook_id=webhook_id,
            metadata=metadata,
            tts=bool(body.get("tts")),
            nonce=body.get("nonce"),
            command_name=command_name,
        )
        message.flags = (int(body.get("flags") or 0) & _SETTABLE) | flags
        if visible_to is not None:
            message.flags |= EPHEMERAL
        self._refer(message, body.get("message_reference"))
        self._fill(message, body, uploads)
        self.by_id[message.id] = message
        self._by_channel.setdefault(channel.id, []).append(message)
        self._let_go()
        world.changes.message(channel.id)
        if visible_to is None:
            channel.last_message_id = message.id
            if counted:
                world.threads.written_in(channel)
            self._dispatch("MESSAGE_CREATE", message)
        return message

    def edit(
        self, message: Message, body: dict[str, Any], uploads: Iterable[Upload] = (), *, answers: bool = False
    ) -> Message:
        """Change the fields a body names; ``answers``: it fills a deferred answer, which is no edit."""
        message.flags &= ~LOADING
        if body.get("flags") is not None:
            kept = message.flags & (EPHEMERAL | COMPONENTS_V2)
            message.flags = (int(body["flags"]) & (SUPPRESS_EMBEDS | COMPONENTS_V2)) | kept
        self._fill(message, body, uploads)
        if not answers:
            message.edited = self._world.clock.now()
        self._world.changes.message(message.channel_id)
        if message.visible_to is None:
            self._dispatch("MESSAGE_UPDATE", message)
        return message

    def delete(self, message: Message) -> None:
        """Remove a message."""
        self._drop(message)
        if message.visible_to is None and self._world.bot_sees(message.channel_id):
            data: dict[str, Any] = {"id": str(message.id), "channel_id": str(message.channel_id)}
            if message.guild_id:
                data["guild_id"] = str(message.guild_id)
            self._world.hub.dispatch("MESSAGE_DELETE", data, guild_id=message.guild_id)

    def delete_many(self, channel: Channel, messages: list[Message]) -> None:
        """Remove several messages of a channel in one event; one alone is removed in the usual one."""
        if len(messages) == 1:
            self.delete(messages[0])
        elif messages:
            for message in messages:
                self._drop(message)
            if self._world.bot_sees(channel.id):
                ids = [str(each.id) for each in messages]
                data = {"ids": ids, "channel_id": str(channel.id), "guild_id": str(channel.guild_id)}
                self._world.hub.dispatch("MESSAGE_DELETE_BULK", data, guild_id=channel.guild_id)

    def forget(self, channel_id: int) -> None:
        """Drop the messages of a channel that is gone; nobody is told of each."""
        for message in self._by_channel.pop(channel_id, []):
            self.by_id.pop(message.id, None)

    def _let_go(self) -> None:
        """Drop the oldest messages with their files when there are too many; nobody is told."""
        gone = oldest(self.by_id, self._world.keep.messages)
        for message in gone:
            del self.by_id[message.id]
            self.dismissed.discard(message.id)
            for each in message.attachments:
                self.files.let_go((message.channel_id, each.id, each.filename))
        for channel_id in {message.channel_id for message in gone}:
            left = [each for each in self._by_channel[channel_id] if each.id in self.by_id]
            self._by_channel[channel_id] = left

    def changed(self, message: Message) -> None:
        """Tell the bot that something about a message changed that is no edit."""
        self._world.changes.message(message.channel_id)
        if message.visible_to is None:
            self._dispatch("MESSAGE_UPDATE", message)

    def _drop(self, message: Message) -> None:
        del self.by_id[message.id]
        self.dismissed.discard(message.id)
        self._by_channel[message.channel_id].remove(message)
        self._world.changes.message(message.channel_id)
        thread = self._world.channels[message.channel_id].thread
        if thread is not None and message.type != _FIRST_OF_THREAD:
            thread.message_count = max(0, thread.message_count - 1)

    def payload(self, message: Message) -> dict[str, Any]:
        """Return the message as JSON."""
        return shapes.message(self._world, message)

    def _dispatch(self, event: str, message: Message) -> None:
        if not self._world.bot_sees(message.channel_id):
            return
        data = shapes.with_guild(self._world, message)
        self._world.hub.dispatch(event, data, guild_id=message.guild_id)

    def _refer(self, message: Message, reference: dict[str, Any] | None) -> None:
        if not reference:
            return
        channel_id = str(reference.get("channel_id") or message.channel_id)
        message.reference = {
            "type": int(reference.get("type") or 0),
            "channel_id": channel_id,
        }
        if reference.get("message_id"):
            message.reference["message_id"] = str(reference["message_id"])
        if message.guild_id:
            message.reference["guild_id"] = str(message.guild_id)
        source = self.by_id.get(int(reference.get("message_id") or 0))
        if message.reference["type"] == 1 and source is not None:
            message.snapshot = shapes.snapshot(self._world, source)
        elif source is not None and message.type == 0:
            message.type = _REPLY

    def _fill(self, message: Message, body: dict[str, Any], uploads: Iterable[Upload]) -> None:
        if "content" in body:
            message.content = body["content"] or ""
        uploads = list(uploads)
        if "attachments" in body or uploads:
            self._attach(message, body.get("attachments"), uploads)
        named = {each.filename: each for each in message.attachments}
        if body.get("embeds") is not None:
            message.embeds = [shapes.embed(each, named) for each in body["embeds"]]
        elif "embeds" in body:
            message.embeds = []
        if "components" in body:
            message.former_parts.update(components.custom_ids(message.components))
            message.components = components.stored(body["components"] or [], named, self._world.mint.next)
        self._mention(message, body.get("allowed_mentions"))

    def _attach(self, message: Message, listed: list[dict[str, Any]] | None, uploads: list[Upload]) -> None:
        by_key = {each.key: each for each in uploads}
        kept: list[Attachment] = []
        if listed is None:
            kept.extend(message.attachments)
            listed = [{"id": each.key} for each in uploads]
        for entry in listed:
            upload = by_key.pop(str(entry.get("id")), None)
            if upload is not None:
                kept.append(self._store(message, upload, entry))
                continue
            kept.extend(each for each in message.attachments if str(each.id) == str(entry.get("id")))
        kept.extend(self._store(message, upload, {}) for upload in by_key.values())
        message.attachments = kept

    def _store(self, message: Message, upload: Upload, entry: dict[str, Any]) -> Attachment:
        filename = re.sub(r"[^\w.\-]", "_", entry.get("filename") or upload.filename)
        guessed = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        number = self._world.mint.next()
        stored = Attachment(
            number,
            filename,
            upload.data,
            guessed
            if upload.content_type in {None, "application/octet-stream"}
            else str(upload.content_type),
            f"{self._world.cdn}/attachments/{message.channel_id}/{number}/{filename}",
            description=entry.get("description"),
            ephemeral=message.visible_to is not None,
        )
        self.files[(message.channel_id, number, filename)] = stored
        return stored

    def _mention(self, message: Message, allowed: dict[str, Any] | None) -> None:
        guild = self._world.guilds.get(message.guild_id)
        users = [int(each) for each in _USER_MENTION.findall(message.content)]
        roles = [int(each) for each in _ROLE_MENTION.findall(message.content)]
        if allowed is not None:
            parse = allowed.get("parse") or []
            if "users" not in parse:
                named = {int(each) for each in allowed.get("users") or []}
                users = [each for each in users if each in named]
            if "roles" not in parse:
                named = {int(each) for each in allowed.get("roles") or []}
                roles = [each for each in roles if each in named]
        message.mention_everyone = self._mentions_all(message, allowed)
        replied = self._replied_to(message)
        if replied is not None and (allowed is None or allowed.get("replied_user")):
            users.append(replied)
        message.mentions = [each for each in dict.fromkeys(users) if each in self._world.users]
        message.mention_roles = [
            each for each in dict.fromkeys(roles) if guild is not None and each in guild.roles
        ]

    def _mentions_all(self, message: Message, allowed: dict[str, Any] | None) -> bool:
        guild = self._world.guilds.get(message.guild_id)
        if guild is None or not _EVERYONE.search(message.content):
            return False
        if allowed is not None and "everyone" not in (allowed.get("parse") or []):
            return False
        author, channel = guild.members.get(message.author.id), self._world.channels[message.channel_id]
        if author is None:
            return message.webhook_id is not None
        return bool(permissions.in_channel(guild, author, channel) & permissions.MENTION_EVERYONE)

    def _replied_to(self, message: Message) -> int | None:
        if message.type != _REPLY or message.reference is None:
            return None
        source = self.by_id.get(int(message.reference["message_id"]))
        return source.author.id if source is not None else None


def writable(channel: Channel) -> bool:
    """Whether a channel holds messages at all."""
    return channel.type in channels.WRITABLE
