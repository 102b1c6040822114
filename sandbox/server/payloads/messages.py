"""Messages, embeds and attachments as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox.server.payloads import Json, people, stamp, threads

if TYPE_CHECKING:
    from sandbox.server.messages import Attachment, Message
    from sandbox.server.world import World

_MEDIA = ("image", "thumbnail", "video")


def attachment(one: Attachment) -> Json:
    """Return an attachment object."""
    body: Json = {
        "id": str(one.id),
        "filename": one.filename,
        "size": one.size,
        "url": one.url,
        "proxy_url": one.url,
        "content_type": one.content_type,
    }
    if one.description:
        body["description"] = one.description
    if one.ephemeral:
        body["ephemeral"] = True
    return body


def embed(sent: Json, named: Mapping[str, Attachment]) -> Json:
    """Return an embed as stored: typed, its media addressed, its empty fields gone."""
    body: Json = {key: value for key, value in sent.items() if value is not None}
    body["type"] = "rich"
    for kind in _MEDIA:
        if kind in body:
            url = resolve(body[kind].get("url", ""), named)
            body[kind] = {**body[kind], "url": url, "proxy_url": url}
    for kind in ("author", "footer"):
        if body.get(kind, {}).get("icon_url"):
            url = resolve(body[kind]["icon_url"], named)
            body[kind] = {**body[kind], "icon_url": url, "proxy_icon_url": url}
    if "fields" in body:
        body["fields"] = [{**each, "inline": bool(each.get("inline"))} for each in body["fields"]]
    return body


def resolve(url: str, named: Mapping[str, Attachment]) -> str:
    """Return the real address of an ``attachment://`` one; others stay."""
    if url.startswith("attachment://") and url[13:] in named:
        return named[url[13:]].url
    return url


def reactions(world: World, one: Message) -> list[Json]:
    """Return a message's reactions as the bot sees them."""
    return [
        {
            "emoji": each.emoji.body(),
            "count": len(each.users),
            "count_details": {"burst": 0, "normal": len(each.users)},
            "burst_colors": [],
            "me_burst": False,
            "me": world.bot_user.id in each.users,
        }
        for each in one.reactions.values()
    ]


def message(world: World, one: Message) -> Json:
    """Return a message object as REST answers it."""
    body: Json = {
        "id": str(one.id),
        "type": one.type,
        "channel_id": str(one.channel_id),
        "author": people.user(one.author),
        "content": one.content,
        "timestamp": stamp(one.timestamp),
        "edited_timestamp": stamp(one.edited) if one.edited else None,
        "tts": one.tts,
        "mention_everyone": one.mention_everyone,
        "mentions": [people.user(world.users[each]) for each in one.mentions],
        "mention_roles": [str(each) for each in one.mention_roles],
        "attachments": [attachment(each) for each in one.attachments],
        "embeds": one.embeds,
        "components": one.components,
        "pinned": one.pinned is not None,
        "flags": one.flags,
    }
    if one.nonce is not None:
        body["nonce"] = one.nonce
    if one.webhook_id is not None:
        body["webhook_id"] = str(one.webhook_id)
        hook = world.webhooks.by_id.get(one.webhook_id)
        made_by = world.application_id if hook is None else hook.application_id
        if made_by is not None:
            body["application_id"] = str(made_by)
    if one.reactions:
        body["reactions"] = reactions(world, one)
    started = world.channels.get(one.id)
    if started is not None and started.thread is not None:
        body["thread"] = threads.thread_for(world, started)
    if one.metadata is not None:
        body["interaction_metadata"] = one.metadata
        if one.command_name is not None:
            body["interaction"] = {
                "id": one.metadata["id"],
                "type": 2,
                "name": one.command_name,
                "user": one.metadata["user"],
            }
    if one.reference is not None:
        body["message_reference"] = one.reference
        source = world.messages_room.by_id.get(int(one.reference.get("message_id", 0)))
        if one.snapshot is not None:
            body["message_snapshots"] = [one.snapshot]
        elif one.reference["type"] == 0 and source is not None and source.reference is None:
            body["referenced_message"] = message(world, source)
    return body


def snapshot(world: World, one: Message) -> Json:
    """Return what a forward keeps of a message."""
    kept = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "mentions",
            "mention_roles", "components")  # fmt: skip
    whole = message(world, one)
    return {"message": {key: whole[key] for key in kept}}


def with_guild(world: World, one: Message) -> Json:
    """Return a message as the gateway dispatches it, with its guild and its author's membership."""
    body = message(world, one)
    if one.guild_id:
        body["guild_id"] = str(one.guild_id)
        author = world.guilds[one.guild_id].members.get(one.author.id)
        if author is not None:
            body["member"] = people.member(author, with_user=False)
    return body
