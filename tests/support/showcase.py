"""A discord.py bot's commands that show every part a message and a form can have."""

from __future__ import annotations

import io
from typing import Any

import discord
from discord import app_commands
from PIL import Image

WORDS = """# Haul of the week
**Bold**, *slanted*, __under__, ~~gone~~, ||secret|| and `code` in one line.
> said before
- Gold
  - of Alpha
- Tin
1. first
2. second
-# small print for <@{user}> in <#{channel}>, <t:1772388000:R>
```py
print("not **bold** here")
```"""


def picture(colour: str) -> io.BytesIO:
    """A small picture of one colour, as PNG."""
    data = io.BytesIO()
    Image.new("RGB", (240, 140), colour).save(data, "PNG")
    data.seek(0)
    return data


class Old(discord.ui.View):
    """Rows of buttons and selects of every kind; what is pressed is said."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        for style in ("primary", "secondary", "success", "danger"):
            button: discord.ui.Button[Any] = discord.ui.Button(
                label=style.title(),
                custom_id=style,
                style=discord.ButtonStyle[style],
                disabled=style == "danger",
            )
            button.callback = self._told(button, lambda: "pressed")  # type: ignore[method-assign]
            self.add_item(button)
        self.add_item(discord.ui.Button(label="Elsewhere", url="https://example.org/"))
        ores = [
            discord.SelectOption(label=one, value=one.lower(), description=f"Some {one}")
            for one in ("Gold", "Tin", "Iron")
        ]
        kinds: tuple[discord.ui.Item[Any], ...] = (
            discord.ui.Select(custom_id="ores", placeholder="Which ores?", max_values=2, options=ores),
            discord.ui.UserSelect(custom_id="who", placeholder="Who?"),
            discord.ui.RoleSelect(custom_id="roles", placeholder="Which role?"),
            discord.ui.ChannelSelect(
                custom_id="where", placeholder="Where?", channel_types=[discord.ChannelType.voice]
            ),
        )
        for select in kinds:
            select.callback = self._told(select, lambda select=select: self._names(select))  # type: ignore[attr-defined]
            self.add_item(select)

    @staticmethod
    def _names(select: Any) -> str:
        return ", ".join(getattr(each, "name", each) for each in select.values)

    @staticmethod
    def _told(item: Any, words: Any) -> Any:
        async def callback(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(f"{item.custom_id}: {words()}", ephemeral=True)

        return callback


def layout() -> discord.ui.LayoutView:
    """Every part of the new kind of message."""
    view = discord.ui.LayoutView(timeout=None)
    box = discord.ui.Container[Any](accent_colour=discord.Colour(0xE0803A))
    thumbnail: discord.ui.Thumbnail[Any] = discord.ui.Thumbnail("attachment://amber.png", description="Amber")
    box.add_item(discord.ui.Section("## Laranite", "A vein of **12 SCU**.", accessory=thumbnail))
    box.add_item(discord.ui.Separator(spacing=discord.SeparatorSpacing.large))
    claim: discord.ui.Button[Any] = discord.ui.Button(
        label="Claim", custom_id="claim", style=discord.ButtonStyle.success
    )
    box.add_item(discord.ui.Section("Nobody has claimed it yet.", accessory=claim))
    gallery: discord.ui.MediaGallery[Any] = discord.ui.MediaGallery()
    gallery.add_item(media="attachment://amber.png", description="From the left")
    gallery.add_item(media="https://example.org/outside.png", description="From outside")
    gallery.add_item(media="attachment://slate.png", description="From below", spoiler=True)
    box.add_item(gallery)
    box.add_item(discord.ui.File("attachment://report.txt"))
    view.add_item(discord.ui.TextDisplay("-# found today"))
    view.add_item(box)
    return view


class Form(discord.ui.Modal, title="Every field"):
    """A form with each kind of field; what was filled in is said."""

    note = discord.ui.Label(
        text="Note", component=discord.ui.TextInput(custom_id="note", min_length=3, max_length=40)
    )
    story = discord.ui.Label(
        text="Story",
        component=discord.ui.TextInput(custom_id="story", style=discord.TextStyle.long, required=False),
    )
    crew = discord.ui.Label(
        text="Crew", description="Up to two", component=discord.ui.UserSelect(custom_id="crew", max_values=2)
    )
    role = discord.ui.Label(text="Role", component=discord.ui.RadioGroup(custom_id="role", options=[
        discord.RadioGroupOption(label=one, value=one) for one in ("pilot", "gunner")]))  # fmt: skip
    proof = discord.ui.Label(
        text="Proof", component=discord.ui.FileUpload(custom_id="proof", required=False, min_values=0)
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        crew, proof = self.crew.component, self.proof.component
        told = {
            "note": self.note.component.value,  # type: ignore[attr-defined]
            "story": self.story.component.value,  # type: ignore[attr-defined]
            "crew": [each.name for each in crew.values],  # type: ignore[attr-defined]
            "role": self.role.component.value,  # type: ignore[attr-defined]
            "proof": [(await each.read()).decode() for each in proof.values],  # type: ignore[attr-defined]
        }
        await interaction.response.send_message(str(told))


class Ticks(discord.ui.Modal, title="Ticks"):
    """The fields that are ticked."""

    ores = discord.ui.Label(
        text="Ores",
        component=discord.ui.CheckboxGroup(
            custom_id="ores",
            required=False,
            min_values=0,
            options=[discord.CheckboxGroupOption(label=one, value=one) for one in ("gold", "iron")],
        ),
    )
    sure = discord.ui.Label(text="Are you sure?", component=discord.ui.Checkbox(custom_id="sure"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        told = {"ores": self.ores.component.values, "sure": self.sure.component.value}  # type: ignore[attr-defined]
        await interaction.response.send_message(str(told))


def showcase() -> list[app_commands.Group | app_commands.ContextMenu]:
    """The commands: /show old, layout, form, ticks, slow, refuse and options, and "Weigh" on a message."""
    group = app_commands.Group(name="show", description="Show what there is")

    @group.command(name="old", description="Text, embed, file, buttons and selects")
    async def old(interaction: discord.Interaction) -> None:
        embed = discord.Embed(title="Prices", description="per *SCU*", colour=0x3BA55D)
        embed.add_field(name="Gold", value="5,858", inline=True).add_field(
            name="Tin", value="12", inline=True
        )
        embed.set_image(url="attachment://slate.png").set_footer(text="offline sample")
        words = WORDS.format(user=interaction.user.id, channel=interaction.channel_id)
        file = discord.File(picture("slategray"), "slate.png")
        await interaction.response.send_message(words, embed=embed, view=Old(), file=file)

    @group.command(name="layout", description="Components V2")
    async def new(interaction: discord.Interaction) -> None:
        files = [
            discord.File(picture("darkorange"), "amber.png"),
            discord.File(picture("slategray"), "slate.png"),
            discord.File(io.BytesIO(b"all of it"), "report.txt"),
        ]
        await interaction.response.send_message(view=layout(), files=files)

    @group.command(name="form", description="A form with every kind of field")
    async def form(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    @group.command(name="ticks", description="A form to tick")
    async def ticks(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Ticks())

    @group.command(name="slow", description="Think first")
    async def slow(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)

    @group.command(name="options", description="Every kind of option")
    @app_commands.choices(
        grade=[app_commands.Choice(name="raw", value=1), app_commands.Choice(name="refined", value=2)]
    )
    async def options(  # noqa: PLR0917 - one of each kind
        interaction: discord.Interaction,
        ore: str,
        grade: app_commands.Choice[int] | None = None,
        amount: app_commands.Range[float, 0, 100] | None = None,
        crew: app_commands.Range[int, 1, 9] | None = None,
        sold: bool | None = None,
        who: discord.Member | None = None,
        where: discord.VoiceChannel | None = None,
        role: discord.Role | None = None,
        proof: discord.Attachment | None = None,
    ) -> None:
        names = [getattr(one, "name", one) for one in (ore, grade, amount, crew, sold, who, where, role)]
        said = (await proof.read()).decode() if proof else None
        await interaction.response.send_message(f"{names} {said}")

    @options.autocomplete("ore")
    async def ores(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        known = ("Gold", "Galena", "Tin")
        return [
            app_commands.Choice(name=f"{one} ore", value=one)
            for one in known
            if current.lower() in one.lower()
        ]

    async def weigh(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{len(message.content)} letters", ephemeral=True)

    return [group, app_commands.ContextMenu(name="Weigh", callback=weigh)]
