"""First bots with discord.py: greetings, prefix commands, waiting for replies, edits, tasks, reactions."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import discord
from discord.ext import commands, tasks
from support.loopback import Place, eventually
from support.tutorials import WAIT, answer, options, posted, running


class Greeter(discord.Client):
    """The quickstart: says hello to who says $hello, and replies to who says !hello."""

    async def on_message(self, message: discord.Message) -> None:
        if message.author == self.user:
            return
        if message.content.startswith("$hello"):
            await message.channel.send("Hello!")
        elif message.content.startswith("!hello"):
            await message.reply("Hello you!", mention_author=True)


async def test_the_quickstart_says_hello(place: Place) -> None:
    async with running(Greeter(**options(place)), place):
        assert (await answer(place, place.quartz, "$hello"))["content"] == "Hello!"
        reply = await answer(place, place.quartz, "!hello bot")
        assert reply["referenced_message"]["author"]["username"] == "quartz"
        assert [one["id"] for one in reply["mentions"]] == [str(place.quartz.id)]


def _basic(place: Place) -> commands.Bot:
    bot = commands.Bot(command_prefix="?", description="An example bot", **options(place))

    @bot.command()
    async def add(ctx: commands.Context[Any], left: int, right: int) -> None:
        """Adds two numbers together."""
        await ctx.send(str(left + right))

    @bot.command()
    async def roll(ctx: commands.Context[Any], dice: str) -> None:
        """Rolls dice in NdN format."""
        rolls, limit = map(int, dice.split("d"))
        await ctx.send(", ".join(str(random.Random(1).randint(1, limit)) for _ in range(rolls)))

    @bot.command(description="For when you wanna settle the score some other way")
    async def choose(ctx: commands.Context[Any], *choices: str) -> None:
        await ctx.send(choices[-1])

    @bot.command()
    async def joined(ctx: commands.Context[Any], member: discord.Member) -> None:
        """Says when a member joined."""
        assert member.joined_at is not None
        await ctx.send(f"{member.name} joined {discord.utils.format_dt(member.joined_at)}")

    @bot.group()
    async def cool(ctx: commands.Context[Any]) -> None:
        if ctx.invoked_subcommand is None:
            await ctx.send(f"No, {ctx.subcommand_passed} is not cool")

    @cool.command(name="bot")
    async def _bot(ctx: commands.Context[Any]) -> None:
        await ctx.send("Yes, the bot is cool.")

    @bot.command()
    @commands.has_permissions(administrator=True)
    async def purge(ctx: commands.Context[Any], limit: int) -> None:
        assert isinstance(ctx.channel, discord.TextChannel)
        gone = await ctx.channel.purge(limit=limit)
        await ctx.send(f"{len(gone)} gone")

    @bot.event
    async def on_command_error(ctx: commands.Context[Any], error: commands.CommandError) -> None:
        await ctx.send(type(error).__name__)

    return bot


async def test_prefix_commands_with_converters_groups_checks_and_help(place: Place) -> None:
    owner = place.world.person(place.guild.id, place.guild.owner_id)

    async def say(text: str, by: Any = place.quartz) -> str:
        return str((await answer(place, by, text))["content"])

    async with running(_basic(place), place):
        assert await say("?add 2 3") == "5"
        assert len((await say("?roll 3d6")).split(", ")) == 3
        assert await say('?choose tin "raw gold"') == "raw gold"
        assert (await say(f"?joined <@{place.beryl.id}>")).startswith("beryl joined <t:")
        assert (await say("?joined quartz")).startswith("quartz joined")
        assert await say("?joined nobody") == "MemberNotFound"
        assert await say("?cool bot") == "Yes, the bot is cool."
        assert await say("?cool rock") == "No, rock is not cool"
        assert await say("?add 2") == "MissingRequiredArgument"
        assert await say("?dance") == "CommandNotFound"
        assert await say("?purge 5") == "MissingPermissions"
        assert "Adds two numbers together." in await say("?help")
        assert await say("?purge 5", owner) == "5 gone"


class Guesser(discord.Client):
    """Waits for a reply of the same person, and gives up."""

    async def on_message(self, message: discord.Message) -> None:
        if not message.content.startswith("$guess"):
            return
        await message.channel.send("Guess a number between 1 and 10.")

        def by_them(one: discord.Message) -> bool:
            return one.author == message.author and one.content.isdigit()

        guess = await self.wait_for("message", check=by_them, timeout=WAIT)
        await message.channel.send("You are right!" if guess.content == "7" else "Oops. It is 7.")


async def test_a_reply_is_waited_for(place: Place) -> None:
    async with running(Guesser(**options(place)), place):
        await answer(place, place.quartz, "$guess")
        await place.beryl.send(place.text, "3")
        assert (await answer(place, place.quartz, "7"))["content"] == "You are right!"


class Watcher(discord.Client):
    """Tells of edits, deletions, typing and newcomers."""

    async def on_message_edit(self, before: discord.Message, after: discord.Message) -> None:
        await after.channel.send(f"{before.content} -> {after.content}")

    async def on_message_delete(self, message: discord.Message) -> None:
        await message.channel.send(f"{message.author.name} has deleted: {message.content}")

    async def on_member_join(self, member: discord.Member) -> None:
        channel = discord.utils.get(member.guild.text_channels, name="drill-ops")
        assert channel is not None
        await channel.send(f"Welcome {member.mention} to {member.guild.name}!")


async def test_edits_deletions_and_newcomers_are_noticed(place: Place) -> None:
    async with running(Watcher(**options(place)), place):
        message = await place.quartz.send(place.text, "one")
        coming = asyncio.create_task(posted(place))
        await asyncio.sleep(0)
        await place.quartz.edit_message(message["id"], "two")
        assert (await coming)["content"] == "one -> two"
        coming = asyncio.create_task(posted(place))
        await asyncio.sleep(0)
        await place.quartz.delete_message(message["id"])
        assert (await coming)["content"] == "quartz has deleted: two"
        coming = asyncio.create_task(posted(place))
        await asyncio.sleep(0)
        garnet = place.guild.add_member("garnet")
        assert (await coming)["content"] == f"Welcome <@{garnet.id}> to Ember Prospectors!"


class Counter(discord.Client):
    """A background task that posts a number each time."""

    def __init__(self, place: Place, **named: Any) -> None:
        super().__init__(**named)
        self.counter = 0
        self._channel_id = place.text.id

    async def setup_hook(self) -> None:
        self.count.start()

    @tasks.loop(seconds=0.02, count=3)
    async def count(self) -> None:
        channel = self.get_channel(self._channel_id)
        assert isinstance(channel, discord.TextChannel)
        self.counter += 1
        await channel.send(str(self.counter))

    @count.before_loop
    async def before(self) -> None:
        await self.wait_until_ready()


async def test_a_background_task_posts(place: Place) -> None:
    bot = Counter(place, **options(place))
    async with running(bot, place):
        await eventually(lambda: len(place.world.messages(place.text.id)) == 3)
        assert [one["content"] for one in place.world.messages(place.text.id)] == ["1", "2", "3"]


class RoleGiver(discord.Client):
    """Gives a role to who reacts to a message, and takes it back."""

    def __init__(self, message_id: int, role_id: int, **named: Any) -> None:
        super().__init__(**named)
        self._message_id, self._role_id = message_id, role_id

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        role = self._role(payload)
        if role is not None and payload.member is not None:
            await payload.member.add_roles(role, reason="asked for it")

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        role = self._role(payload)
        if role is not None:
            # The event of a removal names no member.
            member = role.guild.get_member(payload.user_id)
            assert member is not None
            await member.remove_roles(role)

    def _role(self, payload: discord.RawReactionActionEvent) -> discord.Role | None:
        guild = self.get_guild(payload.guild_id or 0)
        if guild is None or payload.message_id != self._message_id or payload.emoji.name != "⛏️":
            return None
        return guild.get_role(self._role_id)


async def test_reaction_roles(place: Place) -> None:
    message = await place.beryl.send(place.text, "React to become a miner")
    miner = place.guild.create_role("Miner")
    helper = place.guild.create_role("Helper", permissions=1 << 28)
    place.guild.members[place.world.bot_user.id].roles.append(helper.id)
    async with running(RoleGiver(int(message["id"]), miner.id, **options(place)), place):
        await place.quartz.react(message["id"], "👍")
        await place.quartz.react(message["id"], "⛏️")
        await eventually(lambda: miner.id in place.quartz.member.roles)
        await place.quartz.unreact(message["id"], "⛏️")
        await eventually(lambda: miner.id not in place.quartz.member.roles)
