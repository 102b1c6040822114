"""Commands, buttons and forms in the direct channel between one person and the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands
from support.loopback import LoopbackBot, Place, refused


class Form(discord.ui.Modal, title="Note"):
    words = discord.ui.Label(text="Words", component=discord.ui.TextInput(custom_id="words"))
    who = discord.ui.Label(text="Who", component=discord.ui.UserSelect(custom_id="who"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.words.component, discord.ui.TextInput)
        assert isinstance(self.who.component, discord.ui.UserSelect)
        names = [type(each).__name__ + each.name for each in self.who.component.values]
        await interaction.response.edit_message(content=f"{self.words.component.value} {names}")


class Panel(discord.ui.View):
    @discord.ui.button(label="Note", custom_id="note")
    async def note(self, interaction: discord.Interaction, button: Any) -> None:
        await interaction.response.send_modal(Form())


@pytest.fixture
async def direct(place: Place) -> AsyncIterator[LoopbackBot]:
    bot = LoopbackBot(place.server)

    @bot.tree.command(name="whoami")
    async def whoami(
        interaction: discord.Interaction, friend: discord.User | None = None, role: discord.Role | None = None
    ) -> None:
        assert isinstance(interaction.user, discord.User)
        assert isinstance(interaction.channel, discord.DMChannel)
        words = f"{interaction.user.name} {friend and friend.name} {interaction.guild_id}"
        await interaction.response.send_message(words, view=Panel(timeout=None))

    @bot.tree.command(name="later")
    async def later(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("done")

    @bot.tree.command(name="here")
    @app_commands.guild_only()
    async def here(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("in a guild")

    @bot.tree.command(name="local", guild=discord.Object(place.guild.id))
    async def local(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("local")

    await bot.begin(place.world.token)
    await bot.tree.sync()
    await bot.tree.sync(guild=bot.guilds[0])
    yield bot
    await bot.end()


async def test_a_command_a_button_and_a_form(place: Place, direct: LoopbackBot) -> None:
    channel = place.world.direct_channel(place.quartz.id)
    used = await place.quartz.slash("whoami", channel, {"friend": place.beryl})
    assert used.message is not None
    assert used.message["content"] == "quartz beryl None"
    assert "guild_id" not in used.message
    opened = await place.quartz.click(used.message["id"], "note")
    assert opened.interaction_id is not None
    sent = await place.quartz.submit(opened.interaction_id, {"words": "gold", "who": [place.beryl]})
    assert sent.message is not None
    assert sent.message["content"] == "gold ['Userberyl']"
    later = await place.quartz.slash("later", channel)
    assert (await later.final())["content"] == "done"


async def test_only_what_is_meant_for_it(place: Place, direct: LoopbackBot) -> None:
    channel = place.world.direct_channel(place.quartz.id)
    assert "it has: /whoami, /later" in await refused(place.quartz.slash("here", channel))
    assert "not in this guild's menu" in await refused(place.quartz.slash("local", channel))
    officer = next(each for each in place.guild.roles.values() if each.name == "Officer")
    assert "has no roles" in await refused(place.quartz.slash("whoami", channel, {"role": officer}))
    assert (await place.quartz.slash("here", place.text)).kind == "message"


async def test_nobody_else_is_there(place: Place, direct: LoopbackBot) -> None:
    channel = place.world.direct_channel(place.quartz.id)
    used = await place.quartz.slash("whoami", channel)
    assert used.message is not None
    assert "no channel" in await refused(place.beryl.slash("whoami", channel))
    assert "no channel" in await refused(place.beryl.click(used.message["id"], "note"))
