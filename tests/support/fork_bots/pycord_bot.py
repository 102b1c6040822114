"""A Pycord bot: ``python pycord_bot.py SOCKET TOKEN``; only its connector is not the usual one."""

import asyncio
import sys

import aiohttp
import discord
from discord.ext import commands


class Form(discord.ui.Modal):
    """One line of text."""

    def __init__(self) -> None:
        super().__init__(title="Haul", custom_id="haul")
        self.add_item(discord.ui.InputText(label="Amount", custom_id="amount"))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"{self.children[0].value} SCU")


class Panel(discord.ui.View):
    """A button that opens the form."""

    @discord.ui.button(label="Fill in", custom_id="form")
    async def form(self, button: discord.ui.Button, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())


async def main(socket: str, token: str) -> None:
    connector = aiohttp.UnixConnector(path=socket, limit=0)
    bot = commands.Bot(command_prefix="!", intents=discord.Intents.all(), connector=connector)

    async def words(context: discord.AutocompleteContext) -> list[str]:
        return [f"{context.value}!"]

    @bot.slash_command(description="Say it again")
    @discord.option("word", str, autocomplete=words)
    @discord.option("times", int, default=1)
    async def echo(context: discord.ApplicationContext, word: str, times: int) -> None:
        await context.respond(" ".join([word] * times), view=Panel())

    @bot.command()
    async def ping(context: commands.Context) -> None:
        await context.send("Pong.")

    @bot.event
    async def on_ready() -> None:
        print(f"ready, {len(bot.guilds)} guilds, Pycord {discord.__version__}", flush=True)

    @bot.event
    async def on_resumed() -> None:
        print("resumed", flush=True)

    await bot.start(token)


asyncio.run(main(*sys.argv[1:]))
