"""`/help`: what the member who asks can really run here, and the topics that plugins bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from core.commands.facts import rank_held, runtime_of
from core.commands.help_pages import (
    MOST_CHOICES,
    one_command,
    paged,
    sections_for,
    topics_for,
)
from core.commands.replies import reply, shown
from core.errors import UserError
from core.guilds.ranks import requires
from core.i18n import translate as _
from core.manifest import Component, custom_id

if TYPE_CHECKING:
    from core.context import Context

Interaction = discord.Interaction[Any]

TURN = "help"
#: Characters of a feature's own page; Discord takes 4,096.
LONGEST_TOPIC = 4_000


def build_help_command() -> app_commands.Command[Any, Any, Any]:
    """Return a fresh `/help`."""

    @app_commands.command(name="help", description="Show what you can do here")
    @app_commands.guild_only()
    @requires("guest")
    @app_commands.describe(topic="A feature, a topic of one, or a command")
    async def help_command(interaction: Interaction, topic: str | None = None) -> None:
        if topic is None or not topic.strip():
            embed, view = _page(interaction, 0)
            await reply(interaction, embed=embed, view=view, ephemeral=True)
        else:
            await reply(interaction, embed=_topic(interaction, topic), ephemeral=True)

    @help_command.autocomplete("topic")
    async def offer(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        runtime, guild_id = runtime_of(interaction)
        rank = rank_held(interaction)
        named = [
            (f"{topic.title} ({key})", key) for key, topic in topics_for(runtime, guild_id, rank).items()
        ]
        named += [
            (f"/{line.path}", line.path)
            for section in sections_for(runtime, guild_id, rank)
            for line in section.lines
        ]
        typed = current.strip().casefold()
        found = [(name, value) for name, value in named if typed in f"{name} /{value}".casefold()]
        return [app_commands.Choice(name=name[:100], value=value) for name, value in found][:MOST_CHOICES]

    return help_command


async def turn(interaction: Interaction, _context: Context, key: str) -> None:
    """Show another page of `/help` in the place of this one, made anew for who pressed the button.

    :param key: the page's number, from 0.
    """
    embed, view = _page(interaction, int(key) if key.isdecimal() else 0)
    await interaction.response.edit_message(embed=embed, view=view)


def help_components() -> list[Component]:
    """Return the handlers of the buttons that `/help` shows."""
    return [Component(TURN, turn, "guest")]


def _page(interaction: Interaction, number: int) -> tuple[discord.Embed, discord.ui.View | None]:
    runtime, guild_id = runtime_of(interaction)
    rank = rank_held(interaction)
    pages = paged(sections_for(runtime, guild_id, rank), topics_for(runtime, guild_id, rank))
    # What can be used here may have become less since the message was sent.
    number = min(number, len(pages) - 1)
    embed = discord.Embed(
        title=_("What you can use here"), description=pages[number], colour=discord.Colour.dark_red()
    )
    if not runtime.guilds.active(guild_id):
        embed.add_field(
            name=_("No feature is on in this server"),
            value=_(
                "An admin switches features on with /plugins enable; /plugins list shows which there are."
            ),
            inline=False,
        )
    if len(pages) == 1:
        return embed, None
    embed.set_footer(text=_("Page {n} of {total}").format(n=number + 1, total=len(pages)))
    view = discord.ui.View(timeout=None)
    for label, target in ((_("Back"), number - 1), (_("Next"), number + 1)):
        view.add_item(
            discord.ui.Button(
                label=label,
                disabled=not 0 <= target < len(pages),
                custom_id=custom_id("core", TURN, target),
            )
        )
    return embed, shown(view)


def _topic(interaction: Interaction, typed: str) -> discord.Embed:
    """Return one topic, all of one feature, or one command.

    :raises UserError: there is nothing of this name that the member can use here.
    """
    runtime, guild_id = runtime_of(interaction)
    rank = rank_held(interaction)
    name = " ".join(typed.strip().lstrip("/").casefold().split())
    sections, topics = sections_for(runtime, guild_id, rank), topics_for(runtime, guild_id, rank)
    if name in topics:
        topic = topics[name]
        return discord.Embed(
            title=_(topic.title), description=_(topic.text), colour=discord.Colour.dark_red()
        )
    for section in sections:
        if name in (section.plugin, section.title.casefold()):
            own = {key: each for key, each in topics.items() if key.partition(".")[0] == section.plugin}
            first, *more = paged([section], own, LONGEST_TOPIC)
            if more:
                first += "\n" + _("There is more: /help without a topic shows all of it.")
            return discord.Embed(title=section.title, description=first, colour=discord.Colour.dark_red())
        if any(line.path == name for line in section.lines):
            return one_command(runtime, name, section)
    raise UserError(
        _("There is no help on {topic} for you here.").format(
            topic=discord.utils.escape_markdown(typed.strip()[:50])
        ),
        _("/help without a topic shows all that you can use; /plugins why tells why something is missing."),
    )
