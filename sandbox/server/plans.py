"""Plans of faults that a seed draws: the same seed breaks the same things at the same moments again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.server.errors import Refused

if TYPE_CHECKING:
    from sandbox.server.world import World

Json = dict[str, Any]
Drawn = list[tuple[float, str, Json]]
"""What one draw gives: seconds after its moment, a kind of fault, and its fields as for POST /faults."""

Perform = Callable[["World", str, Json, int | None], Json]
"""Does a fault of a kind, with its fields, to a guild or to all. Raises Refused."""

_VOICE_STEPS = ("no_server_update", "handshake", "close_after_hello", "session_invalid", "no_discovery")
_MOST = 10_000


def _one(kind: str, **fields: Any) -> Drawn:
    return [(0.0, kind, fields)]


def _outage(random: Random) -> Drawn:
    return [(0.0, "guild_outage", {}), (random.uniform(1, 600), "guild_return", {})]


def _delay(random: Random) -> Drawn:
    late = round(random.uniform(0.05, 20), 3)
    return [(0.0, "delay", {"seconds": late}), (random.uniform(30, 300), "delay", {"seconds": 0})]


DRAWS: dict[str, Callable[[Random], Drawn]] = {
    "drop_gateway": lambda random: _one(
        "drop_gateway", hold_seconds=random.choice((0, 0, round(random.uniform(1, 900), 3)))
    ),
    "invalid_session": lambda random: _one("invalid_session", resumable=random.random() < 0.5),
    "reconnect": lambda random: _one("reconnect"),
    "duplicate": lambda random: _one("duplicate", count=random.randint(1, 5)),
    "reorder": lambda random: _one("reorder", count=random.randint(2, 5)),
    "hold": lambda random: _one(
        "hold", seconds=round(random.uniform(1, 120), 3), mixed=random.random() < 0.3
    ),
    "replay": lambda random: _one("replay", count=random.randint(1, 5), mixed=random.random() < 0.3),
    "delay": _delay,
    "guild_outage": _outage,
    "http_status": lambda random: _one(
        "http_status",
        status=random.choice((500, 502, 503, 504)),
        times=random.randint(1, 3),
        done=random.random() < 0.3,
    ),
    "http_slow": lambda random: _one(
        "http_slow", seconds=round(random.uniform(0.05, 0.5), 3), times=random.randint(1, 3)
    ),
    "http_drop": lambda random: _one(
        "http_drop", times=random.randint(1, 2), midway=random.random() < 0.5, done=random.random() < 0.5
    ),
    "rate_limit": lambda random: _one(
        "rate_limit",
        retry_after=round(random.uniform(0.05, 0.5), 3),
        scope=random.choice(("user", "shared", "global")),
    ),
    "voice_refusal": lambda random: _one(
        "voice_refusal", step=random.choice(_VOICE_STEPS), times=random.randint(1, 2)
    ),
    "voice_region": lambda random: _one("voice_region", after_seconds=round(random.uniform(0, 5), 3)),
}
"""How a plan draws each kind of fault it knows; add a line to let plans break something more."""

_perform: list[Perform] = []
_FOR_A_GUILD = frozenset({"guild_outage", "guild_return"})


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault: seconds of sandbox time after the plan's start, its kind and fields, and which guild."""

    after: float
    kind: str
    fields: Json
    guild: int | None = None

    def __str__(self) -> str:
        fields = "".join(f" {name}={value}" for name, value in self.fields.items())
        where = "" if self.guild is None else f" guild #{self.guild}"
        return f"+{self.after:.3f} s {self.kind}{fields}{where}"


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """``count`` faults of some ``kinds`` (None: all that plans know), drawn over ``seconds`` of sandbox time.

    The plan is the same for the same arguments, whatever world it is carried out in. Raises Refused for
    arguments that make no sense.
    """

    seed: int
    seconds: float = 3600.0
    count: int = 8
    kinds: tuple[str, ...] = tuple(DRAWS)
    faults: tuple[PlannedFault, ...] = field(init=False)

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in DRAWS]
        if unknown or not self.kinds:
            raise Refused(f"a plan draws from {', '.join(DRAWS)}, not from {', '.join(unknown) or 'nothing'}")
        if not 0 < self.seconds < float("inf") or not 1 <= self.count <= _MOST:
            raise Refused(f"a plan has 1 to {_MOST} faults in more than 0 seconds")
        # A text seeds the same on every version and machine; a tuple's hash would not.
        random = Random(f"plan {self.seed}")
        drawn: list[PlannedFault] = []
        for _ in range(self.count):
            moment = random.uniform(0, self.seconds)
            share = random.randrange(1_000_000)
            for later, kind, fields in DRAWS[random.choice(self.kinds)](random):
                guild = share if kind in _FOR_A_GUILD else None
                drawn.append(PlannedFault(round(moment + later, 3), kind, fields, guild))
        object.__setattr__(self, "faults", tuple(sorted(drawn, key=lambda each: each.after)))

    def __str__(self) -> str:
        head = f"fault plan: seed={self.seed} seconds={self.seconds:g} count={self.count}"
        if self.kinds != tuple(DRAWS):
            head += f" kinds={','.join(self.kinds)}"
        return "\n".join([head, *(f"  {each}" for each in self.faults)])

    def start(self, world: World) -> None:
        """Carry the plan out from now on; a fault that makes no sense when it is due is noted and left."""
        world.plans.append(self)
        for each in self.faults:
            world.clock.call_later(each.after, functools.partial(_strike, world, each))


def performed_by(perform: Perform) -> None:
    """Let plans carry their faults out by this table of kinds, which stands above the world."""
    _perform.append(perform)


def draw(
    seed: int, seconds: float = 3600.0, count: int = 8, kinds: Collection[str] | None = None
) -> FaultPlan:
    """Draw a plan; ``kinds`` None: all that plans know. Raises Refused for arguments that make no sense."""
    return FaultPlan(seed, seconds, count, tuple(DRAWS) if kinds is None else tuple(kinds))


async def _strike(world: World, planned: PlannedFault) -> None:
    guilds = sorted(world.guilds)
    guild_id = None
    if planned.guild is not None:
        if not guilds:
            return
        guild_id = guilds[planned.guild % len(guilds)]
    try:
        _perform[-1](world, planned.kind, planned.fields, guild_id)
    except Refused as refusal:
        world.log.note(f"planned fault left out: {planned} ({refusal})")
    else:
        world.log.note(f"planned fault: {planned}")
