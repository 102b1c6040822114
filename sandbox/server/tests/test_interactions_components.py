"""Every component that a message can hold: stored, numbered, used, and refused where the client would."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from support.loopback import LoopbackBot, Place, refused

from sandbox.server.components import walk


def told(part: Any) -> Any:
    async def callback(interaction: discord.Interaction) -> None:
        values = [getattr(each, "name", each) for each in getattr(part, "values", [])]
        await interaction.response.send_message(f"{part.custom_id} {values}", ephemeral=True)

    part.callback = callback
    return part


class Layout(discord.ui.LayoutView):
    """One of everything that components V2 have."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        picture = discord.ui.Thumbnail[Any]("attachment://ore.png", description="Ore", spoiler=True)
        card = discord.ui.Container[Any](
            discord.ui.TextDisplay("# Haul"),
            discord.ui.Section("First", "Second", accessory=picture),
            discord.ui.Section("Do it", accessory=told(discord.ui.Button(label="Do", custom_id="do"))),
            discord.ui.Separator(spacing=discord.SeparatorSpacing.large, visible=False),
            discord.ui.MediaGallery(
                discord.MediaGalleryItem("attachment://ore.png", description="The ore"),
                discord.MediaGalleryItem("https://example.org/other.png", spoiler=True),
            ),
            discord.ui.File("attachment://haul.csv", spoiler=True),
            discord.ui.ActionRow(told(discord.ui.Button(label="Nested", custom_id="nested"))),
            accent_colour=discord.Colour(0x336699),
            spoiler=True,
            id=40,
        )
        self.add_item(discord.ui.TextDisplay("Above", id=2))
        self.add_item(card)
        self.add_item(discord.ui.ActionRow(told(discord.ui.Select(custom_id="pick", options=options()))))


def options() -> list[discord.SelectOption]:
    return [discord.SelectOption(label=each, default=each == "gold") for each in ("gold", "iron", "tin")]


class Buttons(discord.ui.View):
    """Every style, and the selects with their defaults."""

    def __init__(self, place: Place) -> None:
        super().__init__(timeout=None)
        for style in ("primary", "secondary", "success", "danger"):
            button = discord.ui.Button[Any](
                style=discord.ButtonStyle[style], label=style, custom_id=style, emoji="🪨"
            )
            self.add_item(told(button))
        self.add_item(discord.ui.Button(label="Read", url="https://example.org/read"))
        self.add_item(discord.ui.Button(style=discord.ButtonStyle.premium, sku_id=77, row=1))
        quartz, text = discord.Object(place.quartz.id), discord.Object(place.alpha.id)
        for part in (
            discord.ui.UserSelect[Any](
                custom_id="user", min_values=0, max_values=2, default_values=[_value(quartz, "user")]
            ),
            discord.ui.ChannelSelect[Any](
                custom_id="channel",
                channel_types=[discord.ChannelType.voice],
                default_values=[_value(text, "channel")],
            ),
            discord.ui.Select[Any](custom_id="many", min_values=2, max_values=3, options=options()),
        ):
            self.add_item(told(part))


def _value(thing: discord.Object, kind: str) -> discord.SelectDefaultValue:
    return discord.SelectDefaultValue(id=thing.id, type=discord.SelectDefaultValueType[kind])


@pytest.fixture
async def parts(place: Place) -> AsyncIterator[LoopbackBot]:
    bot = LoopbackBot(place.server)

    @bot.tree.command(name="layout")
    async def layout(interaction: discord.Interaction) -> None:
        files = [discord.File(io.BytesIO(b"png"), "ore.png"), discord.File(io.BytesIO(b"a;b"), "haul.csv")]
        await interaction.response.send_message(view=Layout(), files=files)

    @bot.tree.command(name="buttons")
    async def buttons(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("press", view=Buttons(place))

    @bot.tree.command(name="strip")
    async def strip(interaction: discord.Interaction) -> None:
        message = await interaction.channel.send("soon bare", view=Buttons(place))  # type: ignore[union-attr]
        await message.edit(view=None)
        await interaction.response.send_message(str(message.id))

    await bot.begin(place.world.token)
    await bot.tree.sync()
    yield bot
    await bot.end()


async def shown(place: Place, command: str) -> dict[str, Any]:
    outcome = await place.quartz.slash(command, place.text)
    assert outcome.message is not None
    return outcome.message


async def test_components_v2_are_numbered_and_their_files_addressed(place: Place, parts: LoopbackBot) -> None:
    message = await shown(place, "layout")
    ids = [each["id"] for each in walk(message["components"])]
    assert len(set(ids)) == len(ids)
    assert {2, 40} <= set(ids)
    card = message["components"][1]
    assert (card["id"], card["accent_color"], card["spoiler"]) == (40, 0x336699, True)
    _, pictured, _, gap, gallery, file, _ = card["components"]
    urls = {each["filename"]: each["url"] for each in message["attachments"]}
    assert pictured["accessory"]["media"]["url"] == urls["ore.png"]
    assert pictured["accessory"]["description"] == "Ore"
    assert gallery["items"][0]["media"]["url"] == urls["ore.png"]
    assert gallery["items"][1]["media"]["url"] == "https://example.org/other.png"
    assert (gap["spacing"], gap["divider"]) == (2, False)
    assert (file["name"], file["size"], file["spoiler"]) == ("haul.csv", 3, True)
    assert file["file"]["url"] == urls["haul.csv"]
    assert message["content"] == ""


async def test_what_is_nested_can_be_used(place: Place, parts: LoopbackBot) -> None:
    message = await shown(place, "layout")
    for custom_id in ("do", "nested"):
        pressed = await place.quartz.click(message["id"], custom_id)
        assert pressed.message is not None
        assert pressed.message["content"] == f"{custom_id} []"
        sent = place.world.interactions.by_id[pressed.interaction_id or 0]
        part = next(each for each in walk(message["components"]) if each.get("custom_id") == custom_id)
        assert sent.data["id"] == part["id"]
    picked = await place.quartz.choose(message["id"], "pick")
    assert picked.message is not None
    assert picked.message["content"] == "pick ['gold']"


async def test_the_client_reads_back_what_it_sent(place: Place, parts: LoopbackBot) -> None:
    message = await shown(place, "layout")
    channel = parts.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    fetched = await channel.fetch_message(int(message["id"]))
    view = discord.ui.LayoutView.from_message(fetched)
    assert view.content_length() == len("Above# HaulFirstSecondDo it")
    assert view.total_children_count == len(list(walk(message["components"])))


@pytest.mark.parametrize("style", ["primary", "secondary", "success", "danger"])
async def test_buttons_of_each_style(place: Place, parts: LoopbackBot, style: str) -> None:
    message = await shown(place, "buttons")
    pressed = await place.quartz.click(message["id"], style)
    assert pressed.message is not None
    assert pressed.message["content"] == f"{style} []"


async def test_links_and_the_shop_never_reach_the_bot(place: Place, parts: LoopbackBot) -> None:
    message = await shown(place, "buttons")
    for name, words in (
        ("https://example.org/read", "opens a page"),
        ("Read", "opens a page"),
        ("77", "opens the shop"),
    ):
        assert words in await refused(place.quartz.click(message["id"], name))


async def test_selects_keep_their_defaults_and_their_range(place: Place, parts: LoopbackBot) -> None:
    message = await shown(place, "buttons")
    panel = message["id"]
    kept = await place.quartz.choose(panel, "user")
    assert kept.message is not None
    assert kept.message["content"] == "user ['quartz']"
    nobody = await place.quartz.choose(panel, "user", [])
    assert nobody.message is not None
    assert nobody.message["content"] == "user []"
    voice = await place.quartz.choose(panel, "channel")
    assert voice.message is not None
    assert voice.message["content"] == "channel ['Alpha']"
    assert "takes channels of type" in await refused(place.quartz.choose(panel, "channel", [place.text]))
    assert "0 to 2 choices" in await refused(
        place.quartz.choose(panel, "user", [place.quartz, place.beryl, 1])
    )
    assert "2 to 3 choices" in await refused(place.quartz.choose(panel, "many"))
    both = await place.quartz.choose(panel, "many", ["tin", "iron"])
    assert both.message is not None
    assert both.message["content"] == "many ['tin', 'iron']"


async def test_what_a_changed_message_no_longer_has(place: Place, parts: LoopbackBot) -> None:
    outcome = await place.quartz.slash("strip", place.text)
    assert outcome.message is not None
    panel = outcome.message["content"]
    words = await refused(place.quartz.click(panel, "primary"))
    assert "was changed and has no primary any more" in words
    assert "has no component other" in await refused(place.quartz.click(panel, "other"))


async def test_other_peoples_messages_have_nothing_to_press(place: Place, parts: LoopbackBot) -> None:
    said = await place.beryl.send(place.text, "hello")
    assert "has no component" in await refused(place.quartz.click(said["id"], "primary"))
