"""The audit log: every change with before and after, in words, page by page, and no markdown of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.mining import said
from support.panels import buttons_of, text_of
from support.plugin_folder import PluginFolder

from core.database import AuditEntry
from core.guilds import audit
from core.guilds.ranks import Rank
from core.guilds.settings_words import quoted
from sandbox.server import Person
from sandbox.stage import Stage

MOTTO = """
from datetime import timedelta
from pydantic import BaseModel, Field

class Motto(BaseModel):
    words: str = Field(default="", title="Words to live by")
    pause: timedelta = timedelta(minutes=5)
    loud: bool = False

@hookimpl
def register_settings():
    return Motto
"""
AT = datetime(2026, 9, 6, 18, tzinfo=UTC)


@pytest.fixture
async def stage(folder: PluginFolder, database_url: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("motto", MOTTO)
    folder.write("other")
    async with on_stage(database_url, folder.selection("motto")) as opened:
        yield opened


async def log_of(stage: Stage, person: Person | None = None, **options: Any) -> Any:
    return (await stage.slash(person or stage.scene.owner, "setup audit", options)).message


async def test_changes_are_told_in_words(stage: Stage) -> None:
    scene, guilds = stage.scene, stage.runtime.guilds
    owner, guild = scene.owner, scene.guild.id
    member = scene.members[0].member.roles[0]
    await stage.slash(owner, "plugins enable", {"plugin": "other"})
    await stage.slash(owner, "plugins disable", {"plugin": "other"})
    evil = "`</plugins list:1>` **bold** [a](https://x.example) @everyone <@123456789012345678>\n# big"
    await guilds.set_settings(guild, "motto", {"words": evil, "pause": timedelta(hours=1)}, owner.id)
    await guilds.set_settings(guild, "motto", {"loud": True}, scene.members[1].id, reset=["words"])
    await guilds.set_ranks(guild, {member: Rank.OFFICER}, None)
    text = text_of(await log_of(stage))
    assert f"<@{owner.id}> switched **Other** on." in text
    assert f"<@{owner.id}> switched **Other** off." in text
    assert f"Words to live by from empty to {quoted(evil)}; " in text
    assert "Pause from `5 min` to `1 h`" in text
    assert "Loud from off to on" in text
    assert f"The bot changed the ranks: <@&{member}> no rank → officer" in text
    outside_code = "".join(text.split("`")[::2])
    for piece in ("**bold**", "[a]", "@everyone", "\n# big", "<@1234"):
        assert piece not in outside_code
    only = text_of(await log_of(stage, plugin="other"))
    assert "**Other**" in only
    assert "Pause" not in only
    only = text_of(await log_of(stage, member=scene.members[1].id))
    assert "Loud from off to on" in only
    assert "**Other**" not in only
    assert "There is no feature called `nowhere`." in said(
        await stage.slash(owner, "setup audit", {"plugin": "nowhere"})
    )
    refused = said(await stage.slash(scene.officer, "setup audit"))
    assert "This needs the rank admin" in refused


def many(guild_id: int, count: int) -> None:
    for number in range(count):
        audit.record(
            guild_id,
            None,
            "ore.weighed",
            f"load {number}",
            None,
            {"n": number},
            AT + timedelta(0, number),
        )


async def test_the_log_is_turned_page_by_page(stage: Stage) -> None:
    owner, guild = stage.scene.owner, stage.scene.guild.id
    await stage.runtime.db.write(clear_log, guild)
    count = 2 * audit.PER_PAGE + 1
    await stage.runtime.db.write(many, guild, count, key=guild)
    await stage.runtime.db.write(many, stage.scene.second_guild.id, 1, key=stage.scene.second_guild.id)
    message = await log_of(stage)
    seen = []
    for page in range(3):
        text = text_of(message)
        assert f"Page {page + 1} of 3" in text
        seen += [int(line.split("load ")[1].split("`")[0]) for line in text.splitlines() if "load " in line]
        if page < 2:
            older = buttons_of(message)["Older"]
            message = (await owner.click(message["id"], older)).message
            await stage.settle()
            if page == 0:
                await stage.stop_bot()
                await stage.start_bot()
                # What the start itself noted is not of interest here.
                await stage.runtime.db.write(keep_loads, guild)
    assert seen == list(range(count))[::-1]
    newer = buttons_of(message)["Newer"]
    message = (await owner.click(message["id"], newer)).message
    await stage.settle()
    assert "Page 2 of 3" in text_of(message)


def clear_log(guild_id: int) -> None:
    AuditEntry.delete().where(AuditEntry.guild_id == guild_id).execute()


def keep_loads(guild_id: int) -> None:
    AuditEntry.delete().where(AuditEntry.guild_id == guild_id, AuditEntry.action != "ore.weighed").execute()


async def test_an_empty_log_and_one_of_another_version(stage: Stage) -> None:
    guild = stage.scene.guild.id
    await stage.runtime.db.write(clear_log, guild)
    assert "Nothing has been changed yet." in text_of(await log_of(stage))
    await stage.runtime.db.write(odd, guild, key=guild)
    text = text_of(await log_of(stage))
    assert "`gone` from `1` to `2`" in text
    assert "Pause from `soon` to `5 min`" in text
    assert "<@&5> no rank → `king`" in text
    assert "`ghost.plugin`" not in text.replace("`ghost`", "")


def odd(guild_id: int) -> None:
    audit.record(guild_id, 7, "settings.change", "motto", {"gone": 1}, {"gone": 2}, AT)
    audit.record(guild_id, 7, "settings.change", "motto", {"pause": "soon"}, {"pause": "PT5M"}, AT)
    audit.record(guild_id, 7, "settings.change", "ghost", {"a": 1}, {"a": None}, AT)
    audit.record(guild_id, 7, "ranks.change", None, {"5": None}, {"5": "king"}, AT)
    audit.record(guild_id, 7, "plugin.enable", "ghost", None, {"enabled": True}, AT)
