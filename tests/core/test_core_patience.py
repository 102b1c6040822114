"""Commands answer at once, and are deferred only when they take long."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from support.plugin_folder import PluginFolder

from sandbox.stage import Stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]

SLOW = """
from redlegion import deferred_if_slow

GO = asyncio.Event()

@app_commands.command(name="dig", description="x")
@requires("member")
async def dig(interaction: discord.Interaction, slow: bool, refuse: bool = False) -> None:
    async with deferred_if_slow(interaction, after=0.01):
        if slow:
            while interaction.response.type is None:
                await asyncio.sleep(0)
        if refuse:
            raise UserError("The seam is empty.", "Dig elsewhere.")
    await reply(interaction, "ore")

@app_commands.command(name="doze", description="x")
@requires("member")
async def doze(interaction: discord.Interaction) -> None:
    while interaction.response.type is None:
        await asyncio.sleep(0)
    await reply(interaction, "awake")

@hookimpl
def register_commands():
    return [dig, doze]
"""


@pytest.mark.parametrize(
    ("slow", "refuse", "kind", "words", "private"),
    [
        (False, False, "message", "ore", False),
        (False, True, "message", "The seam is empty. Dig elsewhere.", True),
        (True, False, "deferred", "ore", False),
        (True, True, "deferred", "The seam is empty. Dig elsewhere.", False),
    ],
)
async def test_only_slow_work_is_deferred(
    folder: PluginFolder,
    on_stage: Opener,
    lite: str,
    *,
    slow: bool,
    refuse: bool,
    kind: str,
    words: str,
    private: bool,
) -> None:
    folder.write("digger", SLOW)
    async with on_stage(lite, folder.selection("digger")) as stage:
        quartz = stage.scene.members[0]
        outcome = await stage.slash(quartz, "dig", {"slow": slow, "refuse": refuse})
        assert outcome.kind == kind
        message = await outcome.final()
        assert message["content"] == words
        assert bool(message["flags"] & 64) is private


async def test_a_command_that_knows_nothing_of_time_is_deferred_at_the_last_moment(
    folder: PluginFolder, on_stage: Opener, lite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.commands.guard.LAST_MOMENT", 0.05)
    folder.write("digger", SLOW)
    async with on_stage(lite, folder.selection("digger")) as stage:
        outcome = await stage.slash(stage.scene.members[0], "doze")
        assert outcome.kind == "deferred"
        message = await outcome.final()
        assert message["content"] == "awake"
        assert message["flags"] & 64, "nobody knows yet who may read the answer"
