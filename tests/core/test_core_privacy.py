"""Export and forget: who may, what is named when it is missing, and a forgetting that goes on until done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.all_tables import tables_with
from support.mining import said
from support.panels import buttons_of, text_of
from support.plugin_folder import PluginFolder

from core.database import AuditEntry, JobRow, User
from sandbox.server import Outcome, Person
from sandbox.stage import Stage

#: Keeps a note per member; `fails` in its module makes its hooks fail.
DIARY = """
from pathlib import Path
from redlegion.database import BaseModel, Guild, Reference, Snowflake, Text
from core.events import MemberDataAsked, MemberForgotten

fails = []

class Page(BaseModel):
    guild_id = Reference(Guild)
    user_id = Snowflake()
    name = Text()
    class Meta:
        table_name = "diary_page"

@hookimpl
def register_schema():
    return Schema("diary", (Page,), Path(__file__).parent / "migrations")

def pages(guild_id, user_id):
    rows = Page.select().where(Page.guild_id == guild_id, Page.user_id == user_id)
    return [row.name for row in rows]

def write(guild_id, user_id, name):
    from redlegion.database import ensure_guild
    ensure_guild(guild_id)
    Page.create(guild_id=guild_id, user_id=user_id, name=name)

def forget(guild_id, user_id, stand_in):
    Page.update(user_id=stand_in, name="").where(Page.guild_id == guild_id, Page.user_id == user_id).execute()

@hookimpl
async def collect_member_data(ctx, event):
    if "collect" in fails:
        raise RuntimeError("the ink has run out")
    if "nonsense" in fails:
        return {"pen": object()}
    return {"pages": await ctx.read(pages, ctx.guild_id, event.user_id)}
"""
FORGETS = """
@hookimpl
async def on_member_forgotten(ctx, event):
    if "forget" in fails:
        raise RuntimeError("the ink has run out")
    await ctx.write(forget, ctx.guild_id, event.user_id, event.stand_in)
"""
MIGRATION = """
from redlegion.database import BigAutoField, Instant, Reference, Snowflake, Text

def _tables(db):
    class Guild(db.Model):
        id = Snowflake(primary_key=True)
        class Meta:
            table_name = "guilds"
    class Page(db.Model):
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        guild_id = Reference(Guild)
        user_id = Snowflake()
        name = Text()
        class Meta:
            table_name = "diary_page"
    return [Page]

def up(migrator, db):
    db.create_tables(_tables(db), safe=False)

def down(migrator, db):
    db.drop_tables(_tables(db), safe=False)
"""


def write_diary(folder: PluginFolder, code: str = DIARY + FORGETS) -> None:
    folder.write("diary", code, personal_data="A page per member: the id and the name.")
    migrations = folder.path / "diary" / "migrations"
    migrations.mkdir(exist_ok=True)
    (migrations / "0001_initial.py").write_text(MIGRATION, encoding="utf-8")


@pytest.fixture
async def stage(folder: PluginFolder, database_url: str, on_stage: Any) -> AsyncIterator[Stage]:
    write_diary(folder)
    folder.write("plain")
    async with on_stage(database_url, folder.selection("plain")) as opened:
        yield opened


async def put_page(stage: Stage, folder: PluginFolder, person: Person, name: str = "Dear Diary") -> None:
    guild = person.guild.id
    await stage.runtime.db.write(folder.module("diary").write, guild, person.id, name, key=guild)


async def export(stage: Stage, person: Person, **options: str) -> tuple[str, dict[str, Any]]:
    """What is said, and the file."""
    outcome = await stage.slash(person, "privacy export", options)
    message = outcome.message
    assert message is not None
    assert message["flags"] & 64
    [attached] = message["attachments"]
    content = stage.world.attachment(int(message["id"]), attached["filename"])
    return message["content"], json.loads(content)


async def ask(stage: Stage, person: Person, **options: str) -> Any:
    outcome = await stage.slash(person, "privacy forget", options)
    assert outcome.message is not None
    return outcome.message


async def press(stage: Stage, person: Person, message: Any) -> Outcome:
    [button] = buttons_of(message).values()
    outcome = await person.click(message["id"], button)
    await stage.settle()
    return outcome


def jobs() -> list[tuple[str, dict[str, Any], str | None]]:
    rows: Any = JobRow.select().where(JobRow.name == "@forget").order_by(JobRow.id)
    return [(row.state, row.payload, row.last_error) for row in rows]


def log_of(action: str) -> list[tuple[int | None, str | None, Any]]:
    rows: Any = AuditEntry.select().where(AuditEntry.action == action).order_by(AuditEntry.id)
    return [(row.actor_id, row.target, row.after) for row in rows]


async def test_a_member_gets_all_that_is_kept(stage: Stage, folder: PluginFolder) -> None:
    quartz, guild = stage.scene.members[0], stage.scene.guild.id
    await put_page(stage, folder, quartz)
    await put_page(stage, folder, stage.scene.members[1], "Somebody else's")
    await stage.runtime.switch(guild, "plain", False, quartz.id)
    text, document = await export(stage, quartz)
    assert f"all that I keep about <@{quartz.id}>" in text
    assert "⚠️" not in text
    # Off in this guild, and asked all the same.
    assert document["plugins"]["diary"]["data"] == {"pages": ["Dear Diary"]}
    assert document["plugins"]["plain"]["data"] is None
    assert document["plugins"]["diary"]["keeps"] == "A page per member: the id and the name."
    assert document["missing"] == {}
    assert document["user_id"] == str(quartz.id)
    assert [row["action"] for row in document["core"]["audit_log"]] == ["plugin.disable"]
    assert document["core"]["guild_plugins"] == [{"plugin": "plain", "changed_by": str(quartz.id)}]


@pytest.mark.parametrize("fault", ["collect", "nonsense"])
async def test_a_plugin_that_fails_is_named(stage: Stage, folder: PluginFolder, fault: str) -> None:
    folder.module("diary").fails.append(fault)
    text, document = await export(stage, stage.scene.members[0])
    assert "Missing, as they failed: Diary" in text
    assert document["missing"] == {"diary": "it failed when it was asked; ask again, or an admin"}
    assert "diary" not in document["plugins"]
    assert "plain" in document["plugins"]


async def test_only_admins_ask_about_others(stage: Stage, folder: PluginFolder) -> None:
    quartz, beryl = stage.scene.members[:2]
    owner = stage.scene.owner
    for command in ("privacy export", "privacy forget"):
        for asker in (beryl, stage.scene.officer):
            refused = said(await stage.slash(asker, command, {"user_id": str(quartz.id)}))
            assert "This is about somebody else." in refused
        for wrong in ("quartz", "-1", "١٢٣", "9" * 40):
            refused = said(await stage.slash(owner, command, {"user_id": wrong}))
            assert "is no user id" in refused
        both = {"user_id": str(quartz.id), "member": beryl.id}
        assert "two people" in said(await stage.slash(owner, command, both))
    await put_page(stage, folder, quartz)
    _text, document = await export(stage, owner, user_id=f"<@{quartz.id}>")
    assert document["plugins"]["diary"]["data"] == {"pages": ["Dear Diary"]}
    assert await stage.runtime.db.read(log_of, "member.export") == [(owner.id, str(quartz.id), None)]
    assert "I keep nothing about" in said(await stage.slash(owner, "privacy forget", {"user_id": "424242"}))


async def forge(stage: Stage, person: Person, custom_id: str) -> str:
    """Press a button that nobody was shown; what is said."""
    world = stage.world
    shown = world.messages_room.create(stage.scene.text, world.bot_user, {"content": "once upon a time"})
    data = {"custom_id": custom_id, "component_type": 2, "id": 1}
    guild = person.guild
    pressed = world.interactions.create(
        guild, guild.members[person.id], stage.scene.text.id, 3, data, source=shown
    )
    async with asyncio.timeout(60):
        await pressed.answered.wait()
    await stage.settle()
    assert pressed.latest is not None
    return str(world.messages_room.payload(pressed.latest)["content"])


async def test_a_forged_button_forgets_nobody(stage: Stage, folder: PluginFolder) -> None:
    quartz, beryl = stage.scene.members[:2]
    await put_page(stage, folder, quartz)
    for person in (beryl, stage.scene.officer):
        assert "This is about somebody else." in await forge(
            stage, person, f"core:privacy_forget:{quartz.id}"
        )
    assert "no longer works" in await forge(stage, beryl, "core:privacy_forget:everybody")
    assert await stage.runtime.db.read(jobs) == []


async def test_what_is_kept_is_told(stage: Stage) -> None:
    outcome = await stage.slash(stage.scene.members[0], "privacy about")
    text = text_of(outcome.message)
    assert "**Diary**: A page per member: the id and the name." in text
    assert "**Plain**: Nothing." in text
    assert "when you sat in which voice channel" in text


async def test_the_button_works_after_a_restart(stage: Stage, folder: PluginFolder) -> None:
    quartz = stage.scene.members[0]
    await put_page(stage, folder, quartz)
    message = await ask(stage, quartz)
    assert "Diary: 1" in text_of(message)
    await stage.stop_bot()
    await stage.start_bot()
    outcome = await press(stage, quartz, message)
    assert "✅ Forgotten" in text_of(outcome.message)
    assert await stage.runtime.db.read(tables_with, str(quartz.id)) == {}
    [(state, payload, error)] = await stage.runtime.db.read(jobs)
    assert (state, payload, error) == ("done", {"name": "former member #1"}, None)
    [(actor, target, _)] = await stage.runtime.db.read(log_of, "member.forget")
    assert target == "former member #1"
    assert await stage.runtime.db.read(lambda: User.get_by_id(actor).name) == "former member #1"


async def test_a_second_click_forgets_nobody_twice(stage: Stage, folder: PluginFolder) -> None:
    quartz = stage.scene.members[0]
    await put_page(stage, folder, quartz)
    folder.module("diary").fails.append("forget")
    message = await ask(stage, quartz)
    outcome = await press(stage, quartz, message)
    assert "Not everywhere yet: diary" in text_of(outcome.message)
    again = await ask(stage, quartz)
    assert "under way already" in text_of(again)
    await press(stage, quartz, again)
    [(state, payload, error)] = await stage.runtime.db.read(jobs)
    assert state == "waiting"
    assert payload["done"] == ["plain"]
    assert error is not None
    assert "diary: it failed with RuntimeError" in error
    assert await stage.runtime.db.read(log_of, "member.forget_waits") == [
        (None, "former member #1", {"waits_for": ["diary"]})
    ]
    folder.module("diary").fails.clear()
    await stage.advance(60)
    assert [state for state, *_ in await stage.runtime.db.read(jobs)] == ["done"]
    assert await stage.runtime.db.read(tables_with, "Dear Diary") == {}


async def test_who_confirms_is_not_kept_waiting(
    stage: Stage, folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.commands.privacy_command.WAIT", 0.0)
    quartz = stage.scene.members[0]
    await put_page(stage, folder, quartz)
    outcome = await press(stage, quartz, await ask(stage, quartz))
    assert "This takes a while" in text_of(outcome.message)
    assert await stage.runtime.db.read(tables_with, str(quartz.id)) == {}


async def test_it_goes_on_after_the_process_was_lost(stage: Stage, folder: PluginFolder) -> None:
    quartz = stage.scene.members[0]
    await put_page(stage, folder, quartz)
    folder.module("diary").fails.append("forget")
    await press(stage, quartz, await ask(stage, quartz))
    await stage.kill_bot()
    folder.module("diary").fails.clear()
    await stage.start_bot()
    await stage.advance(10)
    assert [state for state, *_ in await stage.runtime.db.read(jobs)] == ["done"]
    assert await stage.runtime.db.read(tables_with, str(quartz.id)) == {}


async def test_a_plugin_that_is_not_loaded_is_waited_for(
    stage: Stage, folder: PluginFolder, on_stage: Any
) -> None:
    quartz, owner = stage.scene.members[0], stage.scene.owner
    await put_page(stage, folder, quartz)
    other = stage.scene.second_guild.id
    beryl = stage.scene.members[1]
    await stage.runtime.db.write(folder.module("diary").write, other, beryl.id, "Elsewhere", key=other)
    everything = stage.settings.plugins
    await stage.stop_bot()
    object.__setattr__(stage.settings, "plugins", folder.selection("plain", load=("plain",)))
    await stage.start_bot()
    text, document = await export(stage, quartz)
    assert "not loaded: diary" in text
    assert document["missing"] == {"diary": "it is not loaded, and its tables hold this id"}
    # Known to it in another guild only, which is nobody's business here.
    _text, document = await export(stage, beryl)
    assert document["missing"] == {}
    message = await ask(stage, owner, user_id=str(quartz.id))
    assert "Not loaded, and with data about this member: diary" in text_of(message)
    outcome = await press(stage, owner, message)
    assert "Not everywhere yet: diary" in text_of(outcome.message)
    # Six tries in all, then it is there for the operator to see.
    await stage.advance(2 * 3600)
    [(state, _payload, error)] = await stage.runtime.db.read(jobs)
    assert state == "dead"
    assert error is not None
    assert "diary: it is not loaded" in error
    told = text_of((await stage.slash(owner, "setup audit")).message)
    assert "is not forgotten yet by: diary" in told
    await stage.stop_bot()
    object.__setattr__(stage.settings, "plugins", everything)
    await stage.start_bot()
    await stage.settle()
    assert [state for state, *_ in await stage.runtime.db.read(jobs)] == ["done"]
    assert await stage.runtime.db.read(tables_with, str(quartz.id)) == {}


async def test_a_plugin_without_the_hook_is_found_out(folder: PluginFolder, lite: str, on_stage: Any) -> None:
    write_diary(folder, DIARY)
    async with on_stage(lite, folder.selection()) as stage:
        quartz = stage.scene.members[0]
        await put_page(stage, folder, quartz)
        outcome = await press(stage, quartz, await ask(stage, quartz))
        assert "Not everywhere yet: diary" in text_of(outcome.message)
        [(_state, _payload, error)] = await stage.runtime.db.read(jobs)
        assert error is not None
        assert "diary: it still has the id in diary_page.user_id" in error


async def test_a_plugin_that_cannot_hand_out_its_rows_is_named(
    folder: PluginFolder, lite: str, on_stage: Any
) -> None:
    write_diary(folder, DIARY.partition("@hookimpl\nasync def collect_member_data")[0] + FORGETS)
    manifest = folder.path / "diary" / "manifest.toml"
    written = manifest.read_text(encoding="utf-8")
    told = "A page per member: the id and the name."
    assert told in written
    manifest.write_text(written.replace(told, "Nothing."), encoding="utf-8")
    async with on_stage(lite, folder.selection()) as stage:
        quartz, beryl = stage.scene.members[:2]
        await put_page(stage, folder, quartz)
        text, document = await export(stage, quartz)
        assert text.startswith(f"This is not all that I keep about <@{quartz.id}>")
        assert f"Diary keeps rows about <@{quartz.id}> but cannot hand them out" in text
        assert document["missing"] == {
            "diary": "it keeps rows with this id but cannot hand them out (diary_page.user_id: 1)"
        }
        assert document["plugins"] == {}
        text, document = await export(stage, beryl)
        assert text == f"This is all that I keep about <@{beryl.id}> in this server."
        assert document["missing"] == {}
