"""Webhooks of channels: addresses through which anybody who knows the token can write."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.server.errors import RestError, unknown
from sandbox.server.payloads import Json, optional_id, people

if TYPE_CHECKING:
    from sandbox.server.channels import Channel
    from sandbox.server.members import User
    from sandbox.server.world import World

MOST = 15
"""Webhooks of one channel."""


@dataclass(slots=True)
class Webhook:
    """A webhook; ``application_id`` is that of the bot which made it, if one did."""

    id: int
    guild_id: int
    channel_id: int
    name: str
    token: str
    author: User
    application_id: int | None = None


class WebhookRoom:
    """Keeps the webhooks of all channels."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.by_id: dict[int, Webhook] = {}

    def in_channel(self, channel_id: int) -> list[Webhook]:
        """Return a channel's webhooks, oldest first."""
        return [each for each in self.by_id.values() if each.channel_id == channel_id]

    def get(self, webhook_id: int, token: str | None = None) -> Webhook:
        """Return a webhook. Raises RestError 10015, or 50027 for a wrong ``token``."""
        found = self.by_id.get(webhook_id)
        if found is None:
            raise unknown("webhook")
        if token is not None and token != found.token:
            raise RestError(401, 50027, "Invalid Webhook Token")
        return found

    def create(self, channel: Channel, author: User, name: str) -> Webhook:
        """Add a webhook. Raises RestError 30007 when the channel has enough."""
        world = self._world
        if len(self.in_channel(channel.id)) >= MOST:
            raise RestError(400, 30007, f"Maximum number of webhooks reached ({MOST})")
        secret = world.random.randbytes(51)
        token = base64.urlsafe_b64encode(secret).decode()
        mine = world.application_id if author.bot else None
        webhook = Webhook(world.mint.next(), channel.guild_id, channel.id, name, token, author, mine)
        self.by_id[webhook.id] = webhook
        self.changed(channel.id)
        return webhook

    def delete(self, webhook: Webhook) -> None:
        """Remove a webhook; what it wrote stays."""
        del self.by_id[webhook.id]
        self.changed(webhook.channel_id)

    def forget_channel(self, channel_id: int) -> None:
        """Drop the webhooks of a channel that is gone."""
        for each in self.in_channel(channel_id):
            del self.by_id[each.id]

    def changed(self, channel_id: int) -> None:
        """Tell the bot that a channel's webhooks are others now."""
        channel = self._world.channels[channel_id]
        body: Json = {"guild_id": str(channel.guild_id), "channel_id": str(channel.id)}
        if self._world.bot_sees(channel.id):
            self._world.hub.dispatch("WEBHOOKS_UPDATE", body, guild_id=channel.guild_id)


def shape(one: Webhook, *, token: bool = True, author: bool = True) -> Json:
    """Return a webhook object; who comes with its token is not told who made it."""
    body: Json = {
        "id": str(one.id),
        "type": 1,
        "guild_id": str(one.guild_id),
        "channel_id": str(one.channel_id),
        "name": one.name,
        "avatar": None,
        "application_id": optional_id(one.application_id),
    }
    if token:
        body["token"] = one.token
        body["url"] = f"https://discord.com/api/webhooks/{one.id}/{one.token}"
    if author:
        body["user"] = people.user(one.author)
    return body
