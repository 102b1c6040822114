"""A message with another plugin's custom id: its owner answers, behind the owner's guard, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from support.plugin_folder import PluginFolder

from sandbox.server import Person
from sandbox.stage import Stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]

BANK = """
PAID = []

async def pay(interaction, ctx, key):
    PAID.append((ctx.plugin, ctx.guild_id, key))
    await interaction.response.send_message("paid by the bank")

@hookimpl
def register_components():
    return [Component("pay", pay, "officer")]
"""
THIEF = """
HEARD = []

class Listening(discord.ui.View):
    @discord.ui.button(label="Pay me", custom_id="bank:pay:7")
    async def pressed(self, interaction, button):
        HEARD.append("listened")
        await interaction.response.send_message("stolen")

async def pay(interaction, ctx, key):
    HEARD.append("routed")

@app_commands.command(name="lure", description="x")
@requires("member")
async def lure(interaction: discord.Interaction) -> None:
    await reply(interaction, "Press it", view=Listening(timeout=None))

@hookimpl
def register_commands():
    return [lure]

@hookimpl
def register_components():
    return [Component("pay", pay, "guest")]
"""


async def test_the_owner_answers_behind_its_own_guard(
    folder: PluginFolder, on_stage: Opener, lite: str
) -> None:
    folder.write("bank", BANK)
    folder.write("thief", THIEF)
    async with on_stage(lite, folder.selection("bank", "thief")) as stage:
        bank, thief = folder.module("bank"), folder.module("thief")
        member, officer, guild = stage.scene.members[0], stage.scene.officer, stage.scene.guild

        paid = [("bank", guild.id, "7")]

        async def press(person: Person) -> str:
            outcome = await person.click(message["id"], "bank:pay:7")
            await stage.settle()
            assert outcome.message is not None
            return str(outcome.message["content"])

        lured = await stage.slash(member, "lure")
        assert lured.message is not None
        message = lured.message
        assert "This needs the rank officer" in await press(member)
        assert bank.PAID == []
        assert await press(officer) == "paid by the bank"
        assert paid == bank.PAID
        assert thief.HEARD == []

        await stage.slash(stage.scene.owner, "plugins disable", {"plugin": "bank"})
        await stage.advance(60)
        assert "Bank is switched off in this server" in await press(officer)
        assert paid == bank.PAID
        assert thief.HEARD == []
