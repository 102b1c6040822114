"""What a world keeps of the past is bounded, and nobody is told something wrong for it."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest
from support.loopback import LoopbackBot, Place

from sandbox.server import Keep, Refused, World
from sandbox.server.messages import Upload


async def test_stays_that_are_let_go_still_count() -> None:
    world = World(keep=Keep(stays=4))
    guild = world.create_guild("Ember Prospectors")
    quartz, beryl = guild.add_member("quartz"), guild.add_member("beryl")
    alpha, bravo = guild.create_channel("Alpha", 2), guild.create_channel("Bravo", 2)
    start = world.clock.now()
    await beryl.join(bravo)
    for _ in range(10):
        await quartz.join(alpha)
        await world.clock.advance(60)
        await quartz.join(bravo)
        await world.clock.advance(30)
    await quartz.leave()
    end = world.clock.now()
    assert len(world.truth) == len(world.truth.stays) == 4
    assert next(iter(world.truth)).user_id == beryl.id, "who still sits is never let go"
    assert world.truth.seconds(guild.id, quartz.id, [alpha.id]) == 600
    assert world.truth.seconds(guild.id, quartz.id, [alpha.id, bravo.id]) == 900
    assert world.truth.seconds(guild.id, beryl.id, [bravo.id], [(start, None)]) == 900
    assert world.truth.seconds(guild.id, quartz.id, [alpha.id], [(start, end)]) == 600
    last = end - timedelta(seconds=90)
    assert world.truth.seconds(guild.id, quartz.id, [alpha.id, bravo.id], [(last, end)]) == 90
    before = start - timedelta(hours=1)
    assert world.truth.seconds(guild.id, quartz.id, [alpha.id], [(before, start)]) == 0
    assert world.truth.seconds(guild.id, quartz.id, [17], [(last, end)]) == 0
    with pytest.raises(LookupError, match="keep more than 4"):
        world.truth.seconds(guild.id, quartz.id, [alpha.id], [(start + timedelta(seconds=100), end)])


async def test_the_oldest_messages_go_with_their_files(place: Place, bot: LoopbackBot) -> None:
    place.world.keep.messages = 20
    channel = place.text
    first = place.world.messages_room.create(
        channel, place.quartz.user, {"content": "first"}, [Upload("0", "ore.txt", b"gold")]
    )
    assert place.world.attachment(first.id, "ore.txt") == b"gold"
    (file,) = first.attachments
    for number in range(100):
        await place.quartz.send(channel, f"line {number}")
        assert len(place.world.messages_room.by_id) <= 20
    seen = [message["content"] for message in place.world.messages(channel.id)]
    assert seen[-1] == "line 99"
    assert 17 <= len(seen) <= 20
    assert len(place.world.messages_room.files) == 0
    with pytest.raises(Refused, match="there is no message"):
        place.world.attachment(first.id, "ore.txt")
    where = place.server.addresses.rest.removesuffix("/api/v10")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{where}/attachments/{channel.id}/{file.id}/ore.txt") as answer,
    ):
        assert answer.status == 404


async def test_the_oldest_files_go_and_say_so(place: Place) -> None:
    place.world.keep.file_bytes = 10_000
    room = place.world.messages_room
    made = [
        room.create(place.text, place.quartz.user, {"content": ""}, [Upload("0", "ore.bin", b"x" * 4_000)])
        for _ in range(3)
    ]
    assert len(room.files) == 2
    with pytest.raises(Refused, match=r"ore\.bin was let go"):
        place.world.attachment(made[0].id, "ore.bin")
    assert room.payload(made[0])["attachments"][0]["size"] == 4_000
    assert place.world.attachment(made[2].id, "ore.bin") == b"x" * 4_000


async def test_the_oldest_interactions_go(place: Place, bot: LoopbackBot) -> None:
    place.world.keep.interactions = 3
    outcomes = [await place.quartz.slash("drill form", channel=place.text) for _ in range(5)]
    kept = [outcome.interaction_id in place.world.interactions.by_id for outcome in outcomes]
    assert kept == [False, False, True, True, True]
