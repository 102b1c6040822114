"""A cog of ours for Red: one slash command, with an option that completes itself."""

from __future__ import annotations

import discord
from discord import app_commands
from redbot.core import commands
from redbot.core.bot import Red

PRICES = {"gold": 6_000, "tin": 150}


class Assay(commands.Cog):
    """Values ore."""

    @app_commands.command(description="What ore is worth")
    async def assay(
        self, interaction: discord.Interaction, ore: str, amount: app_commands.Range[int, 1, 100] = 1
    ) -> None:
        await interaction.response.send_message(f"{amount} {ore}: {PRICES[ore] * amount} aUEC")

    @assay.autocomplete("ore")
    async def ores(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=one, value=one) for one in PRICES if one.startswith(typed)]


async def setup(bot: Red) -> None:
    await bot.add_cog(Assay())
