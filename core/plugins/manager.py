"""Loads plugins one by one, each in its own try, and keeps what they declare."""

from __future__ import annotations

import graphlib
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy
from pydantic import BaseModel, ValidationError

from core import hookspecs
from core.database import Schema
from core.manifest import Component, Job, Manifest, ManifestError, in_words, read_manifest
from core.plugins import discovery
from core.plugins.checks import FoundHook, HookError, check_hook, check_specs, hooks_of, is_async_family
from core.plugins.declarations import (
    AnyCommand,
    checked_commands,
    leaves_of,
    named_components,
    named_jobs,
    shared_path,
)

if TYPE_CHECKING:
    from core.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A plugin that was not loaded, and why."""

    name: str
    hook: str | None
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {f'{self.hook}: ' if self.hook else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Target:
    """One plugin's implementation of one `on_*` hook, ready to be called by position."""

    plugin: str
    hook: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]


@dataclass(slots=True)
class LoadedPlugin:
    """A plugin that passed every check, with all that it declared."""

    manifest: Manifest
    module: ModuleType
    schema: Schema | None = None
    settings_model: type[BaseModel] | None = None
    commands: tuple[AnyCommand, ...] = ()
    components: Mapping[str, Component] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the plugin's name."""
        return self.manifest.name


class PluginManager:
    """All plugins of this process; `loaded` is in the order of requirements.

    What could not be loaded is in `quarantined`, what is wrong with the folders in `folder_problems`.

    :param load: names of the plugins to load, nothing else is ever imported.
    :param folders: further folders that hold plugin packages.
    """

    def __init__(self, load: Sequence[str], folders: Sequence[Path] = ()) -> None:
        self.loaded: dict[str, LoadedPlugin] = {}
        self.quarantined: list[Quarantined] = []
        self.folder_problems: list[str] = []
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        self._load_all(load, folders)

    @classmethod
    def load(cls, settings: Settings) -> PluginManager:
        """Load what plugins.toml names.

        :param settings: the process's settings.
        """
        return cls(settings.plugins.load, settings.plugins.folders)

    @property
    def schemas(self) -> list[Schema]:
        """Return the schemas of the loaded plugins, required ones first."""
        return [plugin.schema for plugin in self.loaded.values() if plugin.schema is not None]

    def needs(self, name: str) -> set[str]:
        """Return every plugin that `name` requires, directly or not, without itself."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for required in self.loaded[waiting.pop()].manifest.requires:
                if required not in found:
                    found.add(required)
                    waiting.append(required)
        return found

    def declared(self, hook: str, plugins: Sequence[str] | frozenset[str]) -> list[tuple[str, Any]]:
        """Return what the named plugins answered to a `register_*` hook of another plugin."""
        return [
            (name, plugin.declared[hook])
            for name, plugin in self.loaded.items()
            if name in plugins and hook in plugin.declared
        ]

    def quarantine(self, name: str, hook: str | None, reason: str) -> None:
        """Take a plugin, and all that require it, out of use and say so in the log."""
        if name in self.loaded:
            del self.loaded[name]
            self._pluggy.unregister(name=name)
        entry = Quarantined(name, hook, reason)
        self.quarantined.append(entry)
        log.error("plugin quarantined: %s", entry)
        for other in [p.name for p in self.loaded.values() if name in p.manifest.requires]:
            self.quarantine(other, None, f"it requires {name}, which is not loaded")

    def _load_all(self, names: Sequence[str], folders: Sequence[Path]) -> None:
        found: dict[str, tuple[discovery.Candidate, Manifest]] = {}
        for folder in dict.fromkeys(folders):
            if (problem := discovery.problem_of(folder)) is not None:
                self.folder_problems.append(problem)
                log.error("%s", problem)
        for name in dict.fromkeys(names):
            try:
                candidate = discovery.find(name, folders)
                manifest = read_manifest(candidate.folder / "manifest.toml")
            except (discovery.NotAPlugin, ManifestError) as error:
                self.quarantine(name, None, str(error))
                continue
            if manifest.name != name:
                self.quarantine(name, None, f"its manifest.toml says it is {manifest.name!r}")
                continue
            found[name] = (candidate, manifest)
        for name in self._order({name: manifest for name, (_, manifest) in found.items()}):
            self._load_one(*found[name])

    def _order(self, manifests: Mapping[str, Manifest]) -> list[str]:
        sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
        for name, manifest in manifests.items():
            before = [n for n in (*manifest.requires, *manifest.after) if n in manifests]
            sorter.add(name, *before)
        try:
            return list(sorter.static_order())
        except graphlib.CycleError as error:
            circle = list(dict.fromkeys(error.args[1]))
            for name in circle:
                self.quarantine(name, None, f"these plugins require each other: {', '.join(circle)}")
            return self._order({n: m for n, m in manifests.items() if n not in circle})

    def _load_one(self, candidate: discovery.Candidate, manifest: Manifest) -> None:
        for required in manifest.requires:
            if required not in self.loaded:
                self.quarantine(candidate.name, None, f"it requires {required}, which is not loaded")
                return
        hook: str | None = None
        try:
            module = candidate.load()
            plugin = LoadedPlugin(manifest, module)
            hooks = hooks_of(module)
            for found in hooks:
                if found.name == "register_hookspecs":
                    hook = found.name
                    specs = found.function()
                    check_specs(specs)
                    self._pluggy.add_hookspecs(specs)
            for found in hooks:
                check_hook(found, self._pluggy)
            hook = None
            self._pluggy.register(module, name=manifest.name)
            for found in hooks:
                hook = found.name
                self._take(plugin, found)
            hook = "register_commands"
            self._check_command_paths(plugin)
        except HookError as error:
            self.quarantine(candidate.name, error.hook, error.reason)
        # A plugin may raise anything at all, SystemExit included, and must not take the process with it.
        except (Exception, SystemExit) as error:
            log.debug("plugin %s failed to load", candidate.name, exc_info=True)
            self.quarantine(candidate.name, hook, f"{type(error).__name__}: {error}")
        else:
            self.loaded[manifest.name] = plugin
            return
        if self._pluggy.has_plugin(manifest.name):
            self._pluggy.unregister(name=manifest.name)

    def _take(self, plugin: LoadedPlugin, found: FoundHook) -> None:
        """Keep what one hook declares."""
        if is_async_family(found.name):
            arguments = tuple(inspect.signature(found.function).parameters)
            target = Target(plugin.name, found.name, found.function, arguments)
            plugin.targets = {**plugin.targets, found.name: target}
            return
        if found.name == "register_hookspecs":
            return
        answer = found.function()
        match found.name:
            case "register_schema":
                if not isinstance(answer, Schema) or answer.name != plugin.name:
                    raise HookError(found.name, f"it must return Schema({plugin.name!r}, models, migrations)")
                plugin.schema = answer
            case "register_settings":
                if not (isinstance(answer, type) and issubclass(answer, BaseModel)):
                    raise HookError(found.name, "it must return a pydantic model class")
                try:
                    answer()
                except ValidationError as error:
                    raise HookError(found.name, f"its defaults are not usable: {in_words(error)}") from None
                plugin.settings_model = answer
            case "register_commands":
                plugin.commands = checked_commands(found.name, answer)
            case "register_components":
                plugin.components = named_components(found.name, answer)
            case "register_jobs":
                plugin.jobs = named_jobs(found.name, answer)
            case _:
                plugin.declared = {**plugin.declared, found.name: answer}

    def _check_command_paths(self, plugin: LoadedPlugin) -> None:
        owners = {
            leaf.qualified_name: other.name
            for other in self.loaded.values()
            for leaf in leaves_of(other.commands)
        }
        for leaf in leaves_of(plugin.commands):
            path = shared_path(leaf.qualified_name, owners)
            if path is not None:
                raise HookError(
                    "register_commands",
                    f"/{leaf.qualified_name} belongs to both {owners[path]} and {plugin.name}"
                    if path == leaf.qualified_name
                    else f"/{leaf.qualified_name} cannot stand beside /{path} of {owners[path]}",
                )
