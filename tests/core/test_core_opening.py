"""A guild that cannot be put in place is named, refused in words, and tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.mining import said
from support.plugin_folder import PluginFolder

from sandbox.stage import Stage

ALPHA = """
@app_commands.command(name="look", description="x")
@app_commands.guild_only()
@requires("member")
async def look(interaction: discord.Interaction) -> None:
    await reply(interaction, "seen", ephemeral=True)

@hookimpl
def register_commands():
    return [look]
"""


@pytest.fixture
async def stage(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("alpha", ALPHA)
    async with on_stage(lite, folder.selection("alpha")) as opened:
        yield opened


async def test_a_guild_that_cannot_be_opened_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runtime, guild = stage.runtime, stage.scene.guild.id
    recover, failures = runtime.recorder.recover, [2]

    async def fails(shard_id: int, guild_id: int, *args: Any) -> None:
        if guild_id == guild and failures[0]:
            failures[0] -= 1
            raise RuntimeError("the ledge broke")
        await recover(shard_id, guild_id, *args)

    monkeypatch.setattr(runtime.recorder, "recover", fails)
    runtime.shard_is_back(0, "resume")
    await stage.settle()
    assert runtime.opener.failed == {guild: "RuntimeError: the ledge broke"}
    info = await stage.slash(stage.scene.owner, "plugins info", {"plugin": "alpha"})
    assert "This server could not be put in order; it is tried again by itself." in str(info.message)
    await stage.advance(5)
    assert guild in runtime.opener.failed
    await stage.advance(15)
    assert runtime.opener.failed == {}
    assert "could not be opened and is tried again" in caplog.text
    await stage.advance(600)
    assert failures == [0]


async def test_a_guild_that_is_not_open_yet_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.stop_bot()

    async def fails(*_args: Any) -> None:
        raise RuntimeError("the ledge broke")

    with monkeypatch.context() as patch:
        patch.setattr("core.voice.sessions.VoiceRecorder.recover", fails)
        await stage.start_bot()
        opener = stage.runtime.opener
        assert opener.failed.keys() == {stage.scene.guild.id, stage.scene.second_guild.id}
        wait = opener.wait
        patch.setattr(opener, "wait", lambda guild_id, _within: wait(guild_id, 0.01))
        refused = await stage.slash(stage.scene.owner, "look")
        assert said(refused) == (
            "I could not get ready in this server. "
            "I try again by myself; try your command again in a few minutes."
        )
        info = await stage.slash(stage.scene.owner, "plugins info", {"plugin": "alpha"})
        assert "This server could not be put in order; it is tried again by itself." in str(info.message)
    await stage.advance(5)
    assert opener.failed == {}
    assert said(await stage.slash(stage.scene.owner, "look")) == "seen"
