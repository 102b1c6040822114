"""Every part a form or panel can have, filled in by people and read by discord.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands
from support.loopback import LoopbackBot, Place, refused


def form() -> discord.ui.Modal:
    modal = discord.ui.Modal(title="Crew", custom_id="crew")
    crew = discord.ui.UserSelect[Any](custom_id="people", max_values=2)
    roles = discord.ui.RadioGroup[Any](custom_id="role")
    ores = discord.ui.CheckboxGroup[Any](custom_id="ores", required=False, min_values=0, max_values=2)
    for each in ("pilot", "gunner"):
        roles.add_option(label=each, value=each)
    for each in ("gold", "iron", "beryl"):
        ores.add_option(label=each, value=each)
    modal.add_item(discord.ui.Label(text="People", component=crew))
    modal.add_item(discord.ui.Label(text="Role", component=roles))
    modal.add_item(discord.ui.Label(text="Ores", component=ores))
    modal.add_item(discord.ui.Label(text="Sure", component=discord.ui.Checkbox(custom_id="sure")))
    upload = discord.ui.FileUpload[Any](custom_id="proof", required=False, min_values=0, max_values=1)
    modal.add_item(discord.ui.Label(text="Proof", component=upload))

    async def on_submit(interaction: discord.Interaction) -> None:
        proof = [(await each.read()).decode() for each in upload.values]
        people = [each.name for each in crew.values]
        sure = next(each for each in modal.walk_children() if isinstance(each, discord.ui.Checkbox)).value
        await interaction.response.send_message(f"{people} {roles.value} {ores.values} {sure} {proof}")

    modal.on_submit = on_submit  # type: ignore[method-assign]
    return modal


class Pickers(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)
        for kind, name in (
            (discord.ui.UserSelect, "user"),
            (discord.ui.RoleSelect, "role"),
            (discord.ui.MentionableSelect, "mentionable"),
        ):
            picker = kind[Any](custom_id=name)
            picker.callback = self.told(picker)  # type: ignore[method-assign]
            self.add_item(picker)
        channel = discord.ui.ChannelSelect[Any](
            custom_id="channel", channel_types=[discord.ChannelType.voice]
        )
        channel.callback = self.told(channel)  # type: ignore[method-assign]
        self.add_item(channel)

    @staticmethod
    def told(picker: Any) -> Any:
        async def callback(interaction: discord.Interaction) -> None:
            await interaction.response.edit_message(content=f"{picker.custom_id}: {picker.values[0].name}")

        return callback


@pytest.fixture
async def forms(place: Place) -> AsyncIterator[LoopbackBot]:
    bot = LoopbackBot(place.server)

    @bot.tree.command(description="Open a form")
    async def crew(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(form())

    @bot.tree.command(description="Show pickers")
    async def pick(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("pick", view=Pickers())

    @bot.tree.command(description="Take a file")
    async def take(interaction: discord.Interaction, proof: discord.Attachment) -> None:
        await interaction.response.send_message(f"{proof.filename}: {(await proof.read()).decode()}")

    @bot.tree.command(description="Take values")
    @app_commands.choices(ore=[app_commands.Choice(name="Gold", value="gold")])
    async def values(
        interaction: discord.Interaction,
        ore: app_commands.Choice[str] | None = None,
        share: float | None = None,
        role: discord.Role | None = None,
        sure: bool | None = None,
    ) -> None:
        await interaction.response.send_message(f"{ore and ore.value} {share} {role} {sure}")

    await bot.begin(place.world.token)
    await bot.tree.sync()
    yield bot
    await bot.end()


async def test_a_form_with_every_part(place: Place, forms: LoopbackBot) -> None:
    opened = await place.quartz.slash("crew", place.text)
    assert opened.interaction_id is not None
    modal = opened.interaction_id
    good: dict[str, Any] = {
        "people": [place.beryl.id],
        "role": "pilot",
        "ores": ["gold", "iron"],
        "sure": True,
    }
    for wrong, words in (
        ({"role": "cook"}, "has no choice"),
        ({"role": None}, "is required"),
        ({"ores": ["gold", "iron", "beryl"]}, "0 to 2 choices"),
        ({"ores": ["gold", "gold"]}, "twice"),
        ({"people": [1]}, "not a member"),
        ({"sure": "yes"}, "true or false"),
        ({"proof": ["a.txt"]}, "a file is"),
    ):
        assert words in await refused(place.quartz.submit(modal, good | wrong))
    sent = await place.quartz.submit(modal, good | {"proof": [("a.txt", b"seen")]})
    assert sent.message is not None
    assert sent.message["content"] == "['beryl'] pilot ['gold', 'iron'] True ['seen']"


async def test_pickers_of_people_roles_and_channels(place: Place, forms: LoopbackBot) -> None:
    shown = await place.quartz.slash("pick", place.text)
    assert shown.message is not None
    panel = shown.message["id"]
    role = next(each for each in place.guild.roles.values() if each.name == "Officer")
    for picker, value, words in (
        ("user", place.beryl.id, "user: beryl"),
        ("role", role.id, "role: Officer"),
        ("mentionable", str(role.id), "mentionable: Officer"),
        ("channel", place.alpha, "channel: Alpha"),
    ):
        picked = await place.quartz.choose(panel, picker, [value])
        assert picked.kind == "update"
        assert picked.message is not None
        assert picked.message["content"] == words
    assert "takes channels of type" in await refused(place.quartz.choose(panel, "channel", [place.text]))
    assert "not a button" in await refused(place.quartz.click(panel, "user"))


async def test_values_of_each_kind(place: Place, forms: LoopbackBot) -> None:
    taken = await place.quartz.slash("take", place.text, {"proof": ("a.txt", b"seen")})
    assert taken.message is not None
    assert taken.message["content"] == "a.txt: seen"
    encoded = {"proof": {"filename": "b.txt", "data": "c2Vlbg=="}}
    taken = await place.quartz.slash("take", place.text, encoded)
    assert taken.message is not None
    assert taken.message["content"] == "b.txt: seen"
    officer = next(each for each in place.guild.roles.values() if each.name == "Officer")
    given = {"ore": "Gold", "share": 0.5, "role": officer, "sure": True}
    answered = await place.quartz.slash("values", place.text, given)
    assert answered.message is not None
    assert answered.message["content"] == "gold 0.5 Officer True"
    assert "takes one of: Gold" in await refused(place.quartz.slash("values", place.text, {"ore": "iron"}))
    assert "true or false" in await refused(place.quartz.slash("values", place.text, {"sure": 1}))
    assert "not a role" in await refused(place.quartz.slash("values", place.text, {"role": 1}))
