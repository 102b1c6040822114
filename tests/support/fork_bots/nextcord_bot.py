"""A nextcord bot: ``python nextcord_bot.py SOCKET TOKEN``; only its connector is not the usual one."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import nextcord
from nextcord.ext import commands


class Form(nextcord.ui.Modal):
    """One line of text."""

    def __init__(self) -> None:
        super().__init__("Haul", custom_id="haul")
        self.amount = nextcord.ui.TextInput("Amount", custom_id="amount")
        self.add_item(self.amount)

    async def callback(self, interaction: nextcord.Interaction) -> None:
        await interaction.response.send_message(f"{self.amount.value} SCU")


class Panel(nextcord.ui.View):
    """A button that opens the form."""

    @nextcord.ui.button(label="Fill in", custom_id="form")
    async def form(self, button: nextcord.ui.Button, interaction: nextcord.Interaction) -> None:
        await interaction.response.send_modal(Form())


async def main(socket: str, token: str) -> None:
    connector = aiohttp.UnixConnector(path=socket, limit=0)
    bot = commands.Bot(command_prefix="!", intents=nextcord.Intents.all(), connector=connector)

    @bot.slash_command(description="Say it again")
    async def echo(interaction: nextcord.Interaction, word: str, times: int = 1) -> None:
        await interaction.response.send_message(" ".join([word] * times), view=Panel())

    @echo.on_autocomplete("word")
    async def words(interaction: nextcord.Interaction, typed: str) -> None:
        await interaction.response.send_autocomplete([f"{typed}!"])

    @bot.command()
    async def ping(context: commands.Context) -> None:
        await context.send("Pong.")

    @bot.event
    async def on_ready() -> None:
        print(f"ready, {len(bot.guilds)} guilds, nextcord {nextcord.__version__}", flush=True)

    @bot.event
    async def on_resumed() -> None:
        print("resumed", flush=True)

    await bot.start(token)


asyncio.run(main(*sys.argv[1:]))
