"""From start to stop: what plugins hear of it, guilds that come and go, and what fails on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.plugin_folder import PluginFolder
from support.waiting import until

from core.guilds.opening import GuildOpener
from core.settings import PluginSelection
from sandbox.stage import Stage, open_stage

LIFE = """
HEARD = []
FAIL = []
GO = asyncio.Event()

@hookimpl
async def on_startup(runtime):
    HEARD.append("startup")
    if FAIL:
        raise FAIL[0]

@hookimpl
async def on_shutdown():
    HEARD.append("shutdown")
    if FAIL:
        raise FAIL[0]

@hookimpl
async def on_guild_enabled(ctx):
    HEARD.append(("enabled", ctx.guild_id))

@hookimpl
async def on_voice_session_ended(ctx, event):
    HEARD.append(("ended", event.session.user_id, event.session.estimated))

@hookimpl
async def on_member_left(ctx, event):
    await GO.wait()
    HEARD.append("left")

async def chatty(ctx, payload):
    HEARD.append("job began")
    await GO.wait()
    await ctx.bot.get_channel(payload["channel"]).send("done")

def book(job_id, guild_id, due, channel):
    payload = {"channel": channel}
    enqueue(job_id, plugin="life", guild_id=guild_id, name="chatty", key="1", payload=payload, due=due)

@app_commands.command(name="hello", description="x")
@requires("guest")
async def hello(interaction: discord.Interaction) -> None:
    await reply(interaction, "hello")

@hookimpl
def register_commands():
    return [hello]

@hookimpl
def register_jobs():
    return [Job("chatty", chatty)]
"""


@pytest.fixture
def life(folder: PluginFolder) -> PluginSelection:
    folder.write("life", LIFE, records_voice=True)
    return folder.selection("life")


async def test_the_process_hooks_of_a_plugin_that_fails(
    folder: PluginFolder, lite: str, life: PluginSelection, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_stage(lite, plugins=life, members=2, channels=2) as stage:
        await stage.start_bot()
        heard = folder.module("life").HEARD
        guilds = [("enabled", guild.id) for guild in (stage.scene.guild, stage.scene.second_guild)]
        assert heard[-1] == "startup", "the first guilds are known by then"
        assert sorted(heard[:-1]) == sorted(guilds)
        await stage.stop_bot()
        assert heard[-1] == "shutdown"
        folder.module("life").FAIL.append(SystemExit(1))
        await stage.start_bot()
        assert (await stage.slash(stage.scene.officer, "hello")).message is not None
        await stage.stop_bot()
        assert heard[-2:] == ["startup", "shutdown"]
        assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == [
            "life.on_startup failed",
            "life.on_shutdown failed",
        ]
        count = len(heard)
        await stage.start_bot()
        await stage.kill_bot()
        assert heard[count:] == ["startup"], "a process that is lost says nothing"


async def test_a_stop_lets_jobs_and_lanes_finish(
    folder: PluginFolder, lite: str, life: PluginSelection, on_stage: Callable[..., Any]
) -> None:
    async with on_stage(lite, life) as stage:
        scene, module = stage.scene, folder.module("life")
        ctx = stage.runtime.context_for("life", scene.guild.id)
        await ctx.write(module.book, ctx.ids.next(), scene.guild.id, ctx.clock.now(), scene.general.id)
        ctx.emit("on_member_left", None)
        await until(lambda: "job began" in module.HEARD)
        runtime = stage.runtime
        stopping = asyncio.create_task(stage.stop_bot())
        await until(lambda: runtime.closing)
        module.GO.set()
        await asyncio.wait_for(stopping, 60)
        assert "left" in module.HEARD
        assert [each["content"] for each in stage.world.messages(scene.general.id)] == ["done"]
        module.GO.clear()


async def test_a_guild_that_comes_goes_and_comes_back(
    folder: PluginFolder, lite: str, life: PluginSelection, on_stage: Callable[..., Any]
) -> None:
    async with on_stage(lite, life) as stage:
        module = folder.module("life")
        guild = stage.scene.guild
        quartz = stage.scene.members[0]
        assert "hello" in menu(stage)
        await quartz.join(stage.scene.voice_channels[0])
        await stage.advance(60)
        guild.remove_bot()
        await stage.settle()
        assert menu(stage) == []
        await quartz.leave()
        await stage.advance(60)
        module.HEARD.clear()
        guild.add_bot()
        stage.world.announce_guild(guild)
        await stage.settle()
        assert "hello" in menu(stage), "Discord had forgotten it"
        assert [("ended", quartz.id, True)] == module.HEARD
        assert (await stage.slash(stage.scene.officer, "hello")).message is not None
        third = stage.world.create_guild("Slate Scouts", owner="schist")
        text = third.create_channel("talk", type=0)
        stage.world.announce_guild(third)
        await stage.settle()
        assert ("enabled", third.id) in module.HEARD
        said = await stage.world.person(third.id, third.owner_id).slash("hello", text)
        assert said.message is not None


def menu(stage: Stage) -> list[str]:
    return sorted(each["command"] for each in stage.world.commands.paths(stage.scene.guild.id))


async def test_a_start_that_cannot_read_the_guilds_fails_instead_of_waiting(
    lite: str, life: PluginSelection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: Any) -> None:
        raise OSError("the disk is gone")

    async with open_stage(lite, plugins=life, members=2, channels=2) as stage:
        monkeypatch.setattr("core.guilds.state.GuildStates.load", broken)
        with pytest.raises(OSError, match="the disk is gone"):
            await asyncio.wait_for(stage.start_bot(), 20)
        monkeypatch.undo()
        await stage.start_bot()


async def test_one_guild_that_cannot_be_opened_holds_up_no_other(
    lite: str, life: PluginSelection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_stage(lite, plugins=life, members=2, channels=2) as stage:
        record = GuildOpener._record
        bad = stage.scene.guild.id

        def broken(self: GuildOpener, guild_id: int, *seen: Any) -> None:
            if guild_id == bad:
                raise OSError("a row is broken")
            record(self, guild_id, *seen)

        monkeypatch.setattr(GuildOpener, "_record", broken)
        await stage.start_bot()
        assert f"guild {bad} could not be opened" in caplog.text
        assert (await stage.slash(stage.scene.second.officer, "hello")).message is not None


@pytest.mark.parametrize("way", ["stop_bot", "kill_bot"])
async def test_a_heartbeat_that_discord_py_forgot_ends_with_the_bot(
    lite: str, on_stage: Any, way: str
) -> None:
    async with on_stage(lite, PluginSelection()) as stage:
        (shard,) = stage.runtime.bot.shards.values()
        websocket = shard._parent.ws
        thread, websocket._keep_alive = websocket._keep_alive, None
        assert thread.is_alive()
        await getattr(stage, way)()
        assert not thread.is_alive()
