"""A feature off in one guild and on in another: menus, commands, components, libraries, recording, data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.mining import participants, said
from support.plugin_folder import PluginFolder

from core.database import AuditEntry, GuildPlugin
from core.settings import PluginSelection
from plugins.operations import running_operations
from sandbox.server import Person
from sandbox.server.errors import Refused
from sandbox.stage import Stage

MINING = PluginSelection(load=("operations", "sunday_mining"), on_by_default=("sunday_mining",))

SENTRY = """
HEARD = []

@hookimpl
async def on_guild_enabled(ctx):
    HEARD.append(("enabled", ctx.guild_id))

@hookimpl
async def on_guild_disabled(ctx):
    HEARD.append(("disabled", ctx.guild_id))

@hookimpl
async def on_resync(ctx, event):
    HEARD.append(("resync " + event.reason, ctx.guild_id))

@hookimpl
async def on_voice_session_started(ctx):
    HEARD.append(("sat", ctx.guild_id))
"""


@pytest.fixture
async def each_stage(database_url: str, on_stage: Any) -> AsyncIterator[Stage]:
    async with on_stage(database_url, MINING) as opened:
        yield opened


def menu(stage: Stage, guild_id: int | None = None) -> list[str]:
    return sorted(each["command"] for each in stage.world.commands.paths(guild_id or stage.scene.guild.id))


def own(stage: Stage) -> list[str]:
    """The core's commands, which are everywhere."""
    return sorted(path for path, owner in stage.runtime.commands.owners.items() if owner.plugin == "core")


def menu_calls(stage: Stage) -> list[str]:
    """The menus that the bot has sent to Discord, by path."""
    return [
        entry["path"].removeprefix("/api/v10")
        for entry in stage.world.log.entries
        if entry["kind"] == "rest" and entry["method"] == "PUT" and entry["path"].endswith("/commands")
    ]


async def switch(stage: Stage, word: str, plugin: str = "sunday_mining", person: Person | None = None) -> str:
    outcome = await stage.slash(person or stage.scene.owner, f"plugins {word}", {"plugin": plugin})
    return str((await outcome.final())["content"])


async def test_off_in_one_guild_and_on_in_the_other(each_stage: Stage) -> None:
    stage = each_stage
    scene, other = stage.scene, stage.scene.second
    everything = menu(stage)
    assert "mining start" in everything
    assert menu(stage, other.guild.id) == everything
    for place in (scene, other):
        for channel in place.voice_channels[:2]:
            await stage.slash(place.officer, "mining channels add", {"channel": str(channel.id)})

    assert "**Sunday Mining** is off." in await switch(stage, "disable")
    assert menu(stage) == own(stage)
    with pytest.raises(Refused, match="mining start is not in this guild's menu"):
        await scene.officer.slash("mining start", scene.text)
    stale = await scene.officer.slash("mining start", scene.text, stale=True)
    assert said(stale) == (
        "Sunday Mining is switched off in this server. An admin can switch it on with /plugins enable."
    )
    stale = await scene.officer.slash("mining stop", scene.text, stale=True)
    assert said(stale) == (
        "Operations is switched off in this server. It is on with the features that use it: Sunday Mining. "
        "An admin switches one on with /plugins enable."
    )
    assert await stage.runtime.db.read(running_operations, scene.guild.id) == []

    assert menu(stage, other.guild.id) == everything
    started = await stage.slash(other.officer, "mining start")
    assert (await started.final())["embeds"]
    assert len(await stage.runtime.db.read(running_operations, other.guild.id)) == 1

    await stage.stop_bot()
    await stage.start_bot()
    assert menu(stage) == own(stage)

    told = await switch(stage, "enable")
    assert "**Sunday Mining** is on. Its commands are in the menu now." in told
    assert menu(stage) == everything
    listed = (await stage.slash(scene.officer, "mining channels list")).message
    assert listed is not None
    assert all(f"<#{channel.id}>" in str(listed) for channel in scene.voice_channels[:2])
    started = await stage.slash(scene.officer, "mining start")
    assert (await started.final())["embeds"]


async def test_a_running_operation_outlives_being_switched_off(each_stage: Stage) -> None:
    stage = each_stage
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    await stage.slash(scene.officer, "mining channels add", {"channel": str(scene.voice_channels[0].id)})
    await quartz.join(scene.voice_channels[0])
    await stage.slash(scene.officer, "mining start")
    await stage.advance(600)

    await switch(stage, "disable")
    runtime = stage.runtime
    assert not runtime.recorder.wants(scene.guild.id)
    assert runtime.recorder.wants(scene.second_guild.id)
    await beryl.join(scene.voice_channels[0])
    await stage.advance(3600)
    assert runtime.recorder.present_now(scene.guild.id) == []

    await switch(stage, "enable")
    assert {each.user_id for each in runtime.recorder.present_now(scene.guild.id)} == {quartz.id, beryl.id}
    await stage.advance(300)
    stopped = await stage.slash(scene.officer, "mining stop")
    assert (await stopped.final())["embeds"]
    counted = {each.user_id: each.seconds for each in await participants(stage)}
    assert counted == {quartz.id: 900, beryl.id: 300}


async def test_a_restart_sends_no_menu(each_stage: Stage) -> None:
    stage = each_stage
    app = stage.world.application_id
    both = [
        f"/applications/{app}/guilds/{guild.id}/commands"
        for guild in (stage.scene.guild, stage.scene.second_guild)
    ]
    sent = menu_calls(stage)
    assert sorted(sent) == sorted([*both, f"/applications/{app}/commands"])
    await stage.stop_bot()
    await stage.start_bot()
    await stage.kill_bot()
    await stage.start_bot()
    assert menu_calls(stage) == sent
    await switch(stage, "disable")
    assert menu_calls(stage)[len(sent) :] == both[:1]
    await stage.stop_bot()
    await stage.start_bot()
    assert len(menu_calls(stage)) == len(sent) + 1


async def test_a_menu_that_discord_refuses_is_sent_again(
    lite: str, on_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_stage(lite, MINING) as stage:
        http = stage.runtime.bot.http
        real = http.bulk_upsert_guild_commands

        async def broken(*_args: Any) -> None:
            raise OSError("the line is down")

        monkeypatch.setattr(http, "bulk_upsert_guild_commands", broken)
        text = await switch(stage, "disable")
        assert "is off" in text
        assert "Discord has not taken the new menu: Discord could not be reached." in text
        assert "mining start" in menu(stage)
        stale = await stage.slash(stage.scene.officer, "mining start")
        assert "is switched off in this server" in said(stale)
        monkeypatch.setattr(http, "bulk_upsert_guild_commands", real)
        await stage.stop_bot()
        await stage.start_bot()
        assert "mining start" not in menu(stage)


async def test_double_clicks_do_not_race(folder: PluginFolder, database_url: str, on_stage: Any) -> None:
    folder.write("sentry", SENTRY, records_voice=True)
    async with on_stage(database_url, folder.selection()) as stage:
        scene = stage.scene
        heard = folder.module("sentry").HEARD
        heard.clear()
        words = ["enable", "enable", "disable"] * 3 + ["enable"]
        outcomes = await asyncio.gather(
            *(scene.owner.slash(f"plugins {word}", scene.text, {"plugin": "sentry"}) for word in words)
        )
        for outcome in outcomes:
            assert "**Sentry** is" in str((await outcome.final())["content"])
        await stage.settle()
        assert {guild_id for _what, guild_id in heard} == {scene.guild.id}
        told = [what for what, _guild_id in heard]
        round_trip = ["enabled", "resync enabled", "disabled"]
        assert told == (round_trip * len(told))[: len(told)], "on and off take turns, nothing in between"
        runtime = stage.runtime
        on = runtime.guilds.wanted(scene.guild.id, "sentry")
        assert on is await runtime.db.read(stored, scene.guild.id)
        assert on is (told[-1] != "disabled")
        assert on is ("sentry" in runtime.guilds.active(scene.guild.id))
        assert on is runtime.recorder.wants(scene.guild.id)
        switches = [what for what in told if what != "resync enabled"]
        assert len(await runtime.db.read(audit, scene.guild.id)) == len(switches)


def stored(guild_id: int) -> bool:
    return bool(GuildPlugin.get(GuildPlugin.guild_id == guild_id).enabled)


def audit(guild_id: int) -> list[tuple[str, int | None]]:
    rows: Any = AuditEntry.select(AuditEntry.action, AuditEntry.actor_id)
    return list(rows.where(AuditEntry.guild_id == guild_id).order_by(AuditEntry.id).tuples())


async def test_what_a_plugin_hears_of_its_switch(folder: PluginFolder, lite: str, on_stage: Any) -> None:
    folder.write("base", SENTRY, kind="library", records_voice=True)
    folder.write("alpha", SENTRY, requires=["base"])
    folder.write("bravo", SENTRY, requires=["base"])
    async with on_stage(lite, folder.selection("alpha")) as stage:
        scene, guild = stage.scene, stage.scene.guild.id
        alpha, bravo, base = (folder.module(name).HEARD for name in ("alpha", "bravo", "base"))

        def here(heard: list[Any]) -> list[str]:
            found = [what for what, guild_id in heard if guild_id == guild]
            heard.clear()
            return found

        assert here(alpha) == ["enabled", "resync restart"]
        assert here(base) == ["enabled", "resync restart"]
        assert here(bravo) == []
        await switch(stage, "enable", "bravo")
        assert here(bravo) == ["enabled", "resync enabled"]
        assert here(base) == [], "it was on already"
        await scene.members[0].join(scene.voice_channels[0])
        await stage.settle()
        assert here(bravo) == here(base) == here(alpha) == ["sat"]
        await switch(stage, "disable", "alpha")
        assert (here(alpha), here(base)) == (["disabled"], [])
        await switch(stage, "disable", "bravo")
        assert (here(bravo), here(base)) == (["disabled"], ["disabled"])
        assert not stage.runtime.recorder.wants(guild)
        await scene.members[1].join(scene.voice_channels[0])
        await stage.settle()
        assert here(alpha) == here(bravo) == here(base) == []
        assert await stage.runtime.db.read(audit, guild) == [
            ("plugin.enable", None),
            ("plugin.enable", scene.owner.id),
            ("plugin.disable", scene.owner.id),
            ("plugin.disable", scene.owner.id),
        ]
        await stage.stop_bot()
        await stage.start_bot()
        assert here(alpha) == here(base) == []


async def test_a_feature_that_needs_another_feature(folder: PluginFolder, lite: str, on_stage: Any) -> None:
    folder.write("ground", SENTRY)
    folder.write("house", SENTRY, requires=["ground"])
    async with on_stage(lite, folder.selection("house")) as stage:
        guild = stage.scene.guild.id
        house = folder.module("house").HEARD
        assert house == [], "nobody is told that it is on while it is not"
        assert stage.runtime.guilds.active(guild) == frozenset()
        overview = (await stage.slash(stage.scene.members[0], "plugins list")).message
        assert "wanted, but a feature that it needs is off" in str(overview)
        assert "is on." in await switch(stage, "enable", "ground")
        assert stage.runtime.guilds.active(guild) == {"ground", "house"}
        assert [what for what, guild_id in house if guild_id == guild] == ["enabled", "resync enabled"]
        await switch(stage, "disable", "ground")
        await switch(stage, "disable", "house")
        assert "will be on as soon as what it needs is on too: Ground" in await switch(
            stage, "enable", "house"
        )


async def test_the_switch_itself(folder: PluginFolder, lite: str, on_stage: Any) -> None:
    folder.write("base", kind="library")
    folder.write("alpha", requires=["base"])
    folder.write("broken", "raise RuntimeError('no')")
    async with on_stage(lite, folder.selection("alpha")) as stage:
        owner, officer, quartz = stage.scene.owner, stage.scene.officer, stage.scene.members[0]
        text = stage.scene.text
        assert "already on here" in await switch(stage, "enable", "alpha")
        assert "There is no feature called nothing. Pick one of: alpha." in await switch(
            stage, "enable", "nothing"
        )
        assert "Base is a library." in await switch(stage, "disable", "base")
        for person in (officer, quartz):
            refused = await stage.slash(person, "plugins disable", {"plugin": "alpha"})
            assert "This needs the rank admin" in said(refused)
        shown = str((await stage.slash(quartz, "plugins list")).message)
        assert "🟢 **Alpha** (`alpha`)" in shown
        assert "Base: in use" in shown
        assert "`broken`" in shown
        assert "RuntimeError" not in shown, "the reason is for whoever runs the bot"
        assert "broken is broken and was left out" in await switch(stage, "enable", "broken")
        offered = await owner.autocomplete("plugins disable", text, {"plugin": "al"}, focused="plugin")
        assert offered.choices == [{"name": "Alpha (alpha)", "value": "alpha"}]
        offered = await owner.autocomplete("plugins enable", text, {"plugin": ""}, focused="plugin")
        assert offered.choices == []
