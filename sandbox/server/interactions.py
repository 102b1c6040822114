"""Interactions: what a person did, what the bot answered, and until when it may."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.server import components
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.messages import EPHEMERAL, LOADING, Message, Upload
from sandbox.server.payloads import interactions as shapes

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member
    from sandbox.server.world import World

Json = dict[str, Any]
COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
ANSWER_WITHIN = timedelta(seconds=3)
TOKEN_LIVES = timedelta(minutes=15)
_TOO_MANY = "This interaction has reached the maximum number of follow up messages."

_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES, _MODAL, _PREMIUM = 4, 5, 6, 7, 8, 9, 10
_KINDS = {
    _MESSAGE: "message",
    _DEFERRED: "deferred",
    _DEFERRED_UPDATE: "deferred",
    _UPDATE: "update",
    _CHOICES: "choices",
    _MODAL: "modal",
    _PREMIUM: "premium",
}


@dataclass(slots=True, eq=False)
class Interaction:
    """One interaction, from the person's act to the end of its token."""

    id: int
    token: str
    type: int
    guild_id: int
    channel_id: int
    user_id: int
    created: datetime
    data: Json
    metadata: Json
    command_name: str | None = None
    source: Message | None = None
    kind: str | None = None
    callback: int | None = None
    original: Message | None = None
    modal: Json | None = None
    modal_open: bool = False
    choices: list[Json] | None = None
    latest: Message | None = None
    follow_ups: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def focused_type(self) -> int | None:
        """The kind of the option that is being completed, if one is."""
        options = list(self.data.get("options") or [])
        for option in options:
            if option.get("focused"):
                return int(option["type"])
            options.extend(option.get("options") or [])
        return None

    def settle(self, message: Message) -> None:
        """Note that the person now sees a real answer."""
        self.latest = message
        self.settled.set()


class InteractionRoom:
    """Makes interactions and takes the bot's answers to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.most_follow_ups: int | None = None
        """How many follow-ups an interaction takes; Discord: 5 where only the user installed the app."""
        self.by_id: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}
        self._by_age: deque[Interaction] = deque()

    def create(
        self,
        guild: Guild,
        member: Member,
        channel_id: int,
        kind: int,
        data: Json,
        *,
        command_name: str | None = None,
        source: Message | None = None,
        opener: Interaction | None = None,
    ) -> Interaction:
        """Make an interaction and send it to the bot; ``guild`` is where a direct one's person comes from."""
        world = self._world
        self._forget_old()
        number = world.mint.next()
        secret = f"interaction:{number}:{world.random.getrandbits(240):060x}"
        token = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
        one = Interaction(
            number,
            token,
            kind,
            world.channels[channel_id].guild_id,
            channel_id,
            member.user.id,
            world.clock.now(),
            data,
            {},
            command_name,
            source,
        )
        one.metadata = shapes.metadata(world, one, member.user, opener)
        self.by_id[number] = self._by_token[one.token] = one
        self._by_age.append(one)
        body = shapes.interaction(world, one, guild, member)
        world.hub.dispatch("INTERACTION_CREATE", body, guild_id=one.guild_id, mine=True)
        return one

    def for_answer(self, interaction_id: int, token: str) -> Interaction:
        """Return the interaction of a callback. Raises RestError 10062 or 40060."""
        one = self.by_id.get(interaction_id)
        if one is None or one.token != token:
            raise unknown("interaction")
        if one.callback is not None:
            raise RestError(400, 40060, "Interaction has already been acknowledged.")
        if self._world.clock.now() - one.created > ANSWER_WITHIN:
            raise unknown("interaction")
        return one

    def for_webhook(self, token: str) -> Interaction:
        """Return the interaction of a webhook call. Raises RestError 10015 or 50027."""
        one = self._by_token.get(token)
        if one is None or one.callback is None:
            if token in self._by_token or not token.startswith("aW50ZXJhY3Rpb246"):
                raise unknown("webhook")
            raise RestError(401, 50027, "Invalid Webhook Token")
        if self._world.clock.now() - one.created > TOKEN_LIVES:
            raise RestError(401, 50027, "Invalid Webhook Token")
        return one

    def answer(self, one: Interaction, body: Json, uploads: Iterable[Upload] = ()) -> None:
        """Take the bot's first answer. Raises RestError for a kind that does not fit the interaction."""
        kind = int(body["type"])
        data: Json = body.get("data") or {}
        self._check_kind(one, kind)
        if kind in {_MESSAGE, _DEFERRED}:
            one.original = self._message(one, data, uploads, flags=LOADING if kind == _DEFERRED else 0)
        elif kind in {_UPDATE, _DEFERRED_UPDATE}:
            one.original = one.source
            if kind == _UPDATE and one.source is not None:
                self._world.messages_room.edit(one.source, data, uploads)
        elif kind == _MODAL:
            one.modal = {**data, "components": components.numbered(data["components"])}
            one.modal_open = True
        elif kind == _CHOICES:
            one.choices = list(data.get("choices") or [])
        one.callback, one.kind = kind, _KINDS[kind]
        if kind in {_MESSAGE, _UPDATE} and one.original is not None:
            one.settle(one.original)
        one.answered.set()

    def follow_up(self, one: Interaction, body: Json, uploads: Iterable[Upload] = ()) -> Message:
        """Send a further message; the first one after a deferral takes the place of the waiting dots.

        Raises RestError 40094 beyond ``most_follow_ups``.
        """
        if one.original is not None and one.original.flags & LOADING and one.original.id in self._known():
            message = self._world.messages_room.edit(one.original, body, uploads, answers=True)
        else:
            if self.most_follow_ups is not None and one.follow_ups >= self.most_follow_ups:
                raise RestError(400, 40094, _TOO_MANY)
            message = self._message(one, body, uploads, follow_up=True)
            one.follow_ups += 1
        one.settle(message)
        return message

    def edit(self, one: Interaction, message: Message, body: Json, uploads: Iterable[Upload] = ()) -> Message:
        """Edit one of the interaction's messages."""
        waiting = bool(message.flags & LOADING)
        self._world.messages_room.edit(message, body, uploads, answers=waiting)
        one.settle(message)
        return message

    def message(self, one: Interaction, name: str) -> Message:
        """Return a message by id or "@original". Raises RestError 10008."""
        if name == "@original":
            if one.original is None or one.original.id not in self._known():
                raise unknown("message")
            return one.original
        message = self._known().get(int(name)) if name.isdigit() else None
        if message is None or message.metadata is None or message.webhook_id != self._world.application_id:
            raise unknown("message")
        if (
            message is not one.original
            and message.metadata["id"] != str(one.id)
            and message is not one.source
        ):
            raise unknown("message")
        return message

    def _known(self) -> dict[int, Message]:
        return self._world.messages_room.by_id

    def _check_kind(self, one: Interaction, kind: int) -> None:
        fits = {
            COMMAND: {_MESSAGE, _DEFERRED, _MODAL, _PREMIUM},
            COMPONENT: {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _MODAL, _PREMIUM},
            AUTOCOMPLETE: {_CHOICES},
            MODAL: {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _PREMIUM},
        }[one.type]
        if kind not in fits or (kind == _UPDATE and one.source is None):
            raise invalid_form(
                ("type",),
                "INTERACTION_APPLICATION_COMMAND_INVALID_RESPONSE_TYPE",
                "This response type does not fit the interaction",
            )

    def _message(
        self,
        one: Interaction,
        data: Json,
        uploads: Iterable[Upload],
        *,
        flags: int = 0,
        follow_up: bool = False,
    ) -> Message:
        world, metadata = self._world, one.metadata
        if follow_up and one.original is not None:
            metadata = {**metadata, "original_response_message_id": str(one.original.id)}
        ephemeral = bool(int(data.get("flags") or 0) & EPHEMERAL)
        kind = 0 if follow_up else 20 if one.command_name is not None else 0
        reference = None
        if follow_up and one.original is not None and not ephemeral:
            reference = {"message_id": str(one.original.id)}
        if one.channel_id not in world.channels:
            raise unknown("channel")
        return world.messages_room.create(
            world.channels[one.channel_id],
            world.bot_user,
            {**data, "message_reference": reference},
            uploads,
            type=kind,
            flags=flags,
            visible_to=one.user_id if ephemeral else None,
            webhook_id=world.application_id,
            metadata=metadata,
            command_name=None if follow_up else one.command_name,
        )

    def _forget_old(self) -> None:
        horizon = self._world.clock.now() - 2 * TOKEN_LIVES
        most = self._world.keep.interactions
        while self._by_age and (self._by_age[0].created < horizon or len(self._by_age) >= most):
            one = self._by_age.popleft()
            self.by_id.pop(one.id, None)
            self._by_token.pop(one.token, None)
