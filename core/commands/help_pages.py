"""What `/help` shows: gathered from the command table by toggle and rank, and cut into pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from core.commands.table import CORE
from core.guilds.ranks import Rank
from core.i18n import translate as _
from core.manifest import HelpTopic

if TYPE_CHECKING:
    from core.runtime import Runtime

#: Characters of a page; Discord takes 4,096 in an embed's description.
LONGEST_PAGE = 3_000
#: Choices that Discord shows.
MOST_CHOICES = 25


@dataclass(frozen=True, slots=True)
class Line:
    """One command that the member can run.

    :param path: its words.
    """

    path: str
    description: str

    def __str__(self) -> str:
        return f"`/{self.path}` — {self.description}"


@dataclass(frozen=True, slots=True)
class Section:
    """What one plugin offers to the member."""

    plugin: str
    title: str
    lines: tuple[Line, ...]


def sections_for(runtime: Runtime, guild_id: int, rank: Rank) -> list[Section]:
    """Return the commands that a rank may run in a guild, by plugin in load order, the core's last."""
    active = runtime.guilds.active(guild_id)
    sections = []
    for plugin in (*runtime.manager.loaded, CORE):
        if plugin != CORE and plugin not in active:
            continue
        lines = []
        for path, owner in sorted(runtime.commands.owners.items()):
            command = runtime.commands.command(path)
            if owner.plugin == plugin and rank.includes(owner.rank) and command is not None:
                lines.append(Line(path, _(command.description)))
        if lines:
            loaded = runtime.manager.loaded.get(plugin)
            title = loaded.manifest.title if loaded is not None else _("Everywhere")
            sections.append(Section(plugin, title, tuple(lines)))
    return sections


def topics_for(runtime: Runtime, guild_id: int, rank: Rank) -> dict[str, HelpTopic]:
    """Return the topics of the plugins that are on, as "plugin.topic", that a rank is shown."""
    active = runtime.guilds.active(guild_id)
    return {
        f"{name}.{topic.name}": topic
        for name, plugin in runtime.manager.loaded.items()
        if name in active
        for topic in plugin.help_topics.values()
        if rank.includes(Rank(topic.rank))
    }


def paged(
    sections: Sequence[Section], topics: Mapping[str, HelpTopic], limit: int = LONGEST_PAGE
) -> list[str]:
    """Return pages of at most `limit` characters; a section that is cut begins anew on the next page."""
    blocks = [(f"**{section.title}**", [str(line) for line in section.lines]) for section in sections]
    if topics:
        named = [f"`/help topic:{key}` — {_(topic.title)}" for key, topic in topics.items()]
        blocks.append(("**" + _("Topics") + "**", named))
    pages: list[str] = []
    page = ""
    for heading, lines in blocks:
        started = False
        for line in lines:
            piece = line[: limit - len(heading) - 3]
            gap = "\n\n" if page else ""
            more = f"\n{piece}" if started else f"{gap}{heading}\n{piece}"
            if len(page) + len(more) > limit:
                pages.append(page)
                page, more = "", f"{heading}\n{piece}"
            page, started = page + more, True
    return [*pages, page] if page or not pages else pages


def one_command(runtime: Runtime, path: str, section: Section) -> discord.Embed:
    """Return a command with its options."""
    command = runtime.commands.command(path)
    assert command is not None, "a line of a section is a command"
    rank = runtime.commands.owners[path].rank
    lines = [_(command.description), ""]
    for option in command.parameters:
        need = _("required") if option.required else _("may be left out")
        lines.append(f"`{option.display_name}` ({need}) — {_(str(option.description))}")
    lines += [
        "",
        _("Part of {title}; for the rank {rank} and above.").format(title=section.title, rank=rank.value),
    ]
    return discord.Embed(
        title=f"/{path}", description="\n".join(lines)[:4_096], colour=discord.Colour.dark_red()
    )
