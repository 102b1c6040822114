"""Permission bits, and what a member may do in a guild or channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.channels import PRIVATE_THREAD
from sandbox.server.members import Member, Role

if TYPE_CHECKING:
    from sandbox.server.channels import Channel
    from sandbox.server.guilds import Guild

CREATE_INVITE = 1 << 0
KICK_MEMBERS = 1 << 1
BAN_MEMBERS = 1 << 2
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
VIEW_AUDIT_LOG = 1 << 7
STREAM = 1 << 9
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
USE_EXTERNAL_EMOJIS = 1 << 18
CONNECT = 1 << 20
SPEAK = 1 << 21
MUTE_MEMBERS = 1 << 22
DEAFEN_MEMBERS = 1 << 23
MOVE_MEMBERS = 1 << 24
USE_VAD = 1 << 25
CHANGE_NICKNAME = 1 << 26
MANAGE_NICKNAMES = 1 << 27
MANAGE_ROLES = 1 << 28
MANAGE_WEBHOOKS = 1 << 29
MANAGE_EXPRESSIONS = 1 << 30
USE_APPLICATION_COMMANDS = 1 << 31
REQUEST_TO_SPEAK = 1 << 32
MANAGE_EVENTS = 1 << 33
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
SEND_IN_THREADS = 1 << 38
MODERATE_MEMBERS = 1 << 40
CREATE_EXPRESSIONS = 1 << 43
CREATE_EVENTS = 1 << 44
PIN_MESSAGES = 1 << 51

ALL: int = sum(1 << bit for bit in (*range(47), 49, 50, 51, 52))
"""Every bit that Discord has named."""

EVERYONE = (
    CREATE_INVITE | ADD_REACTIONS | STREAM | VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES
    | READ_HISTORY | USE_EXTERNAL_EMOJIS | CONNECT | SPEAK | USE_VAD | CHANGE_NICKNAME
    | USE_APPLICATION_COMMANDS | REQUEST_TO_SPEAK | CREATE_PUBLIC_THREADS | CREATE_PRIVATE_THREADS
    | SEND_IN_THREADS
)  # fmt: skip
"""What a new guild's @everyone may do."""

BOT = EVERYONE | MANAGE_MESSAGES | PIN_MESSAGES | MOVE_MEMBERS | MANAGE_EVENTS
"""What the bot's own role may do unless a scene says otherwise."""


_WHILE_TIMED_OUT = VIEW_CHANNEL | READ_HISTORY


def in_guild(guild: Guild, member: Member) -> int:
    """Return the member's bits from roles and ownership alone; a timed out one is left with looking on."""
    bits = _from_roles(guild, member)
    if bits & ADMINISTRATOR or not timed_out(guild, member):
        return bits
    return bits & _WHILE_TIMED_OUT


def in_channel(guild: Guild, member: Member, channel: Channel) -> int:
    """Return the member's bits in a channel, overwrites applied in Discord's order.

    A thread has its parent's; a private one is there only for its members and for who manages threads.
    """
    if channel.thread is not None:
        bits = in_channel(guild, member, guild.channels[channel.parent_id or 0])
        hidden = channel.type == PRIVATE_THREAD and member.user.id not in channel.thread.members
        return 0 if hidden and not bits & MANAGE_THREADS else bits
    bits = _from_roles(guild, member)
    if bits & ADMINISTRATOR:
        return bits
    everyone = channel.overwrites.get(guild.id)
    if everyone is not None:
        bits = bits & ~everyone.deny | everyone.allow
    allow = deny = 0
    for role_id in member.roles:
        overwrite = channel.overwrites.get(role_id)
        if overwrite is not None:
            allow |= overwrite.allow
            deny |= overwrite.deny
    bits = bits & ~deny | allow
    own = channel.overwrites.get(member.user.id)
    if own is not None:
        bits = bits & ~own.deny | own.allow
    if timed_out(guild, member):
        bits &= _WHILE_TIMED_OUT
    return bits if bits & VIEW_CHANNEL else 0


def to_write_in(channel: Channel) -> int:
    """Return the bit that lets somebody write in a channel."""
    return SEND_MESSAGES if channel.thread is None else SEND_IN_THREADS


def timed_out(guild: Guild, member: Member) -> bool:
    """Whether a moderator's timeout still silences a member."""
    return member.timed_out_until is not None and member.timed_out_until > guild.world.clock.now()


def outranks(guild: Guild, member: Member, other: Member | Role) -> bool:
    """Whether a member stands above another one, or above a role, in the hierarchy of roles.

    The owner stands above everybody. Of two roles at one position the older is the higher.
    """
    if member.user.id == guild.owner_id:
        return True
    if isinstance(other, Role):
        return _rank(guild, member) > (other.position, -other.id)
    return other.user.id != guild.owner_id and _rank(guild, member) > _rank(guild, other)


def _rank(guild: Guild, member: Member) -> tuple[int, int]:
    held = (guild.roles[each] for each in member.roles)
    return max(((role.position, -role.id) for role in held), default=(0, -guild.id))


def _from_roles(guild: Guild, member: Member) -> int:
    if member.user.id == guild.owner_id:
        return ALL
    bits = guild.roles[guild.id].permissions
    for role_id in member.roles:
        bits |= guild.roles[role_id].permissions
    return ALL if bits & ADMINISTRATOR else bits
