"""A disnake bot: ``python disnake_bot.py SOCKET TOKEN``; only its connector is not the usual one."""

import asyncio
import sys

import aiohttp
import disnake
from disnake.ext import commands


class Form(disnake.ui.Modal):
    """One line of text."""

    def __init__(self) -> None:
        amount = disnake.ui.TextInput(label="Amount", custom_id="amount")
        super().__init__(title="Haul", custom_id="haul", components=[amount])

    async def callback(self, interaction: disnake.ModalInteraction) -> None:
        await interaction.response.send_message(f"{interaction.text_values['amount']} SCU")


class Panel(disnake.ui.View):
    """A button that opens the form."""

    @disnake.ui.button(label="Fill in", custom_id="form")
    async def form(self, button: disnake.ui.Button, interaction: disnake.MessageInteraction) -> None:
        await interaction.response.send_modal(Form())


async def main(socket: str, token: str) -> None:
    connector = aiohttp.UnixConnector(path=socket, limit=0)
    bot = commands.Bot(command_prefix="!", intents=disnake.Intents.all(), connector=connector)

    async def words(interaction: disnake.ApplicationCommandInteraction, typed: str) -> list[str]:
        return [f"{typed}!"]

    @bot.slash_command(description="Say it again")
    async def echo(
        interaction: disnake.ApplicationCommandInteraction,
        word: str = commands.Param(autocomplete=words),
        times: int = 1,
    ) -> None:
        await interaction.response.send_message(" ".join([word] * times), view=Panel())

    @bot.command()
    async def ping(context: commands.Context) -> None:
        await context.send("Pong.")

    @bot.event
    async def on_ready() -> None:
        print(f"ready, {len(bot.guilds)} guilds, disnake {disnake.__version__}", flush=True)

    @bot.event
    async def on_resumed() -> None:
        print("resumed", flush=True)

    await bot.start(token)


asyncio.run(main(*sys.argv[1:]))
