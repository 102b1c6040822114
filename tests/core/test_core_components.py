"""Buttons across plugins and guilds: the id names the owner, the interaction names the guild."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.mining import said
from support.plugin_folder import PluginFolder

from sandbox.server import Outcome, Person
from sandbox.stage import Stage

SENDER = """
HEARD = []

@app_commands.command(name="show", description="x")
@app_commands.guild_only()
@requires("member")
async def show(interaction: discord.Interaction) -> None:
    view = discord.ui.View(timeout=None)
    for own in ("sender:press:7", "other:press:7", "core:enable_needed:other"):
        view.add_item(discord.ui.Button(label=own, custom_id=own))
    await reply(interaction, "here", view=shown(view))

async def press(interaction, ctx, key):
    HEARD.append((ctx.plugin, ctx.guild_id, key))
    await reply(interaction, ctx.plugin + " " + key, ephemeral=True)

@hookimpl
def register_commands():
    return [show]

@hookimpl
def register_components():
    return [Component("press", press, "member")]
"""
OTHER = """
HEARD = []

async def press(interaction, ctx, key):
    HEARD.append((ctx.plugin, ctx.guild_id, key))
    await reply(interaction, ctx.plugin + " " + key, ephemeral=True)

@hookimpl
def register_components():
    return [Component("press", press, "officer")]
"""


@pytest.fixture
async def stage(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("sender", SENDER)
    folder.write("other", OTHER)
    async with on_stage(lite, folder.selection("sender")) as opened:
        yield opened


async def shown_to(stage: Stage, person: Person) -> str:
    outcome = await stage.slash(person, "show")
    assert outcome.message is not None
    return str(outcome.message["id"])


async def click(stage: Stage, person: Person, message: str, custom_id: str) -> Outcome:
    outcome = await person.click(message, custom_id)
    await stage.settle()
    return outcome


async def test_a_button_goes_to_whom_its_id_names(stage: Stage, folder: PluginFolder) -> None:
    """Whoever has sent the message: the owner's toggle and rank decide, for the core's own buttons too."""
    quartz, officer, owner = stage.scene.members[0], stage.scene.officer, stage.scene.owner
    message = await shown_to(stage, quartz)
    for person in (quartz, officer):
        refused = await click(stage, person, message, "core:enable_needed:other")
        assert "This needs the rank admin" in said(refused)
    refused = await click(stage, officer, message, "other:press:7")
    assert said(refused).startswith("Other is switched off in this server.")
    assert said(await click(stage, owner, message, "core:enable_needed:other")).startswith("**Other** is on.")
    refused = await click(stage, quartz, message, "other:press:7")
    assert "This needs the rank officer" in said(refused)
    assert said(await click(stage, officer, message, "other:press:7")) == "other 7"
    assert [("other", stage.scene.guild.id, "7")] == folder.module("other").HEARD
    assert folder.module("sender").HEARD == []


async def test_an_id_from_another_guild_meets_this_guild_only(stage: Stage, folder: PluginFolder) -> None:
    """The same key in two guilds: each time the handler is handed the guild in which it was pressed."""
    here, there = stage.scene, stage.scene.second
    mine, theirs = await shown_to(stage, here.members[0]), await shown_to(stage, there.members[0])
    await click(stage, here.members[0], mine, "sender:press:7")
    await click(stage, there.members[0], theirs, "sender:press:7")
    heard = folder.module("sender").HEARD
    assert heard == [("sender", here.guild.id, "7"), ("sender", there.guild.id, "7")]
    # Switched on in one guild is not switched on in the other.
    await click(stage, here.owner, mine, "core:enable_needed:other")
    assert "other" in stage.runtime.guilds.active(here.guild.id)
    refused = await click(stage, there.owner, theirs, "other:press:7")
    assert said(refused).startswith("Other is switched off in this server.")
