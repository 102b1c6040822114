"""The example plugin, end to end: migrations, command, form, button after a restart, job once."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import shift_log
from shift_log import store
from support.openapi_judge import attach

from core.database import CORE_SCHEMA, GuildPlugin, JobRow, drift, migrate_down, migrate_up
from core.events import MemberDataAsked, MemberForgotten
from sandbox.server import Outcome, Person
from sandbox.stage import Stage

SCHEMA = shift_log.register_schema()
SCHEMAS = [CORE_SCHEMA, SCHEMA]
#: Seconds after which a remark of before has waited too long.
LATER = 2 * 3600 + 1


async def open_form(stage: Stage, person: Person) -> int:
    form = await stage.slash(person, "shift note")
    assert form.kind == "modal"
    assert form.interaction_id is not None
    return form.interaction_id


async def write(stage: Stage, text: str = "Drill 3 is worn out.", person: Person | None = None) -> Outcome:
    member = person or stage.scene.members[0]
    outcome = await member.submit(await open_form(stage, member), {"text": text})
    await stage.settle()
    return outcome


def posted(stage: Stage) -> list[dict[str, Any]]:
    return stage.world.messages(stage.scene.text.id)


def titles(stage: Stage) -> list[str]:
    return [message["embeds"][0]["title"] for message in posted(stage)]


def private(outcome: Outcome) -> str:
    assert outcome.message is not None
    assert outcome.message["flags"] & 64, "only the member who asked reads this"
    return str(outcome.message["content"])


def jobs() -> list[tuple[str, str, int]]:
    mine: Any = JobRow.select(JobRow.key, JobRow.state, JobRow.attempts).where(JobRow.plugin == "shift_log")
    rows: Any = mine.order_by(JobRow.id).tuples()
    return list(rows)


def set_settings(guild_id: int, settings: dict[str, Any]) -> None:
    GuildPlugin.update(settings=settings).where(
        GuildPlugin.guild_id == guild_id, GuildPlugin.plugin == "shift_log"
    ).execute()


def test_migrations_make_what_the_models_say(database_url: str) -> None:
    first, second = "shift_log/0001_initial", "shift_log/0002_reminded_at"
    migrate_up(database_url, SCHEMAS)
    assert drift(database_url, SCHEMAS) == []
    assert migrate_down(database_url, SCHEMA, "0001_initial") == [second]
    assert drift(database_url, SCHEMAS) == ["shift_log_remark.reminded_at: the column is missing"]
    assert migrate_up(database_url, SCHEMAS) == [second]
    assert migrate_down(database_url, SCHEMA) == [second, first]
    assert migrate_up(database_url, SCHEMAS) == [first, second]
    assert drift(database_url, SCHEMAS) == []


async def test_rows_outlive_a_migration(each_stage: Stage) -> None:
    stage = each_stage
    await write(stage)
    await stage.stop_bot()
    url = stage.settings.database_url
    assert migrate_down(url, SCHEMA, "0001_initial") == ["shift_log/0002_reminded_at"]
    await stage.start_bot()
    guild = stage.scene.guild.id
    (remark,) = await stage.runtime.db.read(store.newest_remarks, guild, 5)
    assert (remark.text, remark.reminded_at) == ("Drill 3 is worn out.", None)


async def test_a_remark_from_form_to_reminder_over_two_restarts(each_stage: Stage) -> None:
    stage, guild = each_stage, each_stage.scene.guild.id
    findings = attach(stage.world)
    member, officer = stage.scene.members[0], stage.scene.officer
    form = await open_form(stage, member)
    await stage.kill_bot()
    await stage.start_bot()
    await member.submit(form, {"text": "Drill 3 is *worn* out."})
    await stage.settle()
    assert titles(stage) == ["Remark #1"]
    assert posted(stage)[0]["embeds"][0]["description"] == r"Drill 3 is \*worn\* out."

    await stage.stop_bot()
    await stage.advance(LATER)
    await stage.start_bot()
    await stage.advance(1)
    assert titles(stage) == ["Remark #1", "Still unread: remark #1"]
    await stage.advance(LATER)
    assert titles(stage) == ["Remark #1", "Still unread: remark #1"]
    assert await stage.runtime.db.read(jobs) == [("remark-1", "done", 0)]

    refused = await member.click(posted(stage)[0]["id"], "shift_log:read:1")
    assert "This needs the rank officer; yours is member." in private(refused)
    await stage.kill_bot()
    await stage.start_bot()
    done = await officer.click(posted(stage)[0]["id"], "shift_log:read:1")
    assert done.kind == "update"
    assert posted(stage)[0]["components"] == []
    assert posted(stage)[0]["embeds"][0]["fields"][-1] == {
        "name": "Read by",
        "value": f"<@{officer.id}>",
        "inline": True,
    }
    await stage.scene.owner.click(posted(stage)[1]["id"], "shift_log:read:1")
    remark = await stage.runtime.db.read(store.get_remark, guild, 1)
    assert remark is not None
    assert remark.read_by == officer.id
    assert findings == []


async def test_what_was_read_is_not_brought_up_again(stage: Stage) -> None:
    await write(stage)
    await stage.scene.officer.click(posted(stage)[0]["id"], "shift_log:read:1")
    await stage.advance(LATER)
    assert titles(stage) == ["Remark #1"]
    assert await stage.runtime.db.read(jobs) == [("remark-1", "done", 0)]


async def test_the_same_interaction_is_stored_once(each_stage: Stage) -> None:
    await write(each_stage)
    ctx = each_stage.runtime.context_for("shift_log", each_stage.scene.guild.id)
    (remark,) = await ctx.read(store.newest_remarks, ctx.guild_id, 5)
    request = await ctx.read(request_of, remark.id)
    wait = each_stage.world.clock.now() - remark.written_at
    values: dict[str, Any] = {"channel_id": 1, "request_id": request, "at": ctx.clock.now(), "wait": wait}
    again = await ctx.write(
        store.add_remark, ctx.guild_id, 1, "x", "another text", job_id=ctx.ids.next(), **values
    )
    assert again == remark
    assert len(await each_stage.runtime.db.read(jobs)) == 1


def request_of(remark_id: int) -> int:
    row = shift_log.models.RemarkRow.get_by_id(remark_id)
    return int(row.request_id)


async def test_voice_sessions_are_counted_per_guild(each_stage: Stage) -> None:
    stage = each_stage
    first, second = stage.scene.members[:2]
    for person in (first, second):
        await person.join(stage.scene.voice_channels[0])
    await stage.advance(60)
    await first.move(stage.scene.voice_channels[1])
    await stage.advance(60)
    for person in (first, second):
        await person.leave()
    await stage.advance(1)
    counts = [
        await stage.runtime.db.read(store.ended_sessions, guild.id)
        for guild in (stage.scene.guild, stage.scene.second_guild)
    ]
    assert counts == [2, 0]


async def test_the_list_shows_the_newest_and_keeps_its_settings(each_stage: Stage) -> None:
    stage, guild = each_stage, each_stage.scene.guild.id
    member = stage.scene.members[0]
    empty = await stage.slash(member, "shift list")
    assert empty.message is not None
    assert empty.message["embeds"][0]["description"] == "No remarks yet. Leave one with /shift note."
    for text in ("one", "two", "three"):
        await write(stage, text)
        await stage.advance(1)
    await stage.scene.officer.click(posted(stage)[2]["id"], "shift_log:read:3")
    await stage.runtime.db.write(set_settings, guild, {"shown": 2, "remind_minutes": 5}, key=guild)
    await stage.stop_bot()
    await stage.start_bot()
    listed = await stage.slash(member, "shift list")
    assert listed.message is not None
    assert listed.message["flags"] & 64
    lines = listed.message["embeds"][0]["description"].splitlines()
    assert [line.split()[0] + line.split()[-1] for line in lines] == ["✓three", "•two"]
    await write(stage, "four")
    await stage.advance(5 * 60)
    assert titles(stage)[-1] == "Still unread: remark #4"


async def test_an_empty_remark_changes_nothing(stage: Stage) -> None:
    assert private(await write(stage, "   ")) == (
        "The remark is empty. Write a word or two, then send it again."
    )
    assert posted(stage) == []
    assert await stage.runtime.db.read(jobs) == []


async def test_a_remark_that_is_gone(stage: Stage) -> None:
    await write(stage)
    await stage.runtime.db.write(forget, key=stage.scene.guild.id)
    outcome = await stage.scene.officer.click(posted(stage)[0]["id"], "shift_log:read:1")
    assert private(outcome) == "This remark is gone. See what there is with /shift list."
    await stage.advance(LATER)
    assert await stage.runtime.db.read(jobs) == [("remark-1", "done", 0)]


def forget() -> None:
    shift_log.models.RemarkRow.delete().execute()


async def test_a_channel_that_is_gone_ends_the_reminder(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await write(stage)
    await stage.scene.owner.delete_channel(stage.scene.text)
    with caplog.at_level(logging.WARNING, "plugins.shift_log"):
        await stage.advance(LATER)
    assert "remark 1 cannot be brought up in" in caplog.text
    assert await stage.runtime.db.read(jobs) == [("remark-1", "done", 0)]


async def test_off_waits_and_on_goes_on(stage: Stage) -> None:
    guild = stage.scene.guild.id
    await write(stage)
    await stage.runtime.switch(guild, "shift_log", False, None)
    await stage.advance(LATER)
    assert titles(stage) == ["Remark #1"]
    assert [line for line in stage.scene.members[0].menu if line["command"].startswith("shift")] == []
    refused = await stage.scene.officer.click(posted(stage)[0]["id"], "shift_log:read:1")
    assert private(refused).startswith("Shift log is switched off in this server.")
    await stage.runtime.switch(guild, "shift_log", True, None)
    await stage.settle()
    assert titles(stage) == ["Remark #1", "Still unread: remark #1"]


async def test_a_member_is_told_everything_and_forgotten_for_good(each_stage: Stage) -> None:
    stage = each_stage
    member, officer, guild = stage.scene.members[0], stage.scene.officer, stage.scene.guild
    await write(stage)
    await write(stage, "Drill 4 too.", person=officer)
    first = posted(stage)[0]
    await officer.click(first["id"], first["components"][0]["components"][0]["custom_id"])
    await stage.settle()
    ask, now = stage.runtime.dispatcher.ask, stage.runtime.clock.now()

    async def kept(user_id: int) -> Any:
        event = MemberDataAsked(guild.id, user_id, now)
        return await ask("shift_log", guild.id, "collect_member_data", event)

    mine, theirs = await kept(member.id), await kept(officer.id)
    assert [each["text"] for each in mine["written"]] == ["Drill 3 is worn out."]
    assert (mine["read"], len(theirs["written"]), len(theirs["read"])) == ([], 1, 1)
    assert await kept(stage.scene.members[1].id) is None
    assert (
        await ask(
            "shift_log",
            stage.scene.second_guild.id,
            "collect_member_data",
            MemberDataAsked(0, member.id, now),
        )
        is None
    )

    for _twice in range(2):
        for user_id, stand_in in ((member.id, 11), (officer.id, 12)):
            event = MemberForgotten(guild.id, user_id, stand_in, now)
            await ask("shift_log", guild.id, "on_member_forgotten", event)
    assert await kept(member.id) is None
    assert await kept(officer.id) is None
    written = (await kept(11))["written"]
    assert [(each["name"], each["text"]) for each in written] == [("", "Drill 3 is worn out.")]
    assert len((await kept(12))["read"]) == 1


async def test_officers_find_its_page_of_help(stage: Stage) -> None:
    topic = {"topic": "shift_log.reminders"}
    told = await stage.slash(stage.scene.officer, "help", topic)
    assert "is brought up again, once" in str(told.message)
    refused = await stage.slash(stage.scene.members[0], "help", topic)
    assert "is brought up again, once" not in str(refused.message)
