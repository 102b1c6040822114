"""First views with discord.py: confirm, counter, dropdowns, persistent and dynamic items, forms, layouts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import discord
from discord.ext import commands
from support.loopback import Place
from support.tutorials import WAIT, answer, options, running

from sandbox.server.interacting import Outcome

Interaction = discord.Interaction
Button = discord.ui.Button[Any]


class Confirm(discord.ui.View):
    """Asks, and stops at the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.value: bool | None = None

    @discord.ui.button(label="Confirm", style=discord.ButtonStyle.green, custom_id="yes")
    async def confirm(self, interaction: Interaction, button: Button) -> None:
        await interaction.response.send_message("Confirming", ephemeral=True)
        self.value = True
        self.stop()

    @discord.ui.button(label="Cancel", style=discord.ButtonStyle.grey, custom_id="no")
    async def cancel(self, interaction: Interaction, button: Button) -> None:
        await interaction.response.send_message("Cancelling", ephemeral=True)
        self.value = False
        self.stop()


class Counter(discord.ui.View):
    """Counts presses on its own label."""

    @discord.ui.button(label="0", style=discord.ButtonStyle.red, custom_id="count")
    async def count(self, interaction: Interaction, button: Button) -> None:
        number = int(button.label or 0) + 1
        button.label, button.disabled = str(number), number >= 3
        await interaction.response.edit_message(view=self)


class Dropdowns(discord.ui.View):
    """A menu of words, one of people, one of roles and people, one of channels."""

    @discord.ui.select(
        custom_id="colour",
        placeholder="Choose your favourite colours",
        max_values=2,
        options=[discord.SelectOption(label=one, emoji="🟥") for one in ("Red", "Green", "Blue")],
    )
    async def colour(self, interaction: Interaction, select: discord.ui.Select[Any]) -> None:
        await interaction.response.send_message(f"{' and '.join(select.values)}")

    @discord.ui.select(cls=discord.ui.UserSelect, custom_id="user")
    async def user(self, interaction: Interaction, select: discord.ui.UserSelect[Any]) -> None:
        await interaction.response.send_message(select.values[0].name)

    @discord.ui.select(cls=discord.ui.MentionableSelect, custom_id="anybody", max_values=2)
    async def anybody(self, interaction: Interaction, select: discord.ui.MentionableSelect[Any]) -> None:
        await interaction.response.send_message(" and ".join(one.name for one in select.values))

    @discord.ui.select(
        cls=discord.ui.ChannelSelect, custom_id="where", channel_types=[discord.ChannelType.voice]
    )
    async def where(self, interaction: Interaction, select: discord.ui.ChannelSelect[Any]) -> None:
        await interaction.response.send_message(select.values[0].name)


class Persistent(discord.ui.View):
    """Works after a restart too: no time-out, and a custom id for each part."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Green", style=discord.ButtonStyle.green, custom_id="persistent:green")
    async def green(self, interaction: Interaction, button: Button) -> None:
        await interaction.response.send_message("This is green.", ephemeral=True)


class Dynamic(discord.ui.DynamicItem[Button], template=r"count:(?P<count>\d+):user:(?P<id>\d+)"):
    """A button whose state is in its custom id, for one person only."""

    def __init__(self, user_id: int, count: int = 0) -> None:
        self.user_id, self.count = user_id, count
        super().__init__(discord.ui.Button(label=str(count), custom_id=f"count:{count}:user:{user_id}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Dynamic:
        return cls(int(match["id"]), int(match["count"]))

    async def interaction_check(self, interaction: Interaction) -> bool:
        if interaction.user.id == self.user_id:
            return True
        await interaction.response.send_message("Not yours", ephemeral=True)
        return False

    async def callback(self, interaction: Interaction) -> None:
        view = discord.ui.View(timeout=None).add_item(Dynamic(self.user_id, self.count + 1))
        await interaction.response.edit_message(view=view)


class Feedback(discord.ui.Modal, title="Feedback"):
    """A form with a line, a paragraph and a menu."""

    name = discord.ui.Label(text="Name", component=discord.ui.TextInput(custom_id="name"))
    words = discord.ui.Label(
        text="What do you think?",
        description="In your own words",
        component=discord.ui.TextInput(
            custom_id="words", style=discord.TextStyle.long, required=False, max_length=300
        ),
    )
    mark = discord.ui.Label(
        text="Mark",
        component=discord.ui.Select(
            custom_id="mark", options=[discord.SelectOption(label=one) for one in ("Good", "Bad")]
        ),
    )

    async def on_submit(self, interaction: Interaction) -> None:
        assert isinstance(self.name.component, discord.ui.TextInput)
        assert isinstance(self.mark.component, discord.ui.Select)
        told = f"Thanks, {self.name.component.value}: {self.mark.component.values[0]}"
        await interaction.response.send_message(told, ephemeral=True)


class Layout(discord.ui.LayoutView):
    """Components V2 with a button among the text."""

    def __init__(self) -> None:
        super().__init__()
        ask: discord.ui.Button[Any] = discord.ui.Button(label="Feedback", custom_id="ask")
        ask.callback = self.ask
        inside = discord.ui.Section("# Feedback", "Tell us", accessory=ask)
        self.add_item(discord.ui.Container(inside, accent_colour=discord.Colour.gold()))

    async def ask(self, interaction: Interaction) -> None:
        await interaction.response.send_modal(Feedback())


def _bot(place: Place, name: str, view: Callable[[], Any]) -> commands.Bot:
    bot = commands.Bot("?", **options(place))

    @bot.command(name=name)
    async def show(ctx: commands.Context[Any]) -> None:
        made = view()
        await (ctx.send(view=made) if isinstance(made, Layout) else ctx.send("Here", view=made))

    return bot


def _said(outcome: Outcome) -> str:
    assert outcome.message is not None
    return str(outcome.message["content"])


async def test_a_question_waits_for_its_answer(place: Place) -> None:
    bot = commands.Bot("?", **options(place))
    answered: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()

    @bot.command()
    async def ask(ctx: commands.Context[Any]) -> None:
        view = Confirm()
        await ctx.send("Do you want to continue?", view=view)
        await view.wait()
        answered.set_result(view.value)

    async with running(bot, place):
        shown = await answer(place, place.quartz, "?ask")
        assert _said(await place.quartz.click(shown["id"], "yes")) == "Confirming"
        assert await asyncio.wait_for(answered, WAIT) is True


async def test_a_counter_edits_its_message_until_it_is_disabled(place: Place) -> None:
    async with running(_bot(place, "counter", Counter), place):
        shown = await answer(place, place.quartz, "?counter")
        for number in ("1", "2", "3"):
            pressed = await place.quartz.click(shown["id"], "count")
            assert pressed.kind == "update"
            assert pressed.message is not None
            assert pressed.message["components"][0]["components"][0]["label"] == number
        assert pressed.message is not None
        assert pressed.message["components"][0]["components"][0]["disabled"] is True


async def test_dropdowns_of_each_kind(place: Place) -> None:
    role = next(one for one in place.guild.roles.values() if one.name == "Officer")
    async with running(_bot(place, "colour", Dropdowns), place):
        message_id = (await answer(place, place.quartz, "?colour"))["id"]
        for custom_id, values, words in (
            ("colour", ["Red", "Blue"], "Red and Blue"),
            ("user", [str(place.beryl.id)], "beryl"),
            ("anybody", [str(place.beryl.id), str(role.id)], "beryl and Officer"),
            ("where", [str(place.alpha.id)], "Alpha"),
        ):
            assert _said(await place.quartz.choose(message_id, custom_id, values)) == words


async def test_persistent_and_dynamic_buttons_outlive_the_bot(place: Place) -> None:
    first = commands.Bot("?", **options(place))

    @first.command()
    async def prepare(ctx: commands.Context[Any]) -> None:
        await ctx.send("What's your favourite colour?", view=Persistent().add_item(Dynamic(ctx.author.id)))

    async with running(first, place):
        message_id = (await answer(place, place.quartz, "?prepare"))["id"]
    second = commands.Bot("?", **options(place))
    second.add_view(Persistent())
    second.add_dynamic_items(Dynamic)
    async with running(second, place):
        assert _said(await place.beryl.click(message_id, "persistent:green")) == "This is green."
        custom_id = f"count:0:user:{place.quartz.id}"
        assert _said(await place.beryl.click(message_id, custom_id)) == "Not yours"
        pressed = await place.quartz.click(message_id, custom_id)
        assert pressed.message is not None
        assert pressed.message["components"][0]["components"][0]["label"] == "1"


async def test_a_layout_opens_a_form(place: Place) -> None:
    async with running(_bot(place, "feedback", Layout), place):
        shown = await answer(place, place.quartz, "?feedback")
        assert shown["flags"] & (1 << 15)
        opened = await place.quartz.click(shown["id"], "ask")
        assert opened.kind == "modal"
        values = {"name": "Quartz", "words": "", "mark": ["Good"]}
        sent = await place.quartz.submit(str(opened.interaction_id), values)
        assert _said(sent) == "Thanks, Quartz: Good"
