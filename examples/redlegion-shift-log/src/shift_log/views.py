"""What members see. A view is built to be shown and keeps nothing: what it needs is in its custom ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import discord

from redlegion import custom_id, plural, shown
from redlegion import translate as _
from shift_log.store import Remark

PLUGIN = "shift_log"
LONGEST = 1_000
LINE = 100


def note_form() -> discord.ui.Modal:
    """Return the form for a remark."""
    modal = discord.ui.Modal(title=_("A remark on your shift"), custom_id=custom_id(PLUGIN, "write"))
    field: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        custom_id="text", style=discord.TextStyle.paragraph, max_length=LONGEST
    )
    modal.add_item(discord.ui.Label(text=_("What should the officers know?"), component=field))
    return shown(modal)


def read_button(remark: Remark) -> discord.ui.View:
    """Return the button under a remark; its key says which remark it belongs to."""
    view = discord.ui.View(timeout=None)
    button: discord.ui.Button[Any] = discord.ui.Button(
        label=_("Mark as read"), custom_id=custom_id(PLUGIN, "read", remark.id)
    )
    view.add_item(button)
    return shown(view)


def remark_embed(remark: Remark, *, again: bool = False) -> discord.Embed:
    """Return one remark.

    :param again: it is brought up because nobody has read it yet.
    """
    title = _("Still unread: remark #{id}") if again else _("Remark #{id}")
    embed = discord.Embed(
        title=title.format(id=remark.id), description=discord.utils.escape_markdown(remark.text)
    )
    embed.add_field(name=_("From"), value=f"<@{remark.user_id}>")
    embed.add_field(name=_("Written"), value=f"<t:{int(remark.written_at.timestamp())}:f>")
    if remark.read_by is not None:
        embed.add_field(name=_("Read by"), value=f"<@{remark.read_by}>")
    return embed


def list_embed(remarks: Sequence[Remark], ended: int) -> discord.Embed:
    """Return the newest remarks, one line each.

    :param ended: how many voice sessions have ended.
    """
    lines = [_line(remark) for remark in remarks]
    embed = discord.Embed(
        title=_("Shift log"), description="\n".join(lines) or _("No remarks yet. Leave one with /shift note.")
    )
    words = plural(ended, "{n} voice session has ended here.", "{n} voice sessions have ended here.")
    embed.set_footer(text=words.format(n=ended))
    return embed


def _line(remark: Remark) -> str:
    text = discord.utils.escape_markdown(" ".join(remark.text.split())[:LINE])
    mark = "✓" if remark.read_by is not None else "•"
    return f"{mark} **#{remark.id}** <t:{int(remark.written_at.timestamp())}:R> <@{remark.user_id}>: {text}"


def voice_text(spent: timedelta) -> str:
    """Return how long a member sat in voice, in words."""
    hours, minutes = divmod(int(spent.total_seconds()) // 60, 60)
    return _("In the last seven days you were in voice for {hours} h {minutes} min.").format(
        hours=hours, minutes=minutes
    )
