"""Export and purge of a plugin's data in one guild: all of it, after an export, and of no other guild."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.mining import said
from support.plugin_folder import PluginFolder

from core.database import AuditEntry, JobRow
from core.jobs.store import insert
from sandbox.server import Outcome, Person
from sandbox.stage import Stage

TABLES = """
from pathlib import Path
from redlegion.database import *

class Vein(BaseModel):
    guild_id = Reference(Guild)
    name = Text()
    owner_id = Snowflake(null=True)
    class Meta:
        table_name = "mine_vein"

class Shaft(BaseModel):
    vein_id = Reference(Vein)
    above_id = ForeignKeyField("self", null=True, on_delete="RESTRICT", column_name="above_id", backref="+")
    depth = Money()
    class Meta:
        table_name = "mine_shaft"

class Lamp(BaseModel):
    shaft_id = Snowflake(constraints=[SQL('REFERENCES "mine_shaft" ("id") ON DELETE RESTRICT')])
    lit = Instant()
    class Meta:
        table_name = "mine_lamp"

@hookimpl
def register_schema():
    return Schema("mine", (Vein, Shaft, Lamp), Path(__file__).parent / "migrations")

def dig(guild_id, at, owner):
    ensure_guild(guild_id)
    vein = Vein.create(guild_id=guild_id, name="Opal", owner_id=owner)
    top = Shaft.create(vein_id=vein.id, depth=1)
    low = Shaft.create(vein_id=vein.id, depth=2, above_id=top.id)
    Shaft.create(vein_id=vein.id, depth=3, above_id=low.id)
    Lamp.create(shaft_id=low.id, lit=at)
    return vein.id

def deepen(guild_id):
    Shaft.update(depth=Shaft.depth + 1).where(
        Shaft.vein_id.in_(Vein.select(Vein.id).where(Vein.guild_id == guild_id))
    ).execute()

def counts(guild_id):
    veins = Vein.select(Vein.id).where(Vein.guild_id == guild_id)
    shafts = Shaft.select(Shaft.id).where(Shaft.vein_id.in_(veins))
    return veins.count(), shafts.count(), Lamp.select().where(Lamp.shaft_id.in_(shafts)).count()
"""
RESTS = """
from pathlib import Path
from redlegion.database import *

class Claim(BaseModel):
    guild_id = Reference(Guild)
    vein_id = Snowflake(constraints=[SQL('REFERENCES "mine_vein" ("id") ON DELETE RESTRICT')])
    class Meta:
        table_name = "claims_claim"

@hookimpl
def register_schema():
    return Schema("claims", (Claim,), Path(__file__).parent / "migrations")

def claim(guild_id, vein_id):
    Claim.create(guild_id=guild_id, vein_id=vein_id)
"""
LOST = """
from pathlib import Path
from redlegion.database import *

class Rate(BaseModel):
    price = Money()
    class Meta:
        table_name = "rates_rate"

@hookimpl
def register_schema():
    return Schema("rates", (Rate,), Path(__file__).parent / "migrations")
"""
#: Makes the tables of the models themselves: how they change is of no interest here.
MIGRATION = """
import {plugin}

def up(migrator, db):
    models = {plugin}.register_schema().models
    with db.bind_ctx(models, bind_refs=False, bind_backrefs=False):
        for model in models:
            model.create_table(safe=False)

def down(migrator, db):
    raise AssertionError("nothing goes back here")
"""


def write(folder: PluginFolder, name: str, code: str, **manifest: Any) -> None:
    folder.write(name, code, **manifest)
    migrations = folder.path / name / "migrations"
    migrations.mkdir(exist_ok=True)
    (migrations / "0001_initial.py").write_text(MIGRATION.format(plugin=name), encoding="utf-8")


@pytest.fixture
async def stage(folder: PluginFolder, database_url: str, on_stage: Any) -> AsyncIterator[Stage]:
    write(folder, "mine", TABLES)
    write(folder, "claims", RESTS, requires=["mine"])
    write(folder, "rates", LOST)
    folder.write("empty")
    async with on_stage(database_url, folder.selection("mine", "claims")) as opened:
        yield opened


async def dig(stage: Stage, folder: PluginFolder, guild: int) -> int:
    at, owner = stage.runtime.clock.now(), stage.scene.owner.id
    vein = await stage.runtime.db.write(folder.module("mine").dig, guild, at, owner, key=guild)
    return int(vein)


async def counts(stage: Stage, folder: PluginFolder, guild: int) -> tuple[int, int, int]:
    found: tuple[int, int, int] = await stage.runtime.db.read(folder.module("mine").counts, guild)
    return found


async def export(stage: Stage, plugin: str = "mine", person: Person | None = None) -> dict[str, Any]:
    outcome = await stage.slash(person or stage.scene.owner, "plugins export", {"plugin": plugin})
    message = outcome.message
    assert message is not None
    assert message["flags"] & 64
    [attached] = message["attachments"]
    document: dict[str, Any] = json.loads(stage.world.attachment(int(message["id"]), attached["filename"]))
    return document


async def switch(stage: Stage, plugin: str, on: bool) -> None:
    await stage.slash(stage.scene.owner, f"plugins {'enable' if on else 'disable'}", {"plugin": plugin})


async def form(stage: Stage, plugin: str = "mine") -> Outcome:
    return await stage.slash(stage.scene.owner, "plugins purge", {"plugin": plugin})


async def type_name(stage: Stage, opened: Outcome, name: str) -> str:
    assert opened.interaction_id is not None, opened.message
    outcome = await stage.scene.owner.submit(opened.interaction_id, {"name": name})
    await stage.settle()
    return said(outcome)


def log_of(guild_id: int, action: str) -> list[tuple[int | None, str | None, Any]]:
    rows: Any = AuditEntry.select().where(AuditEntry.guild_id == guild_id, AuditEntry.action == action)
    return [(row.actor_id, row.target, row.before) for row in rows]


def job(guild_id: int, job_id: int, at: Any) -> None:
    insert(job_id, plugin="mine", guild_id=guild_id, name="blast", key="1", payload={"n": 1}, due=at)


def jobs_of(guild_id: int) -> int:
    return int(JobRow.select().where(JobRow.plugin == "mine", JobRow.guild_id == guild_id).count())


async def test_export_then_purge_of_one_guild_only(stage: Stage, folder: PluginFolder) -> None:
    scene, db = stage.scene, stage.runtime.db
    here, there = scene.guild.id, scene.second_guild.id
    await switch(stage, "claims", False)
    await switch(stage, "mine", False)
    due = stage.runtime.clock.now().replace(year=2030)
    for guild in (here, here, there):
        await dig(stage, folder, guild)
    for guild in (here, there):
        await db.write(job, guild, stage.runtime.ids.next(), due, key=guild)
    document = await export(stage)
    assert [len(document["tables"][t]) for t in ("mine_vein", "mine_shaft", "mine_lamp")] == [2, 6, 2]
    assert document["tables"]["mine_vein"][0]["owner_id"] == str(scene.owner.id)
    assert [each["name"] for each in document["jobs"]] == ["blast"]
    opened = await form(stage)
    assert opened.kind == "modal"
    assert "You typed `mines`, not `mine`" in await type_name(stage, opened, "mines")
    assert await counts(stage, folder, here) == (2, 6, 2)
    told = await type_name(stage, await form(stage), " Mine ")
    assert "Deleted what Mine kept" in told
    assert "- `mine_shaft`: 6" in told
    assert await counts(stage, folder, here) == (0, 0, 0)
    assert await counts(stage, folder, there) == (1, 3, 1)
    assert (await db.read(jobs_of, here), await db.read(jobs_of, there)) == (0, 1)
    assert await db.read(log_of, here, "plugin.purge") == [
        (scene.owner.id, "mine", {"rows": {"mine_lamp": 2, "mine_shaft": 6, "mine_vein": 2}})
    ]
    assert "keeps nothing in this server" in said(await form(stage))


async def test_only_when_off_and_after_a_fresh_export(stage: Stage, folder: PluginFolder) -> None:
    here = stage.scene.guild.id
    await dig(stage, folder, here)
    await switch(stage, "claims", False)
    assert "Mine is on in this server." in said(await form(stage))
    await switch(stage, "mine", False)
    assert "Nobody has exported the data of Mine" in said(await form(stage))
    await export(stage)
    await stage.advance(24 * 3600 + 1)
    assert "Nobody has exported the data of Mine" in said(await form(stage))
    await export(stage)
    await stage.runtime.db.write(folder.module("mine").deepen, here, key=here)
    assert "has changed since it was exported" in said(await form(stage))
    await export(stage)
    opened = await form(stage)
    await switch(stage, "mine", True)
    assert "Mine is on in this server." in await type_name(stage, opened, "mine")
    assert await counts(stage, folder, here) == (1, 3, 1)


async def test_where_nothing_is_kept_that_is_said_first(stage: Stage, folder: PluginFolder) -> None:
    here = stage.scene.guild.id
    nothing = "Mine keeps nothing in this server."
    assert nothing in said(await form(stage)), "also while it is on and was never exported"
    await dig(stage, folder, here)
    for plugin in ("claims", "mine"):
        await switch(stage, plugin, False)
    await export(stage)
    first, second = await form(stage), await form(stage)
    assert "Deleted" in await type_name(stage, first, "mine")
    assert nothing in await type_name(stage, second, "mine")
    assert len(await stage.runtime.db.read(log_of, here, "plugin.purge")) == 1


async def test_not_under_the_rows_of_another_plugin(stage: Stage, folder: PluginFolder) -> None:
    scene, db = stage.scene, stage.runtime.db
    here, there = scene.guild.id, scene.second_guild.id
    claim = folder.module("claims").claim
    mine = await dig(stage, folder, here)
    await db.write(claim, there, await dig(stage, folder, there), key=there)
    for plugin in ("claims", "mine"):
        await switch(stage, plugin, False)
    await export(stage)
    opened = await form(stage)
    await db.write(claim, here, mine, key=here)
    refused = await type_name(stage, opened, "mine")
    assert "1 row of Claims rests on the data of Mine." in refused
    assert "purge Claims first" in refused
    assert refused in said(await form(stage))
    assert await counts(stage, folder, here) == (1, 3, 1)
    await export(stage, "claims")
    assert "- `claims_claim`: 1" in await type_name(stage, await form(stage, "claims"), "claims")
    assert "Deleted" in await type_name(stage, await form(stage), "mine")
    assert await counts(stage, folder, there) == (1, 3, 1)


async def test_nor_under_those_of_one_that_is_not_loaded(stage: Stage, folder: PluginFolder) -> None:
    here = stage.scene.guild.id
    vein = await dig(stage, folder, here)
    await stage.runtime.db.write(folder.module("claims").claim, here, vein, key=here)
    await stage.stop_bot()
    object.__setattr__(stage.settings, "plugins", folder.selection(load=("mine", "rates", "empty")))
    await stage.start_bot()
    await switch(stage, "mine", False)
    await export(stage)
    refused = await type_name(stage, await form(stage), "mine")
    assert "a plugin that is not loaded rests on the data of Mine" in refused
    assert await counts(stage, folder, here) == (1, 3, 1)
    assert await stage.runtime.db.read(log_of, here, "plugin.purge") == []


async def test_what_cannot_be_taken_apart_is_said(stage: Stage) -> None:
    owner = stage.scene.owner
    for command in ("plugins export", "plugins purge"):
        answers = {
            "rates": "belongs to no single server: rates_rate",
            "empty": "Empty keeps no tables of its own.",
            "gone": "There is no plugin called `gone`.",
        }
        for plugin, words in answers.items():
            assert words in said(await stage.slash(owner, command, {"plugin": plugin}))
        refused = said(await stage.slash(stage.scene.officer, command, {"plugin": "mine"}))
        assert "This needs the rank admin" in refused
