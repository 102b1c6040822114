"""Options of every kind and forms with every part, filled in by people and read by discord.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands
from support.loopback import LoopbackBot, Place, refused

from sandbox.server.components import walk


def choices(*names: str, preset: str | None = None) -> list[discord.SelectOption]:
    return [discord.SelectOption(label=name, value=name, default=name == preset) for name in names]


def labelled(text: str, component: Any, description: str | None = None) -> discord.ui.Label[Any]:
    return discord.ui.Label(text=text, component=component, description=description)


def texts() -> discord.ui.Modal:
    """Texts and selects, some preset."""
    modal = discord.ui.Modal(title="Texts", custom_id="texts")
    modal.add_item(discord.ui.TextDisplay("Fill in **all** of it"))
    short = discord.ui.TextInput[Any](custom_id="short", min_length=2, max_length=4, placeholder="2 to 4")
    long = discord.ui.TextInput[Any](
        custom_id="long", style=discord.TextStyle.paragraph, default="preset", required=False
    )
    ore = discord.ui.Select[Any](custom_id="ore", options=choices("gold", "tin", preset="tin"), max_values=2)
    where = discord.ui.ChannelSelect[Any](
        custom_id="where", channel_types=[discord.ChannelType.voice], required=False, min_values=0
    )
    for each in (
        labelled("Short", short, "Two to four letters"),
        labelled("Long", long),
        labelled("Ore", ore),
        labelled("Where", where),
    ):
        modal.add_item(each)

    async def on_submit(interaction: discord.Interaction) -> None:
        places = [each.name for each in where.values]
        await interaction.response.send_message(f"{short.value}|{long.value}|{ore.values}|{places}")

    modal.on_submit = on_submit  # type: ignore[method-assign]
    return modal


def picks() -> discord.ui.Modal:
    """Roles, anybody, groups and files."""
    modal = discord.ui.Modal(title="Picks", custom_id="picks")
    role = discord.ui.RoleSelect[Any](custom_id="role", required=True)
    anybody = discord.ui.MentionableSelect[Any](custom_id="anybody", max_values=2)
    side = discord.ui.RadioGroup[Any](custom_id="side", required=False)
    side.add_option(label="left", value="left")
    side.add_option(label="right", value="right", default=True)
    kinds = discord.ui.CheckboxGroup[Any](custom_id="kinds", required=True, min_values=1, max_values=2)
    for kind in ("raw", "refined", "lost"):
        kinds.add_option(label=kind, value=kind, default=kind == "raw")
    files = discord.ui.FileUpload[Any](custom_id="files", required=True, min_values=1, max_values=2)
    for each in (role, anybody, side, kinds, files):
        modal.add_item(labelled(each.custom_id.title(), each))

    async def on_submit(interaction: discord.Interaction) -> None:
        names = [each.name for each in (*role.values, *anybody.values)]
        sent = {each.filename: (await each.read()).decode() for each in files.values}
        await interaction.response.send_message(f"{names}|{side.value}|{kinds.values}|{sent}")

    modal.on_submit = on_submit  # type: ignore[method-assign]
    return modal


@pytest.fixture
async def forms(place: Place) -> AsyncIterator[LoopbackBot]:
    bot = LoopbackBot(place.server)
    outer = app_commands.Group(name="outer", description="Outer")
    inner = app_commands.Group(name="inner", description="Inner", parent=outer)

    @inner.command(name="all")
    async def everything(  # noqa: PLR0917 - discord.py reads the options from the signature
        interaction: discord.Interaction,
        text: app_commands.Range[str, 2, 5],
        whole: app_commands.Range[int, 1, 10],
        decimal: app_commands.Range[float, 0.5, 1.5],
        sure: bool,
        user: discord.User,
        channel: discord.VoiceChannel | discord.StageChannel,
        role: discord.Role,
        anybody: discord.Member | discord.Role,
        file: discord.Attachment,
    ) -> None:
        parts = (text, whole, decimal, sure, user.name, channel.name, role.name, anybody.name, file.filename)
        await interaction.response.send_message("|".join(map(str, parts)))

    @bot.tree.command(name="texts")
    async def open_texts(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(texts())

    @bot.tree.command(name="picks")
    async def open_picks(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(picks())

    bot.tree.add_command(outer)
    await bot.begin(place.world.token)
    await bot.tree.sync()
    yield bot
    await bot.end()


def officer(place: Place) -> Any:
    return next(each for each in place.guild.roles.values() if each.name == "Officer")


async def test_options_of_every_kind(place: Place, forms: LoopbackBot) -> None:
    good: dict[str, Any] = {
        "text": "gold",
        "whole": 10,
        "decimal": 1.5,
        "sure": False,
        "user": place.beryl,
        "channel": place.alpha,
        "role": officer(place),
        "anybody": place.quartz.id,
        "file": ("a.txt", b"x"),
    }
    used = await place.quartz.slash("outer inner all", place.text, good)
    assert used.message is not None
    assert used.message["content"] == "gold|10|1.5|False|beryl|Alpha|Officer|quartz|a.txt"
    used = await place.quartz.slash("outer inner all", place.text, good | {"anybody": officer(place)})
    assert used.message is not None
    assert used.message["content"].split("|")[7] == "Officer"
    for wrong, words in (
        ({"text": "x"}, "at least 2 characters"),
        ({"text": "xxxxxx"}, "at most 5 characters"),
        ({"whole": 11}, "at most 10"),
        ({"whole": 1.0}, "a whole number"),
        ({"decimal": 0.4}, "at least 0.5"),
        ({"decimal": "1"}, "a number"),
        ({"sure": "yes"}, "true or false"),
        ({"user": 5}, "not a member"),
        ({"channel": place.text}, "takes channels of type"),
        ({"role": 5}, "not a role"),
        ({"anybody": 5}, "not a member"),
        ({"file": "a.txt"}, "a file is"),
        ({"file": ("a.txt", bytes(10 * 1024 * 1024 + 1))}, "at most 10,485,760 bytes"),
        ({"file": None}, "is required"),
    ):
        assert words in await refused(place.quartz.slash("outer inner all", place.text, good | wrong)), wrong
    for path in ("outer", "outer inner", "outer inner all more", "inner all"):
        assert "not in this guild's menu" in await refused(place.quartz.slash(path, place.text, good))


async def opened(place: Place, command: str) -> Any:
    outcome = await place.quartz.slash(command, place.text)
    assert outcome.modal is not None
    ids = [part["id"] for part in walk(outcome.modal["components"])]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    return outcome


async def test_texts_and_selects_of_a_form(place: Place, forms: LoopbackBot) -> None:
    form = await opened(place, "texts")
    for wrong, words in (
        ({"short": "x"}, "2 to 4 characters"),
        ({"short": "xxxxx"}, "2 to 4 characters"),
        ({}, "short is required"),
        ({"short": "xx", "ore": ["iron"]}, "has no choice 'iron'"),
        ({"short": "xx", "ore": ["gold", "gold"]}, "same choice twice"),
        ({"short": "xx", "where": [place.text.id]}, "takes channels of type"),
        ({"short": "xx", "where": [place.alpha.id, place.dispatch.id]}, "0 to 1 choices"),
    ):
        assert words in await refused(place.quartz.submit(form.interaction_id, wrong)), wrong
    sent = await place.quartz.submit(form.interaction_id, {"short": "xx"})
    assert sent.message is not None
    assert sent.message["content"] == "xx|preset|['tin']|[]"
    again = await opened(place, "texts")
    given = {"short": "abcd", "long": "", "ore": ["gold", "tin"], "where": place.alpha.id}
    sent = await place.quartz.submit(again.interaction_id, given)
    assert sent.message is not None
    assert sent.message["content"] == "abcd||['gold', 'tin']|['Alpha']"


async def test_picks_and_files_of_a_form(place: Place, forms: LoopbackBot) -> None:
    form = await opened(place, "picks")
    good: dict[str, Any] = {
        "role": officer(place),
        "anybody": [place.beryl, officer(place).id],
        "files": [("a.txt", b"1"), {"filename": "b.txt", "data": "Mg=="}],
    }
    for wrong, words in (
        ({"role": 5}, "not a role"),
        ({"role": []}, "1 to 1 choices"),
        ({"anybody": [5]}, "not a member"),
        ({"side": "up"}, "has no choice 'up'"),
        ({"kinds": []}, "1 to 2 choices"),
        ({"kinds": ["raw", "refined", "lost"]}, "1 to 2 choices"),
        ({"files": []}, "1 to 2 choices"),
        ({"files": [("a", b"")] * 3}, "1 to 2 choices"),
        ({"other": 1}, "has no field other"),
    ):
        assert words in await refused(place.quartz.submit(form.interaction_id, good | wrong)), wrong
    sent = await place.quartz.submit(form.interaction_id, good)
    assert sent.message is not None
    assert sent.message["content"] == (
        "['Officer', 'beryl', 'Officer']|right|['raw']|{'a.txt': '1', 'b.txt': '2'}"
    )
