"""A discord.py bot with one of everything: options of each kind, autocomplete, components, a modal, files."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import discord
from discord import app_commands

WAIT = 60.0


class Form(discord.ui.Modal, title="Haul"):
    ore = discord.ui.Label(
        text="Ore",
        description="Which one",
        component=discord.ui.Select(options=[discord.SelectOption(label=one) for one in ("Gold", "Tin")]),
    )
    amount = discord.ui.Label(text="Amount", component=discord.ui.TextInput(default="5", max_length=6))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.ore.component, discord.ui.Select)
        assert isinstance(self.amount.component, discord.ui.TextInput)
        words = f"{self.amount.component.value} {self.ore.component.values[0]}"
        await interaction.response.send_message(words, ephemeral=True)


class Buttons(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.add_item(discord.ui.Button(label="More", url="https://example.org/"))

    @discord.ui.button(label="Fill in", custom_id="form", style=discord.ButtonStyle.primary)
    async def form(self, interaction: discord.Interaction, button: Any) -> None:
        await interaction.response.send_modal(Form())

    @discord.ui.button(label="Change", custom_id="change")
    async def change(self, interaction: discord.Interaction, button: Any) -> None:
        button.disabled = True
        await interaction.response.edit_message(content="Changed", view=self)

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction: discord.Interaction, button: Any) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="Later")

    @discord.ui.select(
        custom_id="ore", options=[discord.SelectOption(label=one) for one in ("Gold", "Tin")], max_values=2
    )
    async def ore(self, interaction: discord.Interaction, select: Any) -> None:
        await interaction.response.send_message(", ".join(select.values), ephemeral=True)

    @discord.ui.select(cls=discord.ui.ChannelSelect, custom_id="where")
    async def where(self, interaction: discord.Interaction, select: Any) -> None:
        await interaction.response.edit_message(embed=discord.Embed(title=select.values[0].name), view=None)


class Page(discord.ui.LayoutView):
    card = discord.ui.Container(
        discord.ui.TextDisplay("# Payroll"),
        discord.ui.Separator(),
        discord.ui.Section("Split", accessory=discord.ui.Button(label="Do", custom_id="do")),
        discord.ui.File("attachment://payroll.csv"),
        accent_colour=discord.Colour.red(),
    )


def build(client: discord.Client) -> app_commands.CommandTree:
    """Register commands with every kind of option and answer."""
    tree = app_commands.CommandTree(client)
    mining = app_commands.Group(name="mining", description="Mining")

    @mining.command(description="Start")
    @app_commands.describe(title="Its name", hours="How long")
    async def start(
        interaction: discord.Interaction,
        *,
        title: app_commands.Range[str, 1, 50],
        hours: app_commands.Range[int, 1, 12] = 2,
        share: float = 0.5,
        quiet: bool = False,
        channel: discord.VoiceChannel | None = None,
        member: discord.Member | None = None,
        role: discord.Role | None = None,
        report: discord.Attachment | None = None,
    ) -> None:
        await interaction.response.send_message(title, view=Buttons())

    @start.autocomplete("title")
    async def titles(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current} run", value="run")]

    @tree.command(description="Payroll")
    async def payroll(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        embed = discord.Embed(title="Payroll", description="Paid", colour=5, timestamp=datetime.now(UTC))
        embed.add_field(name="quartz", value="1,000").set_footer(text="aUEC")
        files = [
            discord.File(io.BytesIO(b"a;b"), "payroll.csv"),
            discord.File(io.BytesIO(b"%PDF"), "payroll.pdf"),
        ]
        await interaction.edit_original_response(embed=embed, attachments=files)
        await interaction.followup.send("Only you", ephemeral=True)
        more = await interaction.followup.send("All", wait=True)
        await more.edit(content="All of you")
        await more.delete()

    @tree.command(description="Page")
    async def page(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(
            view=Page(timeout=None), file=discord.File(io.BytesIO(b"a;b"), "payroll.csv")
        )

    tree.add_command(mining)
    return tree


@contextlib.asynccontextmanager
async def running_bot(socket: str, token: str, guild_id: int) -> AsyncIterator[discord.Client]:
    """Run the bot through a sandbox's unix socket, ready and with its commands in one guild's menu."""
    connector = aiohttp.UnixConnector(path=socket, limit=0)
    client = discord.Client(intents=discord.Intents.all(), connector=connector, guild_ready_timeout=0.1)
    tree = build(client)
    ready = asyncio.Event()

    @client.event
    async def on_ready() -> None:
        ready.set()

    running = asyncio.create_task(client.start(token))
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait([waiting, running], timeout=WAIT, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        assert ready.is_set(), "the bot was not ready in time"
        guild = discord.Object(guild_id)
        tree.copy_global_to(guild=guild)
        await tree.sync(guild=guild)
        yield client
    finally:
        waiting.cancel()
        await client.close()
        await asyncio.wait([running], timeout=WAIT)
