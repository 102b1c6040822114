"""Scenes to start from: guilds with their channels, roles and people, everybody still at home."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from sandbox.server import Person, World
from sandbox.server.channels import Channel
from sandbox.server.guilds import Guild
from sandbox.server.members import Role

TEXT, VOICE, CATEGORY = 0, 2, 4
MANAGE_EVENTS = 1 << 33
MOST_MEMBERS, MOST_CHANNELS = 200, 40

_MINERALS = """
quartz beryl garnet agate onyx citrine peridot zircon spinel apatite azurite barite biotite borax calcite
celestine cinnabar cobaltite cooperite corundum cuprite diopside dolomite epidote feldspar fluorite galena
goethite gypsum halite hematite ilmenite jadeite kyanite lazurite malachite mica olivine pyrite rutile
""".split()  # noqa: SIM905 - forty quoted names read worse
_TINTS = ("rosy", "smoky", "milky", "banded")
_ROCKS = ("pumice", "gabbro", "dacite")

_PHONETIC = """
Alpha Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec
Romeo Sierra Tango Uniform Victor Whiskey Xray Yankee Zulu
""".split()  # noqa: SIM905 - the alphabet reads better as one


@dataclass(frozen=True, slots=True)
class Place:
    """One guild of a scene and what is in it; `members` are neither the owner nor the officer."""

    guild: Guild
    voice_channels: list[Channel]
    hub: Channel
    lounge: Channel
    afk: Channel
    text: Channel
    general: Channel
    owner: Person
    officer: Person
    members: list[Person]


@dataclass(frozen=True, slots=True)
class Scene:
    """A world set for a story: its main guild spelt out, and a second guild of the same shape.

    `voice_channels` are those that a mining session uses, Dispatch first; `hub` is the join-to-create
    channel, `lounge` and `afk` are never part of a session; `text` is #mining-ops.
    """

    world: World
    guild: Guild
    second_guild: Guild
    voice_channels: list[Channel]
    hub: Channel
    lounge: Channel
    afk: Channel
    text: Channel
    general: Channel
    owner: Person
    officer: Person
    members: list[Person]
    second: Place


def sunday(world: World, *, members: int = 24, channels: int = 7, seed: int = 0) -> Scene:
    """Set the scene for a Sunday mining session in "Ember Prospectors", with "Basalt Haulers" beside it.

    `members` ordinary members (0 to 200), `channels` mining voice channels (1 to 40); `seed` decides who goes
    by a nickname. Nobody sits in a voice channel yet. Raises ValueError, in words, for numbers out of range.
    """
    if not 0 <= members <= MOST_MEMBERS:
        raise ValueError(f"members must be between 0 and {MOST_MEMBERS}, not {members}")
    if not 1 <= channels <= MOST_CHANNELS:
        raise ValueError(f"channels must be between 1 and {MOST_CHANNELS}, not {channels}")
    random = Random(seed)
    names = list(itertools.islice(_handles(), members))
    first = _place(world, "Ember Prospectors", ("opal", "topaz"), names, channels=channels, random=random)
    second = _place(world, "Basalt Haulers", ("obsidian", "jasper"), _ROCKS, channels=7, random=random)
    return Scene(
        world=world,
        guild=first.guild,
        second_guild=second.guild,
        voice_channels=first.voice_channels,
        hub=first.hub,
        lounge=first.lounge,
        afk=first.afk,
        text=first.text,
        general=first.general,
        owner=first.owner,
        officer=first.officer,
        members=first.members,
        second=second,
    )


STORIES: dict[str, Callable[..., Scene]] = {"sunday": sunday}


def channel_names(count: int) -> list[str]:
    """Names for mining voice channels: Dispatch, the radio alphabet, then numbered crews."""
    names = itertools.chain(["Dispatch"], _PHONETIC, (f"Crew {n}" for n in itertools.count(1)))
    return list(itertools.islice(names, count))


def _handles() -> Iterator[str]:
    """User names without end in sight: 40 minerals, then their tints (200 in all)."""
    yield from _MINERALS
    for tint in _TINTS:
        yield from (f"{tint}_{mineral}" for mineral in _MINERALS)


def _place(
    world: World, name: str, leaders: tuple[str, str], names: Iterable[str], *, channels: int, random: Random
) -> Place:
    guild = world.create_guild(name, owner=leaders[0])
    # A later role stands higher, and gives its holders their place in lists of people.
    member_role = guild.create_role("Member")
    officer_role = guild.create_role("Officer", permissions=MANAGE_EVENTS)
    base = guild.create_channel("Base", type=CATEGORY)
    general = guild.create_channel("general", type=TEXT, parent=base)
    mining_ops = guild.create_channel("mining-ops", type=TEXT, parent=base)
    field = guild.create_channel("Mining", type=CATEGORY)
    voice = [guild.create_channel(each, type=VOICE, parent=field) for each in channel_names(channels)]
    rest = guild.create_channel("Off duty", type=CATEGORY)
    # Beside the mining channels, so that adding their category adds only places where people mine.
    hub = guild.create_channel("Create a crew", type=VOICE, parent=rest)
    guild.create_hub(hub, "{name}'s crew")
    lounge = guild.create_channel("Lounge", type=VOICE, parent=rest)
    afk = guild.create_channel("Away", type=VOICE, parent=rest)
    guild.set_afk_channel(afk)
    return Place(
        guild=guild,
        voice_channels=voice,
        hub=hub,
        lounge=lounge,
        afk=afk,
        text=mining_ops,
        general=general,
        owner=world.person(guild.id, guild.owner_id),
        officer=guild.add_member(leaders[1], roles=[officer_role, member_role]),
        members=_people(guild, names, [member_role], random),
    )


def _people(guild: Guild, names: Iterable[str], roles: Sequence[Role], random: Random) -> list[Person]:
    tag = guild.name.split()[0]
    people = []
    for name in names:
        shown = name.replace("_", " ").title()
        # About a third goes by a name of the guild's own, as in any real guild.
        nick = f"{shown} [{tag}]" if random.random() < 0.33 else None
        people.append(guild.add_member(name, roles=list(roles), nick=nick, global_name=shown))
    return people
