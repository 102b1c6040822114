"""Plans of faults: the same seed, the same plan; all its kinds are kinds there are; a bot survives one."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest
from support.loopback import LoopbackBot, Place, eventually

from sandbox.server import Refused, World, WorldClock
from sandbox.server.control.faults import KINDS
from sandbox.server.plans import DRAWS, FaultPlan, draw

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
PLAN_OF_SEED_1 = [
    "+33.702 s http_status status=504 times=3 done=True",
    "+43.652 s http_status status=500 times=1 done=True",
    "+99.864 s invalid_session resumable=True",
]


def test_the_same_seed_draws_the_same_plan() -> None:
    assert draw(7) == draw(7)
    assert str(draw(7)) == str(draw(7))
    assert str(draw(7)) != str(draw(8))
    plan = draw(3, seconds=60, count=20, kinds=["hold", "delay"])
    assert plan == FaultPlan(3, 60, 20, ("hold", "delay"))
    assert {each.kind for each in plan.faults} == {"hold", "delay"}
    assert [each.after for each in plan.faults] == sorted(each.after for each in plan.faults)
    assert str(plan).startswith("fault plan: seed=3 seconds=60 count=20 kinds=hold,delay\n  +")


def test_a_plan_stays_what_it_was() -> None:
    """A recording names a seed: what it stands for must not change without anybody noticing."""
    plan = draw(1, seconds=100, count=3, kinds=["drop_gateway", "invalid_session", "http_status"])
    assert [str(each) for each in plan.faults] == PLAN_OF_SEED_1


@pytest.mark.parametrize("kind", DRAWS)
def test_every_kind_is_one_that_can_be_asked_for(kind: str) -> None:
    for seed in range(20):
        for _, name, fields in DRAWS[kind](Random(seed)):
            assert name in KINDS
            assert set(fields) <= set(KINDS[name].takes)


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"seconds": float("inf")}, {"count": 0}, {"kinds": []}, {"kinds": ["x"]}]
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Refused):
        draw(1, **wrong)  # type: ignore[arg-type]


async def test_every_kind_strikes_at_its_moment() -> None:
    world = World(WorldClock(START), seed=5)
    world.create_guild("Ember")
    plan = world.faults.plan(2, seconds=600, count=60)
    assert world.plans == [plan]
    await world.clock.advance(1300)
    struck = [(each["at"], each["words"]) for each in world.log if each["kind"] == "note"]
    words = [each for _, each in struck if each.startswith("planned fault")]
    assert len(words) == len(plan.faults)
    assert sum("left out" in each for each in words) < len(words) / 2
    assert [each["verb"] for each in world.log if each["kind"] == "act"] == ["create_guild", "plan"]


async def test_a_bot_lives_through_a_plan(place: Place) -> None:
    bot = LoopbackBot(place.server)
    await bot.begin(place.world.token)
    kinds = ["drop_gateway", "invalid_session", "reconnect", "duplicate", "reorder", "hold", "guild_outage"]
    place.world.faults.plan(11, seconds=120, count=6, kinds=kinds)
    for step in range(12):
        await (place.quartz.join(place.dispatch) if step % 2 == 0 else place.quartz.leave())
        await place.world.clock.advance(120)
    place.world.faults.release()
    await place.quartz.join(place.alpha)
    guild = bot.get_guild(place.guild.id)

    def seen() -> bool:
        guild = bot.get_guild(place.guild.id)
        member = guild.get_member(place.quartz.id) if guild else None
        state = member.voice if member else None
        return bool(state and state.channel and state.channel.id == place.alpha.id)

    assert guild is not None
    assert await eventually(seen)
    await bot.end()
