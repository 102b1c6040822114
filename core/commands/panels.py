"""Pieces of the core's own panels: framed messages with buttons that the router listens to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import discord

from core.commands.patience import deferral_settled
from core.commands.replies import shown
from core.commands.table import CORE
from core.manifest import custom_id

if TYPE_CHECKING:
    from core.runtime import Runtime

Interaction = discord.Interaction[Any]
Button = discord.ui.Button[Any]
Row = discord.ui.ActionRow[Any]

COLOUR = discord.Colour.dark_red()
PER_ROW = 5
#: Characters of text that one message takes, less a few for the frame.
MOST_TEXT = 3_900


def place_of(interaction: Interaction) -> tuple[Runtime, int]:
    """Return the runtime and the guild of an interaction that the guard has let pass."""
    guild_id = interaction.guild_id
    assert guild_id is not None, "the guard lets nobody pass outside a guild"
    return cast("Runtime", interaction.client.runtime), guild_id


def button(
    label: str,
    action: str,
    key: str | int = "",
    *,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    disabled: bool = False,
) -> Button:
    """Return a button that the router sends to the core's handler of `action`."""
    return discord.ui.Button(
        label=fit(label, 80), custom_id=custom_id(CORE, action, key), style=style, disabled=disabled
    )


def rows(buttons: Sequence[Button]) -> list[Row]:
    """Return buttons in rows of five."""
    starts = range(0, len(buttons), PER_ROW)
    return [discord.ui.ActionRow(*buttons[start : start + PER_ROW]) for start in starts]


def panel(items: Iterable[discord.ui.Item[Any] | str]) -> discord.ui.LayoutView:
    """Return a message made of one framed box; texts are in Discord's markdown."""
    parts = [discord.ui.TextDisplay[Any](item) if isinstance(item, str) else item for item in items]
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container(*parts, accent_colour=COLOUR))
    return shown(view)


def fit(text: str, length: int) -> str:
    """Return a text of at most `length` characters, cut with a mark."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


async def show(interaction: Interaction, view: discord.ui.LayoutView) -> None:
    """Put another panel in the place of the one whose button, menu or form this is."""
    await deferral_settled(interaction)
    mentions = discord.AllowedMentions.none()
    if interaction.response.is_done():
        await interaction.edit_original_response(view=view, allowed_mentions=mentions)
    else:
        await interaction.response.edit_message(view=view, allowed_mentions=mentions)
