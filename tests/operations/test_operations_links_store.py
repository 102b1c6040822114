"""Links of sessions in the store, on both databases: kept once, forgotten, never folded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from support.operations import SUNDAY, at, sat

from core.database import CORE_SCHEMA, Database, Schema, VoiceSession
from core.events import KeptVoice, SessionRecord
from core.stays.folding import Kept, fold_some
from plugins.operations import ChannelRef, register_schema, store
from plugins.operations.models import OperationSession
from plugins.operations.rules.linking import Roles

GUILD, OFFICER = 700, 5
ALPHA, LOUNGE = 11, 99
QUARTZ, BERYL = 1, 2


@pytest.fixture
def schemas() -> Sequence[Schema]:
    return [CORE_SCHEMA, register_schema()]


class Guild:
    """Short ways to the store."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def write(self, function: Any, *args: Any, **options: Any) -> Any:
        return await self.database.write(function, *args, key=GUILD, **options)

    async def start(self, when: float = 0, roles: Roles | None = None) -> int:
        operation, _fresh = await self.write(
            store.start,
            GUILD,
            SUNDAY,
            [ChannelRef(ALPHA, "Alpha")],
            title="Sunday Mining",
            initiator_id=OFFICER,
            text_channel_id=1,
            at=at(when),
            roles=roles or Roles(),
        )
        return int(operation.id)

    async def end(self, operation: int, when: float, roles: Roles | None = None) -> dict[int, int]:
        ended = await self.write(store.end, GUILD, operation, OFFICER, at(when), {}, roles=roles or Roles())
        return {each.user_id: each.seconds // 60 for each in ended.participants}

    async def links(self) -> list[tuple[int, int, str]]:
        rows: Any = OperationSession.select().order_by(OperationSession.user_id, OperationSession.since)
        return await self.database.read(lambda: [(row.user_id, row.session_id, row.reason) for row in rows])


@pytest.fixture
def guild(database: Database) -> Guild:
    return Guild(database)


def one_session() -> SessionRecord:
    row: Any = VoiceSession.select().get()
    return SessionRecord(row.id, row.guild_id, row.user_id, row.channel_id, row.joined, row.left)


async def test_the_same_event_twice_is_one_decision(guild: Guild) -> None:
    await guild.start()
    await guild.write(sat, GUILD, QUARTZ, ALPHA, 10, None)
    session = await guild.database.read(one_session)
    asked = Roles(required=True, held={QUARTZ: False})
    for _again in range(2):
        await guild.write(store.link_session, GUILD, session, asked, at(11))
    assert [reason for *_rest, reason in await guild.links()] == ["role"]
    for _again in range(2):
        await guild.write(store.change_role, GUILD, QUARTZ, True, at(20), at(21))
        await guild.write(store.resync_links, GUILD, Roles(required=True, held={QUARTZ: True}), at(30))
    assert [reason for *_rest, reason in await guild.links()] == ["role", "counts"]


async def test_a_session_that_no_event_told_of_is_decided_on_at_the_end(guild: Guild) -> None:
    asked = Roles(required=True, held={QUARTZ: True, BERYL: False})
    await guild.write(sat, GUILD, BERYL, ALPHA, -5, None)
    operation = await guild.start(roles=asked)
    await guild.write(sat, GUILD, QUARTZ, ALPHA, 10, 40)
    await guild.write(sat, GUILD, 3, ALPHA, 10, 30)
    progress = await guild.database.read(store.progress, GUILD, operation, at(50), asked)
    assert {user: each.seconds // 60 for user, each in progress.credits.items()} == {QUARTZ: 30, 3: 20}
    # Nobody can tell of 3, who is not in the cache any more: it counts, and says why.
    assert await guild.end(operation, 60, asked) == {QUARTZ: 30, 3: 20}
    reasons = {user: reason for user, _session, reason in await guild.links()}
    assert reasons == {QUARTZ: "counts", BERYL: "role", 3: "unknown"}
    # What happens later changes nothing of an operation that has ended.
    await guild.write(store.change_role, GUILD, BERYL, True, at(1), at(70))
    assert {user: reason for user, _session, reason in await guild.links()} == reasons


async def test_nothing_that_an_operation_rests_on_is_folded(guild: Guild) -> None:
    operation = await guild.start()
    await guild.write(sat, GUILD, QUARTZ, ALPHA, -90, -60)
    await guild.write(sat, GUILD, QUARTZ, ALPHA, -10, 15)
    await guild.write(sat, GUILD, BERYL, LOUNGE, 20, 25)
    await guild.write(sat, GUILD, BERYL, ALPHA, 50, 100)
    await guild.write(sat, GUILD, BERYL, ALPHA, 110, 120)
    assert await guild.end(operation, 60) == {QUARTZ: 15, BERYL: 10}
    later = at(0) + timedelta(days=400)
    spans = await guild.database.read(store.resting_spans, GUILD, at(-90), later)
    kept = Kept(KeptVoice().and_spans(spans))
    assert (await guild.write(fold_some, GUILD, later, kept, None, 100)).sessions == 2
    again = await guild.database.read(store.evening, GUILD, operation, later)
    assert {each.user_id: each.seconds // 60 for each in again.members} == {QUARTZ: 15, BERYL: 10}


async def test_a_former_member_has_earned_what_they_earned(guild: Guild) -> None:
    operation = await guild.start()
    await guild.write(sat, GUILD, QUARTZ, ALPHA, 0, 30)
    await guild.end(operation, 60)
    kept = await guild.database.read(store.member_data, GUILD, QUARTZ)
    assert [(each["reason"], each["linked"]) for each in kept["sessions"]] == [("counts", True)]
    for _again in range(2):
        await guild.write(store.forget_member, GUILD, QUARTZ, -9)
    assert [user for user, *_rest in await guild.links()] == [-9]
    assert await guild.database.read(store.member_data, GUILD, QUARTZ) is None
