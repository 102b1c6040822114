"""First application commands with discord.py: options, transformers, context menus, hybrids, checks."""

from __future__ import annotations

import enum
from typing import Any, Literal

import discord
import pytest
from discord import app_commands
from discord.ext import commands
from support.loopback import Place, refused
from support.tutorials import answer, options, running


class Ore(enum.Enum):
    """A choice from an enumeration."""

    gold = 6_000
    tin = 150


class Span(app_commands.Transformer):
    """Minutes from words such as 2h."""

    async def transform(self, interaction: discord.Interaction, value: Any) -> int:
        return int(value[:-1]) * {"h": 60, "m": 1}[value[-1]]


class Client(discord.Client):
    """A client with a tree of its own."""

    def __init__(self, place: Place) -> None:
        super().__init__(**options(place))
        self.tree = app_commands.CommandTree(self)
        self._guild = discord.Object(place.guild.id)
        _basics(self.tree)

    async def setup_hook(self) -> None:
        self.tree.copy_global_to(guild=self._guild)
        await self.tree.sync(guild=self._guild)


def _basics(tree: app_commands.CommandTree[Client]) -> None:
    @tree.command()
    async def hello(interaction: discord.Interaction) -> None:
        """Says hello!"""
        await interaction.response.send_message(f"Hi, {interaction.user.mention}")

    @tree.command()
    @app_commands.describe(left="The first value", right="Added to it")
    @app_commands.rename(left="first")
    async def add(interaction: discord.Interaction, left: int, right: app_commands.Range[int, 0, 9]) -> None:
        await interaction.response.send_message(f"{left} + {right} = {left + right}", ephemeral=True)

    @tree.command()
    async def shop(
        interaction: discord.Interaction,
        action: Literal["Buy", "Sell"],
        ore: Ore,
        share: float = 1.0,
        insured: bool = False,
    ) -> None:
        words = f"{action} {ore.name}: {ore.value * share:g}, {'insured' if insured else 'at risk'}"
        await interaction.response.send_message(words)

    @tree.command()
    async def mine(interaction: discord.Interaction, span: app_commands.Transform[int, Span]) -> None:
        await interaction.response.send_message(f"{span} minutes")

    @tree.command()
    async def joined(interaction: discord.Interaction, member: discord.Member | None = None) -> None:
        one = member or interaction.user
        assert isinstance(one, discord.Member)
        assert one.joined_at is not None
        await interaction.response.send_message(f"{one.name} joined {discord.utils.format_dt(one.joined_at)}")

    @tree.command()
    async def who(
        interaction: discord.Interaction, one: discord.Role | discord.Member, place: discord.VoiceChannel
    ) -> None:
        await interaction.response.send_message(f"{type(one).__name__} {one.name}, {place.name}")

    @tree.command()
    async def upload(interaction: discord.Interaction, file: discord.Attachment) -> None:
        await interaction.response.send_message((await file.read()).decode())

    @tree.command()
    @app_commands.checks.cooldown(1, 60)
    @app_commands.default_permissions(manage_events=True)
    async def officers(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Officers' mess")

    @officers.error
    async def mess(interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        await interaction.response.send_message(type(error).__name__, ephemeral=True)

    @tree.context_menu(name="Show Join Date")
    async def date(interaction: discord.Interaction, member: discord.Member) -> None:
        await interaction.response.send_message(f"{member.name} was here", ephemeral=True)

    @tree.context_menu(name="Report to Moderators")
    async def report(interaction: discord.Interaction, message: discord.Message) -> None:
        embed = discord.Embed(title="Reported", description=message.content, timestamp=message.created_at)
        embed.set_author(name=message.author.name, icon_url=message.author.display_avatar.url)
        view = discord.ui.View().add_item(discord.ui.Button(label="Go", url=message.jump_url))
        await interaction.response.send_message(embed=embed, view=view)


@pytest.mark.parametrize(
    ("command", "given", "words"),
    [
        ("hello", {}, "Hi, <@"),
        ("add", {"first": -2, "right": 9}, "-2 + 9 = 7"),
        ("shop", {"action": "Sell", "ore": "gold", "share": 0.5}, "Sell gold: 3000, at risk"),
        ("shop", {"action": "Buy", "ore": "tin", "insured": True}, "Buy tin: 150, insured"),
        ("mine", {"span": "2h"}, "120 minutes"),
        ("joined", {}, "quartz joined <t:"),
        ("joined", {"member": "beryl"}, "beryl joined <t:"),
        ("who", {"one": "Officer", "place": "Alpha"}, "Role Officer, Alpha"),
        ("who", {"one": "beryl", "place": "Dispatch"}, "Member beryl, Dispatch"),
        ("upload", {"file": {"filename": "haul.txt", "data": "MTIgU0NV"}}, "12 SCU"),
    ],
)
async def test_options_of_every_kind(place: Place, command: str, given: dict[str, Any], words: str) -> None:
    ids = {"beryl": place.beryl.id, "Alpha": place.alpha.id, "Dispatch": place.dispatch.id}
    ids |= {role.name: role.id for role in place.guild.roles.values()}
    typed = {name: str(ids[value]) if value in ids else value for name, value in _hashable(given)}
    typed |= {name: value for name, value in given.items() if isinstance(value, dict)}
    async with running(Client(place), place):
        outcome = await place.quartz.slash(command, place.text, typed)
        assert outcome.message is not None
        assert outcome.message["content"].startswith(words)


def _hashable(given: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in given.items() if not isinstance(value, dict)]


async def test_what_the_menu_does_not_allow_is_refused(place: Place) -> None:
    async with running(Client(place), place):
        assert "right" in await refused(place.quartz.slash("add", place.text, {"first": 1, "right": 10}))
        assert await refused(place.quartz.slash("shop", place.text, {"action": "Steal", "ore": "gold"}))
        assert await refused(place.beryl.slash("officers", place.text))
        first = await place.quartz.slash("officers", place.text)
        again = await place.quartz.slash("officers", place.text)
        assert first.message is not None
        assert again.message is not None
        told = (first.message["content"], again.message["content"])
        assert told == ("Officers' mess", "CommandOnCooldown")


async def test_context_menus_of_members_and_messages(place: Place) -> None:
    message = await place.beryl.send(place.text, "Spam")
    async with running(Client(place), place):
        seen = await place.quartz.use_on_user("Show Join Date", place.beryl.id, place.text)
        assert seen.message is not None
        assert seen.message["content"] == "beryl was here"
        told = await place.quartz.use_on_message("Report to Moderators", message["id"])
        assert told.message is not None
        assert told.message["embeds"][0]["description"] == "Spam"
        assert message["id"] in told.message["components"][0]["components"][0]["url"]


async def test_a_hybrid_command_answers_both_ways_and_is_synced_by_its_owner(place: Place) -> None:
    bot = commands.Bot("!", owner_id=place.guild.owner_id, **options(place))
    owner = place.world.person(place.guild.id, place.guild.owner_id)

    @bot.hybrid_command()
    async def assay(ctx: commands.Context[Any], ore: str, amount: commands.Range[int, 1, 9] = 1) -> None:
        """What ore is worth."""
        await ctx.send(f"{amount} {ore}", ephemeral=True)

    @bot.hybrid_group(fallback="list")
    async def crew(ctx: commands.Context[Any]) -> None:
        """The crew."""
        await ctx.send("quartz")

    @crew.command()
    async def add(ctx: commands.Context[Any], member: discord.Member) -> None:
        """Adds somebody."""
        async with ctx.typing():
            await ctx.reply(f"{member.name} added")

    @bot.command()
    @commands.is_owner()
    async def sync(ctx: commands.Context[Any]) -> None:
        await ctx.send(f"{len(await bot.tree.sync())} synced")

    async with running(bot, place):
        assert (await answer(place, owner, "!sync"))["content"] == "2 synced"
        assert (await answer(place, place.quartz, "!assay gold 3"))["content"] == "3 gold"
        assert (await answer(place, place.quartz, "!crew add beryl"))["content"] == "beryl added"
        by_slash = await place.quartz.slash("assay", place.text, {"ore": "tin", "amount": 2})
        assert by_slash.message is not None
        assert (by_slash.message["content"], by_slash.message["flags"]) == ("2 tin", 64)
        listed = await place.quartz.slash("crew list", place.text)
        assert listed.message is not None
        assert listed.message["content"] == "quartz"
        added = await (
            await place.quartz.slash("crew add", place.text, {"member": str(place.beryl.id)})
        ).final()
        assert added["content"] == "beryl added"
