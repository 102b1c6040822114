"""What happens in the demo, and when: a Sunday session written down beforehand, from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

#: Least and most that the demo can be asked for; a guild tracks at most 25 channels.
MEMBERS = (1, 200)
CHANNELS = (1, 25)
MINUTES = (5, 720)

#: Seconds before the start from which the first members sit in voice.
EARLY = 240.0
#: Mean length of a stay in one channel, in seconds.
STAY = 1_500.0


class Act(StrEnum):
    """Something that happens."""

    SIT = "sit"
    LOUNGE = "lounge"
    HUB = "hub"
    LEAVE = "leave"
    DEAFEN = "deafen"
    UNDEAFEN = "undeafen"
    START = "start"
    DROP = "drop"
    CRASH = "crash"
    RETURN = "return"
    STOP = "stop"


@dataclass(frozen=True, slots=True, order=True)
class Beat:
    """One thing that happens.

    :param at: seconds from the start of the operation; negative ones are before it.
    :param number: keeps beats of one moment in the order in which they were written.
    :param member: index of who acts, None for the story's own beats.
    :param channel: index of the mining channel to sit in.
    :param seconds: how long an outage lasts.
    """

    at: float
    number: int
    act: Act = field(compare=False)
    member: int | None = field(default=None, compare=False)
    channel: int | None = field(default=None, compare=False)
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Plot:
    """The whole story.

    :param beats: in the order of their times.
    :param outages: spans in which the bot hears nothing, in seconds from the start.
    """

    beats: list[Beat]
    outages: list[tuple[float, float]]
    length: float

    def in_outage(self, at: float) -> bool:
        """Say whether the bot hears nothing at a moment."""
        return any(begin <= at < end for begin, end in self.outages)


class _Writer:
    def __init__(self, random: Random, members: int, channels: int, length: float) -> None:
        self.random = random
        self.members = members
        self.channels = channels
        self.length = length
        self.beats: list[Beat] = []

    def add(
        self,
        at: float,
        act: Act,
        member: int | None = None,
        channel: int | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.beats.append(Beat(round(at, 3), len(self.beats), act, member, channel, seconds))

    def anywhere(self) -> int:
        return self.random.randrange(self.channels)

    def evening_of(self, member: int) -> None:
        """Write one member's way through the evening."""
        random = self.random
        early = random.random() < 0.2 or member < 2
        at = random.uniform(-EARLY, -1.0) if early else random.uniform(1.0, self.length * 0.3)
        home = self.length * (random.uniform(0.5, 0.95) if random.random() < 0.3 else 2.0)
        # The first crew gathers in Dispatch; most of the later ones go straight to their group.
        self.add(at, Act.SIT, member, 0 if early else self.anywhere())
        while True:
            at += max(20.0, random.expovariate(1 / STAY))
            if at >= min(home, self.length - 1.0):
                break
            chance = random.random()
            if chance < 0.72:
                self.add(at, Act.SIT, member, self.anywhere())
                continue
            self.add(at, Act.LOUNGE if chance < 0.85 else Act.LEAVE, member)
            at += random.uniform(30.0, 420.0)
            if at >= min(home, self.length - 1.0):
                return
            self.add(at, Act.SIT, member, self.anywhere())
        if home < self.length:
            self.add(home, Act.LEAVE, member)

    def busy_outage(self, begin: float, end: float, crowd: int) -> None:
        """Make sure that people move, leave, come and come back while the bot hears nothing."""
        random = self.random
        for count, member in enumerate(random.sample(range(self.members), min(crowd, self.members))):
            at = random.uniform(begin + 0.1 * (end - begin), end - 0.3 * (end - begin))
            if count % 4 == 3:
                self.add(at, Act.LEAVE, member)
                self.add(at + 0.2 * (end - begin), Act.SIT, member, self.anywhere())
            else:
                self.add(at, Act.LEAVE if count % 4 == 1 else Act.SIT, member, self.anywhere())


def write_plot(*, seed: int, members: int, channels: int, minutes: int) -> Plot:
    """Write the story of one Sunday.

    :param seed: the same numbers give the same story.
    :param minutes: length of the operation.
    :raises ValueError: a number out of range; the message says the range.
    """
    for name, value, (least, most) in (
        ("members", members, MEMBERS),
        ("channels", channels, CHANNELS),
        ("minutes", minutes, MINUTES),
    ):
        if not least <= value <= most:
            raise ValueError(f"{name} must be from {least} to {most}, not {value}")
    random = Random(seed)
    length = minutes * 60.0
    writer = _Writer(random, members, channels, length)
    for member in range(members):
        writer.evening_of(member)
    writer.add(0.0, Act.START)

    hub_guest = random.randrange(members)
    writer.add(length * 0.12 + 0.5, Act.HUB, hub_guest)
    writer.add(length * 0.12 + min(240.0, length * 0.1), Act.SIT, hub_guest, writer.anywhere())

    listener = random.randrange(members)
    writer.add(length * 0.2, Act.DEAFEN, listener)
    writer.add(length * 0.2 + min(600.0, length * 0.2), Act.UNDEAFEN, listener)

    drop = (length * 0.33, min(random.uniform(6.0, 25.0), length * 0.05))
    writer.add(drop[0], Act.DROP, seconds=drop[1])
    writer.busy_outage(drop[0], drop[0] + drop[1], max(1, members // 12))

    crash = (length * 0.55, min(random.uniform(45.0, 120.0), length * 0.1))
    writer.add(crash[0], Act.CRASH, seconds=crash[1])
    writer.busy_outage(crash[0], crash[0] + crash[1], max(1, members // 6))
    writer.add(crash[0] + crash[1], Act.RETURN)

    writer.add(length, Act.STOP)
    outages = [(round(begin, 3), round(begin + span, 3)) for begin, span in (drop, crash)]
    return Plot(sorted(writer.beats), outages, length)
