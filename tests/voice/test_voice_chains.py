"""Chains of stays, through the recorder; hubs that make a channel for each; on both backends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from support.recorder_stage import ALPHA, BETA, GUILD, OPAL, QUARTZ, Stage

from core.clock import SteppedClock
from core.database import Database
from core.stays.chains import Chain, chain_of, chain_with
from core.stays.voids import void_session

DISPATCH, HUB, AFK = 100, 150, 199
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
async def stage(database: Database, stepped_clock: SteppedClock) -> AsyncIterator[Stage]:
    made = await Stage(database, stepped_clock).go()
    yield made
    await made.recorder.close()


async def _chains(stage: Stage, user: int = QUARTZ) -> list[Chain]:
    await stage.recorder.idle()
    now = stage.clock.now()
    found: list[Chain] = await stage.db.read(chain_of, GUILD, user, now - DAY, now + DAY)
    return found


async def test_dispatch_alpha_bravo(stage: Stage) -> None:
    for channel, minutes in ((DISPATCH, 12), (ALPHA, 41), (BETA, 3)):
        stage.act(QUARTZ, channel)
        stage.act(OPAL, channel)
        await stage.clock.advance(minutes * 60)
    [chain] = await _chains(stage)
    now = stage.clock.now()
    assert chain.lengths(now) == [(DISPATCH, 12 * MINUTE), (ALPHA, 41 * MINUTE), (BETA, 3 * MINUTE)]
    assert (chain.first_channel, chain.final_channel, chain.current_channel) == (DISPATCH, BETA, BETA)
    assert (chain.user_id, chain.gaps) == (QUARTZ, timedelta())

    stage.act(QUARTZ, None)
    await stage.clock.advance(600)
    stage.act(QUARTZ, ALPHA)
    earlier, later = await _chains(stage)
    assert (earlier.final_channel, earlier.current_channel) == (BETA, None)
    assert (len(later.links), later.current_channel) == (1, ALPHA)
    for link in earlier.links:
        assert await stage.db.read(chain_with, GUILD, link.session.id) == earlier
    assert await stage.db.read(chain_with, GUILD + 1, earlier.links[0].session.id) is None
    assert await stage.db.read(chain_with, GUILD, 1) is None


async def test_a_chain_shows_outages_afk_time_and_what_was_voided(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    await stage.clock.advance(600)
    stage.recorder.disconnected(stage.clock.now())
    await stage.clock.advance(40)
    await stage.recorder.recover(0, GUILD, stage.present(quartz=BETA), "resume")
    await stage.clock.advance(60)
    stage.act(QUARTZ, AFK, afk=True)
    await stage.clock.advance(300)
    stage.act(QUARTZ, ALPHA)
    await stage.clock.advance(60)
    [chain] = await _chains(stage)
    void = chain.links[1].session.id
    await stage.db.write(void_session, GUILD, void, 900, "why", stage.clock.now(), key=GUILD)
    [chain] = await _chains(stage)
    assert [(link.channel_id, link.session.afk, link.session.status) for link in chain.links] == [
        (ALPHA, False, "completed"),
        (BETA, False, "cancelled"),
        (AFK, True, "completed"),
        (ALPHA, False, "active"),
    ]
    assert [link.gap for link in chain.links] == [
        timedelta(),
        timedelta(seconds=40),
        timedelta(),
        timedelta(),
    ]
    assert chain.lengths(stage.clock.now())[2] == (AFK, 5 * MINUTE)


async def test_the_span_cuts_a_chain(stage: Stage) -> None:
    for channel in (DISPATCH, ALPHA, BETA):
        stage.act(QUARTZ, channel)
        await stage.clock.advance(600)
    await stage.recorder.idle()
    now = stage.clock.now()
    start, end = now - timedelta(minutes=20), now - timedelta(minutes=10)
    [chain] = await stage.db.read(chain_of, GUILD, QUARTZ, start, end)
    assert [link.channel_id for link in chain.links] == [ALPHA]


async def test_people_at_a_hub_at_once_do_not_mix(stage: Stage) -> None:
    people = range(20, 30)
    for user in people:
        stage.act(user, DISPATCH)
    await stage.clock.advance(60)
    for user in people:
        stage.act(user, HUB)
        await stage.clock.advance(0.04)
    for user in reversed(people):
        stage.act(user, 1000 + user)
        await stage.clock.advance(0.04)
    await stage.clock.advance(60)
    for user in people:
        [chain] = await _chains(stage, user)
        assert [link.channel_id for link in chain.links] == [DISPATCH, 1000 + user]
        first, second = (link.session for link in chain.links)
        assert (second.previous_id, second.joined) == (first.id, first.left)
        assert (first.via_channel_id, second.via_channel_id) == (None, HUB)
        assert chain.gaps == timedelta()


async def test_a_chain_that_begins_at_a_hub_says_so(stage: Stage) -> None:
    stage.act(QUARTZ, HUB)
    await stage.clock.advance(0.3)
    stage.act(QUARTZ, BETA)
    await stage.clock.advance(0.3)
    stage.act(QUARTZ, ALPHA)
    await stage.clock.advance(60)
    stage.act(QUARTZ, None)
    [chain] = await _chains(stage)
    assert [(link.channel_id, link.session.via_channel_id) for link in chain.links] == [(ALPHA, HUB)]
    assert (chain.first_channel, chain.final_channel, chain.current_channel) == (HUB, ALPHA, None)


async def test_a_hub_in_which_somebody_stays_is_a_stay_of_its_own(stage: Stage) -> None:
    stage.act(QUARTZ, HUB)
    await stage.clock.advance(1)
    stage.act(QUARTZ, ALPHA)
    await stage.clock.advance(60)
    [chain] = await _chains(stage)
    assert chain.lengths(stage.clock.now()) == [(HUB, timedelta(seconds=1)), (ALPHA, MINUTE)]


async def test_a_long_chain_among_many_others_is_followed_in_pieces(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.stays.chains.STAYS_AT_ONCE", 4)
    for evening in range(6):
        for step in range(9 if evening == 2 else 4):
            stage.act(QUARTZ, ALPHA if step % 2 else BETA)
            await stage.clock.advance(60)
        stage.act(QUARTZ, None)
        await stage.clock.advance(60)
    every = await _chains(stage)
    assert [len(chain.links) for chain in every] == [4, 4, 9, 4, 4, 4]

    def follow(session_id: int) -> tuple[Chain | None, int]:
        rows = 0

        def note(event: object) -> None:
            nonlocal rows
            rows += 1

        stage.db.backend.query_hooks.append(note)
        try:
            return chain_with(GUILD, session_id), rows
        finally:
            stage.db.backend.query_hooks.remove(note)

    for chain in every:
        for link in chain.links:
            found, statements = await stage.db.read(follow, link.session.id)
            assert found == chain
            assert 2 <= statements <= 3 + len(chain.links) // 4 + 1
