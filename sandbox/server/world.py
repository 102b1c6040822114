"""The world: everything there is on this Discord."""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING, Any

from sandbox.server import permissions, recording
from sandbox.server.acts import Acts, consequences, recorded
from sandbox.server.changes import Changes
from sandbox.server.channels import DM, Channel
from sandbox.server.clock import WorldClock
from sandbox.server.command_permissions import CommandPermissions
from sandbox.server.commands import CommandRoom
from sandbox.server.errors import Refused
from sandbox.server.faults import Faults
from sandbox.server.gateway.hub import Hub
from sandbox.server.gateway.settings import GatewaySettings
from sandbox.server.guilds import Guild
from sandbox.server.interactions import InteractionRoom
from sandbox.server.invites import InviteRoom
from sandbox.server.keep import Keep
from sandbox.server.log import Log
from sandbox.server.members import User
from sandbox.server.messages import MessageRoom
from sandbox.server.people import Person
from sandbox.server.presences import PresenceRoom
from sandbox.server.rate_limits import RateLimits
from sandbox.server.reactions import ReactionRoom
from sandbox.server.snowflake import Mint
from sandbox.server.threads import ThreadRoom
from sandbox.server.truth import Truth
from sandbox.server.uploads import Uploads
from sandbox.server.voice.bot import BotVoice
from sandbox.server.voice.stats import VoiceStats
from sandbox.server.voice_states import VoiceRoom
from sandbox.server.webhooks import WebhookRoom

if TYPE_CHECKING:
    from sandbox.server.messages import Message
    from sandbox.server.plans import FaultPlan


@recorded(
    lambda world: world,
    lambda world: {"actor": "world"},
    but=(
        "entity_id",
        "announce_guild",
        "guild",
        "voice_stats",
        "person",
        "bot_sees",
        "messages",
        "attachment",
        "new_token",
    ),
)
class World:
    """Guilds, people, messages, commands and the bot's application, with one clock.

    ``seed`` fixes everything random; ``bot_name`` is the user name of the bot that is served. A person waits
    for an answer for ``interaction_wait`` real seconds. ``dave_protocol_version`` 1 offers end-to-end
    encryption of voice. ``keep`` bounds what is kept of the past.
    """

    def __init__(
        self,
        clock: WorldClock | None = None,
        seed: int = 0,
        interaction_wait: float = 3.0,
        *,
        bot_name: str = "robot",
        keep: Keep | None = None,
    ) -> None:
        self.clock = clock or WorldClock()
        self.seed = seed
        self.random = random.Random(seed)
        self.interaction_wait = interaction_wait
        self.mint = Mint(self.clock)
        self.log = Log(self.clock)
        self.log.write = lambda path, chosen: recording.write(self, path, chosen)
        self.acts = Acts(self)
        self.plans: list[FaultPlan] = []
        recording.made(self)
        self.keep = keep or Keep()
        self.truth = Truth(self.clock, self.keep)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.locales: dict[int, str] = {}
        self.privileged_intents: set[str] = {"members", "presences", "message_content"}
        self.cdn = "https://cdn.discordapp.com"
        self.changes = Changes(self)
        self.gateway = GatewaySettings()
        self.hub = Hub(self)
        self.presences = PresenceRoom(self)
        self.voice = VoiceRoom(self)
        self.bot_voice = BotVoice(self, seed)
        self.dave_protocol_version = 0
        self.commands = CommandRoom(self)
        self.command_permissions = CommandPermissions(self)
        self.messages_room = MessageRoom(self)
        self.uploads = Uploads(self)
        self.interactions = InteractionRoom(self)
        self.threads = ThreadRoom(self)
        self.reactions = ReactionRoom(self)
        self.webhooks = WebhookRoom(self)
        self.invites = InviteRoom(self)
        self.faults = Faults(self)
        self.rate_limits = RateLimits()
        self.clock.sequences = self.hub.sequences
        self.clock.ready = self.hub.all_back
        self.clock.on_detached = self.log.note
        self.clock.on_moved = self.changes.time
        self.clock.on_advance = self.acts.turned
        self.acts.watch(self.faults, "faults")
        self.acts.watch(self.faults.voice, "faults.voice")
        self.acts.watch(self.faults.http, "faults.http", but=("take",))
        self.acts.watch(self.rate_limits, "rate_limits", but=("ask", "answered", "forced", "described"))
        self.commands.on_changed.append(lambda scope: self.changes.guilds())
        self._names: dict[str, User] = {}
        self._direct: dict[int, Channel] = {}
        self._persons: dict[tuple[int, int], Person] = {}
        with consequences():
            self.bot_user = self.user(bot_name, bot=True)
            self.application_id = self.bot_user.id
            self.application_owner = self.user("developer")
        self.token = ""
        self.new_token()

    def new_token(self) -> None:
        """Give the bot another token; the one before is worth nothing any more."""
        named = base64.b64encode(str(self.bot_user.id).encode()).decode().rstrip("=")
        self.bearer = f"{self.random.getrandbits(180):030x}"
        """An access token of somebody who may manage every guild, for the few routes that no bot may use."""
        self.token = f"{named}.{self.random.getrandbits(36):09x}.{self.random.getrandbits(152):038x}"

    def entity_id(self) -> int:
        """Return the id of a new guild, role, channel or user: an old one while the scene is set."""
        return self.mint.founding() if self.clock.now() == self.clock.start else self.mint.next()

    def user(self, username: str, *, global_name: str | None = None, bot: bool = False) -> User:
        """Return the account of a name, made when there is none."""
        found = self._names.get(username)
        if found is None:
            shown = global_name or (None if bot else username.capitalize())
            found = User(self.entity_id(), username, shown, bot)
            self._names[username] = self.users[found.id] = found
        return found

    def create_guild(self, name: str, owner: str = "opal", *, bot: bool = True) -> Guild:
        """Found a guild with its owner and, unless ``bot`` is false, the bot as members."""
        account = self.user(owner)
        guild = Guild(self, self.entity_id(), name, account.id)
        self.guilds[guild.id] = guild
        guild.add_member(owner)
        if bot:
            guild.add_bot()
        return guild

    def announce_guild(self, guild: Guild) -> None:
        """Tell connected sessions that the bot has joined a guild."""
        self.hub.announce(guild)

    def guild(self, guild_id: int) -> Guild:
        """Return a guild. Raises Refused (404)."""
        if guild_id not in self.guilds:
            raise Refused(f"there is no guild {guild_id}", 404)
        return self.guilds[guild_id]

    def voice_stats(self, guild: Guild | int) -> VoiceStats:
        """Return what was said in a guild's voice, counted, and how the bot's connection stands.

        Raises Refused (404).
        """
        return self.bot_voice.stats(self.guild(guild if isinstance(guild, int) else guild.id).id)

    def person(self, guild_id: int, user_id: int) -> Person:
        """Return a member who can act. Raises Refused (404), and (403) for bots."""
        guild = self.guild(guild_id)
        member = guild.members.get(user_id)
        if member is None:
            raise Refused(f"{user_id} is not a member of {guild.name}", 404)
        if member.user.bot:
            raise Refused(f"{member.user.username} is a bot and does not act here", 403)
        person = self._persons.get((guild_id, user_id))
        if person is None or person.member is not member:
            person = self._persons[(guild_id, user_id)] = Person(guild, member)
        return person

    def bot_sees(self, channel_id: int) -> bool:
        """Whether the bot may see a channel, and so hears of what is said in it."""
        channel = self.channels.get(channel_id)
        if channel is None:
            return False
        if not channel.guild_id:
            return True
        guild = self.guilds[channel.guild_id]
        bot = guild.members.get(self.bot_user.id)
        return bot is not None and bool(
            permissions.in_channel(guild, bot, channel) & permissions.VIEW_CHANNEL
        )

    def direct_channel(self, user_id: int) -> Channel:
        """Return the bot's direct channel with a user, opened when there is none. Raises Refused (404)."""
        if user_id not in self.users:
            raise Refused(f"there is no user {user_id}", 404)
        if user_id not in self._direct:
            channel = Channel(self.mint.next(), 0, "", DM, recipient_id=user_id)
            self._direct[user_id] = self.channels[channel.id] = channel
        return self._direct[user_id]

    def messages(self, channel_id: int, as_user: int | None = None) -> list[dict[str, Any]]:
        """Return a channel's messages, oldest first, as a user sees them: their own ephemeral ones included.

        Without a user only what everybody sees. Raises Refused when there is no such channel (404) or
        the user does not see it (403).
        """
        channel = self.channels.get(channel_id)
        if channel is None:
            raise Refused(f"there is no channel {channel_id}", 404)
        if as_user is not None:
            self._check_sees(channel, as_user)
        return [
            self.messages_room.payload(each)
            for each in self.messages_room.in_channel(channel_id)
            if each.visible_to in {None, as_user} and each.id not in self.messages_room.dismissed
        ]

    def attachment(self, message_id: int, filename: str) -> bytes:
        """Return the bytes of a message's file. Raises Refused (404)."""
        message = self.messages_room.by_id.get(message_id)
        if message is None:
            raise Refused(f"there is no message {message_id}", 404)
        for each in message.attachments:
            if each.filename == filename:
                if each.data is None:
                    raise Refused(
                        f"{filename} was let go: keep more with World(keep=Keep(file_bytes=...))", 404
                    )
                return each.data
        raise Refused(f"message {message_id} has no file {filename}; it has: {_names(message)}", 404)

    def _check_sees(self, channel: Channel, user_id: int) -> None:
        if channel.type == DM:
            sees = user_id == channel.recipient_id
        else:
            guild = self.guilds[channel.guild_id]
            member = guild.members.get(user_id)
            if member is None:
                raise Refused(f"{user_id} is not a member of {guild.name}", 404)
            sees = bool(permissions.in_channel(guild, member, channel) & permissions.VIEW_CHANNEL)
        if not sees:
            raise Refused(f"{user_id} does not see that channel", 403)


def _names(message: Message) -> str:
    return ", ".join(each.filename for each in message.attachments) or "none"
