"""A million events through one world, with the log on: its memory stays as it is once it is full."""

from __future__ import annotations

import asyncio
import time

import psutil
import pytest

from benchmarks.child import bot_process
from benchmarks.scene import open_scene
from sandbox.server.messages import Upload

EVENTS = 1_000_000
FULL_AFTER = 200_000
EVERY = 50_000
MOST_GROWTH = 12 * 1024 * 1024
"""Bytes that the allocator may take from the first mark to the last; one byte an event would be 800 kB."""


@pytest.fixture
def judged_worlds() -> None:
    """Nothing is judged here: a validator would take all of the time."""


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_memory_is_flat_over_a_million_events(record_property: pytest.RecordProperty) -> None:
    process = psutil.Process()
    marks: list[int] = []
    async with open_scene(people=200) as scene:
        world, place = scene.world, scene.places[0]
        world.log.enabled = True
        # Small enough that all of it is full at the first mark.
        world.keep.stays, world.keep.messages, world.keep.file_bytes = 20_000, 1_000, 1 << 20
        async with bot_process("benchmarks.raw", scene.job("read", events=EVERY)) as client:
            await client.hear("ready")
            started = time.perf_counter()
            voice = 0
            for number in range(EVENTS):
                person = place.people[number % len(place.people)]
                if number % 100 == 99:
                    world.messages_room.create(
                        place.text,
                        person.user,
                        {"content": f"{number}"},
                        [Upload("0", "ore.txt", b"x" * 100)],
                    )
                else:
                    away = person.channel_id == place.voice[0].id
                    await person.join(place.voice[1 if away else 0])
                    voice += 1
                    if voice % EVERY == 0:
                        await client.hear("done")
                        await world.clock.advance(60)
                        if number >= FULL_AFTER:
                            marks.append(process.memory_info().rss)
                if number % 100 == 0:
                    await asyncio.sleep(0)
            seconds = time.perf_counter() - started
        assert len(world.log) == 10_000
        assert len(world.truth) <= 20_000
        assert len(world.messages_room.by_id) <= 1_000
        sat = world.truth.seconds(place.guild.id, place.people[0].id, [each.id for each in place.voice])
        assert sat == (world.clock.now() - world.clock.start).total_seconds()
    megabytes = [round(mark / 2**20, 1) for mark in marks]
    record_property("megabytes", megabytes)
    print(f"{EVENTS:,} events in {seconds:.0f} s; resident MB: {megabytes}")
    assert max(marks) - marks[0] < MOST_GROWTH
