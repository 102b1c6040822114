"""All commands of all plugins in one table: who owns which path, and what each guild's menu holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands

from core.commands.payload import MOST_COMMANDS, MOST_OPTIONS, problem_of
from core.guilds.ranks import Rank, rank_needed
from core.plugins import PluginManager
from core.plugins.declarations import AnyCommand, leaves_of, shared_path

#: The owner of the commands that no plugin brings.
CORE = "core"


@dataclass(frozen=True, slots=True)
class Owner:
    """Which plugin a command belongs to, and the least rank that may run it."""

    plugin: str
    rank: Rank


class CommandTable:
    """The merged commands of this process.

    Groups of one name from several plugins become one group of core's own, so that no plugin decides
    another one's description or permissions.

    :param core: commands of the core itself; they are in the global menu.
    """

    def __init__(self, manager: PluginManager, core: Iterable[AnyCommand]) -> None:
        self.owners: dict[str, Owner] = {}
        self._tops: dict[str, AnyCommand] = {}
        self._core = list(core)
        # A payload takes the tree's defaults for where a command may be used; the client has none of its own.
        self._plain: app_commands.CommandTree[Any] = app_commands.CommandTree(
            discord.Client(intents=discord.Intents(guilds=True))
        )
        # Together, groups can break Discord's limits that each of them keeps: then the later plugin goes.
        while (misfit := self._fill(manager)) is not None:
            manager.quarantine(*misfit)

    def command(self, path: str) -> app_commands.Command[Any, ..., Any] | None:
        """Return the command of these words, or None; "mining channels add" for example."""
        first, *rest = path.split()
        found: Any = self._tops.get(first)
        for word in rest:
            found = found.get_command(word) if isinstance(found, app_commands.Group) else None
        return found if isinstance(found, app_commands.Command) else None

    def install(self, tree: app_commands.CommandTree[Any]) -> None:
        """Put every merged command into discord.py's tree, which only dispatches."""
        for command in self._tops.values():
            tree.add_command(command)

    def global_menu(self, tree: app_commands.CommandTree[Any]) -> list[dict[str, Any]]:
        """Return the payload of the commands that every guild has."""
        return self._menu(tree, frozenset({CORE}))

    def guild_menu(self, tree: app_commands.CommandTree[Any], active: frozenset[str]) -> list[dict[str, Any]]:
        """Return the payload of a guild's own menu.

        :param active: the plugins that are on there.
        """
        return self._menu(tree, active - {CORE})

    def _fill(self, manager: PluginManager) -> tuple[str, str, str] | None:
        """Build the table; returns the plugin, the hook and the reason when one does not fit."""
        self.owners.clear()
        self._tops.clear()
        for command in self._core:
            self._add(command, CORE)
        for plugin in manager.loaded.values():
            try:
                for command in plugin.commands:
                    self._add(command, plugin.name)
            except (ValueError, app_commands.AppCommandError) as error:
                return plugin.name, "register_commands", str(error)
        return None

    def _add(self, command: AnyCommand, plugin: str) -> None:
        """Take one command or group of a plugin.

        :raises ValueError: it cannot stand beside what is there, or Discord would refuse the menu.
        """
        leaves = [(leaf.qualified_name, rank_needed(leaf)) for leaf in leaves_of([command])]
        for path, rank in leaves:
            if rank is None:
                raise ValueError(f"/{path} states no rank")
            if (other := shared_path(path, self.owners)) is not None:
                owner = self.owners[other].plugin
                raise ValueError(
                    f"/{path} belongs to both {owner} and {plugin}"
                    if other == path
                    else f"/{path} cannot stand beside /{other} of {owner}"
                )
        if isinstance(command, app_commands.Group):
            self._merge(self._group(command), command)
        else:
            command.parent = None
            self._tops[command.name] = command
        if len(self._tops) > MOST_COMMANDS:
            raise ValueError(
                f"with /{command.name} there are {len(self._tops)} commands and groups, and Discord takes "
                f"{MOST_COMMANDS}; put some of them into one group"
            )
        if (problem := problem_of(self._tops[command.name].to_dict(self._plain))) is not None:
            raise ValueError(problem)
        self.owners.update({path: Owner(plugin, Rank(rank)) for path, rank in leaves if rank is not None})

    def _group(self, like: app_commands.Group) -> app_commands.Group:
        top = self._tops.get(like.name)
        if not isinstance(top, app_commands.Group):
            top = _empty_group(like)
            self._tops[like.name] = top
        return top

    def _merge(self, into: app_commands.Group, group: app_commands.Group) -> None:
        for child in group.commands:
            if into.get_command(child.name) is None and len(into.commands) >= MOST_OPTIONS:
                raise ValueError(
                    f"/{into.qualified_name} would have more sub-commands than the {MOST_OPTIONS} that "
                    "Discord takes; put some of them into one group"
                )
            if isinstance(child, app_commands.Group):
                existing = into.get_command(child.name)
                if not isinstance(existing, app_commands.Group):
                    existing = _empty_group(child)
                    into.add_command(existing)
                self._merge(existing, child)
            else:
                into.add_command(child, override=True)

    def _menu(self, tree: app_commands.CommandTree[Any], active: frozenset[str]) -> list[dict[str, Any]]:
        menu = []
        for name in sorted(self._tops):
            payload = self._keep(self._tops[name].to_dict(tree), name, active)
            if payload is not None:
                menu.append(payload)
        return menu

    def _keep(self, payload: dict[str, Any], path: str, active: frozenset[str]) -> dict[str, Any] | None:
        """Return the part of a command's payload whose owners are in `active`."""
        if path in self.owners:
            return payload if self.owners[path].plugin in active else None
        options = [self._keep(option, f"{path} {option['name']}", active) for option in payload["options"]]
        kept = [option for option in options if option is not None]
        return {**payload, "options": kept} if kept else None


def _empty_group(like: app_commands.Group) -> app_commands.Group:
    return app_commands.Group(name=like.name, description=like.description, guild_only=like.guild_only)


def menu_hash(application_id: int, menu: list[dict[str, Any]]) -> str:
    """Return what tells one menu from another; the same menu has the same hash after a restart.

    :param application_id: part of the hash, as a menu belongs to an application.
    """
    text = json.dumps([application_id, menu], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def path_of(data: Mapping[str, Any]) -> str:
    """Return the words of a command in an interaction's data, such as "mining channels add"."""
    words = [str(data.get("name", ""))]
    options = data.get("options") or []
    while options and options[0].get("type") in (1, 2):
        words.append(str(options[0]["name"]))
        options = options[0].get("options") or []
    return " ".join(words)
