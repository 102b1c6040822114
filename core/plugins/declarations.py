"""What `register_*` hooks may answer, checked before anything rests on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from discord import app_commands

from core.guilds.ranks import rank_needed
from core.manifest import Component, Job
from core.plugins.checks import HookError

AnyCommand = app_commands.Command[Any, Any, Any] | app_commands.Group

#: First words of commands that belong to the core itself.
RESERVED = frozenset({"plugins"})

Declared = TypeVar("Declared", Component, Job)


def leaves_of(commands: Sequence[AnyCommand]) -> list[app_commands.Command[Any, Any, Any]]:
    """Return the commands that can be run, groups walked to their ends."""
    leaves: list[app_commands.Command[Any, Any, Any]] = []
    for command in commands:
        if isinstance(command, app_commands.Group):
            leaves += [c for c in command.walk_commands() if isinstance(c, app_commands.Command)]
        else:
            leaves.append(command)
    return leaves


def checked_commands(hook: str, answer: Any) -> tuple[AnyCommand, ...]:
    """Return the commands that a plugin declares.

    :raises HookError: one is no slash command, states no rank, or brings permissions of its own.
    """
    commands = _listed(hook, answer, (app_commands.Command, app_commands.Group), "slash commands and groups")
    for command in commands:
        if command.name in RESERVED:
            raise HookError(hook, f"/{command.name} belongs to the core; use another name")
        if command.default_permissions is not None:
            raise HookError(
                hook, f"/{command.name} has permissions of its own; ranks decide, so take them out"
            )
    taken: set[str] = set()
    for leaf in leaves_of(commands):
        if rank_needed(leaf) is None:
            raise HookError(hook, f"/{leaf.qualified_name} states no rank; add @requires")
        if leaf.qualified_name in taken:
            raise HookError(hook, f"/{leaf.qualified_name} is there twice")
        taken.add(leaf.qualified_name)
    return commands


def named_components(hook: str, answer: Any) -> Mapping[str, Component]:
    """Return the components that a plugin declares, by action.

    :raises HookError: something else is among them, or an action is there twice.
    """
    found: tuple[Component, ...] = _listed(hook, answer, (Component,), "Component objects")
    return _by_name(hook, [(component.action, component) for component in found], "component action")


def named_jobs(hook: str, answer: Any) -> Mapping[str, Job]:
    """Return the jobs that a plugin declares, by name; raises as `named_components`."""
    found: tuple[Job, ...] = _listed(hook, answer, (Job,), "Job objects")
    return _by_name(hook, [(job.name, job) for job in found], "job")


def shared_path(path: str, others: Iterable[str]) -> str | None:
    """Return the one of `others` that cannot be in a menu together with `path`, or None.

    The same words clash, and so do a command and a group of one name: /mining and /mining start.
    """
    for other in others:
        if path == other or path.startswith(f"{other} ") or other.startswith(f"{path} "):
            return other
    return None


def _listed(hook: str, answer: Any, kinds: tuple[type, ...], words: str) -> tuple[Any, ...]:
    if not isinstance(answer, Iterable) or isinstance(answer, str):
        raise HookError(hook, f"it must return a list of {words}, not {type(answer).__name__}")
    found = tuple(answer)
    for each in found:
        if not isinstance(each, kinds):
            raise HookError(hook, f"it must return a list of {words}; {type(each).__name__} is none")
    return found


def _by_name(hook: str, pairs: Sequence[tuple[str, Declared]], what: str) -> Mapping[str, Declared]:
    found: dict[str, Declared] = {}
    for name, value in pairs:
        if name in found:
            raise HookError(hook, f"the {what} {name!r} is there twice")
        found[name] = value
    return MappingProxyType(found)
