"""One plugin from its package: its hooks checked, its declarations asked for and kept."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pluggy
from pydantic import BaseModel

from core.database import Schema
from core.manifest import Component, HealthCheck, HelpTopic, Job, Manifest
from core.plugins import declarations
from core.plugins.checks import FoundHook, check_hook, hooks_of, is_async_family
from core.plugins.declarations import AnyCommand
from core.plugins.interrupts import is_ctrl_c
from core.plugins.problems import Problems
from core.plugins.tables import checked_schema

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """One plugin's implementation of one async hook, ready to be called by position.

    :param place: -1 before the others (tryfirst), 1 after them (trylast), 0 in the order of loading; only
        decide_*, filter_* and collect_* hooks have anything but 0.
    """

    plugin: str
    hook: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    place: int = 0


@dataclass(slots=True)
class LoadedPlugin:
    """A plugin that passed every check, with all that it declared.

    :param source: where its code lies: own, package (installed) or folder.
    :param targets: its async hooks of every family.
    :param declared: its answers to `register_*` hooks of other plugins.
    """

    manifest: Manifest
    module: ModuleType
    source: str = "own"
    schema: Schema | None = None
    settings_model: type[BaseModel] | None = None
    commands: tuple[AnyCommand, ...] = ()
    components: Mapping[str, Component] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    health_checks: tuple[HealthCheck, ...] = ()
    help_topics: Mapping[str, HelpTopic] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the plugin's name."""
        return self.manifest.name


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one plugin is checked against.

    :param owners: who declared which hook, the core's included.
    :param required: the schemas of the plugins that it requires, directly or not.
    :param neighbours: the plugins that its manifest names.
    :param rivals: the names of all other plugins.
    :param lost: hooks that are not there because the plugin that declares them, by name, is not loaded.
    """

    manager: pluggy.PluginManager
    owners: Mapping[str, str]
    required: Mapping[str, Schema | None]
    neighbours: frozenset[str]
    rivals: frozenset[str]
    lost: Mapping[str, str]


def not_ctrl_c(error: BaseException) -> None:
    """Pass on what the operator's Ctrl-C raised in a plugin's code; all else is the plugin's own."""
    if is_ctrl_c(error):
        raise error


def in_words(error: BaseException) -> str:
    """Return the name of an error and what it says, if anything."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def usable_hooks(name: str, module: ModuleType, around: Surroundings, problems: Problems) -> list[FoundHook]:
    """Return the hooks of a plugin that can be called; what is wrong with the others is noted."""
    usable: list[FoundHook] = []
    for found in hooks_of(module):
        owner = around.owners.get(found.name)
        if owner is None and found.options.get("optionalhook"):
            # It is for a plugin that need not be there.
            continue
        if owner is None and found.name in around.lost:
            problems.add(found.name, f"this hook belongs to {around.lost[found.name]}, which is not loaded")
        elif any(found.name == each.name for each in usable):
            problems.add(found.name, "there are two implementations; one plugin has one")
        elif check_hook(found, around.manager, problems):
            if owner in around.neighbours | {name, "core"}:
                usable.append(found)
            else:
                problems.add(
                    found.name, f"this hook belongs to {owner}; name it under `requires` in manifest.toml"
                )
    return usable


def take(plugin: LoadedPlugin, found: FoundHook, around: Surroundings, problems: Problems) -> None:
    """Keep what one hook declares; whatever it raises is noted."""
    if is_async_family(found.name):
        arguments = tuple(inspect.signature(found.function).parameters)
        target = Target(plugin.name, found.name, found.function, arguments, found.place)
        plugin.targets = {**plugin.targets, found.name: target}
        return
    if found.name == "register_hookspecs":
        return
    try:
        answer = found.function()
        _keep(plugin, found.name, answer, around, problems)
    # A plugin may raise anything at all, and none of it may take the process with it.
    except BaseException as error:
        not_ctrl_c(error)
        log.debug("%s.%s failed", plugin.name, found.name, exc_info=True)
        problems.add(found.name, in_words(error))


def _keep(plugin: LoadedPlugin, hook: str, answer: Any, around: Surroundings, problems: Problems) -> None:
    match hook:
        case "register_schema":
            plugin.schema = checked_schema(plugin.name, answer, around.required, {*around.rivals}, problems)
        case "register_settings":
            plugin.settings_model = declarations.checked_settings(hook, answer, problems)
        case "register_commands":
            plugin.commands = declarations.checked_commands(hook, answer, problems)
        case "register_components":
            plugin.components = declarations.named_components(hook, answer, problems)
        case "register_jobs":
            plugin.jobs = declarations.named_jobs(hook, answer, problems)
        case "register_health_checks":
            plugin.health_checks = declarations.named_health_checks(hook, answer, problems)
        case "register_help":
            plugin.help_topics = declarations.named_topics(hook, answer, problems)
        case _:
            plugin.declared = {**plugin.declared, hook: answer}
