"""Loads plugins one by one, each on its own, and keeps what they declare."""

from __future__ import annotations

import graphlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoints
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from core import hookspecs
from core.database import Schema
from core.manifest import Manifest, ManifestError, read_manifest
from core.plugins import discovery
from core.plugins.checks import check_specs, hooks_of, specs_of
from core.plugins.declarations import leaves_of, shared_path
from core.plugins.interrupts import ctrl_c_noted
from core.plugins.loading import (
    LoadedPlugin,
    Surroundings,
    Target,
    in_words,
    not_ctrl_c,
    take,
    usable_hooks,
)
from core.plugins.problems import Problems

if TYPE_CHECKING:
    from core.settings import Settings

__all__ = ["LoadedPlugin", "PluginManager", "Quarantined", "Target"]

log = logging.getLogger(__name__)

#: Who declared the hooks of core/hookspecs.py.
CORE = "core"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A plugin that was not loaded, and why.

    :param unmigrated: whether it is because its migrations could not be applied.
    """

    name: str
    hook: str | None
    reason: str
    unmigrated: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {f'{self.hook}: ' if self.hook else ''}{self.reason}"


class PluginManager:
    """All plugins of this process; `loaded` is in the order of requirements.

    What could not be loaded is in `quarantined`, with the first of its `problems`; what `safe` leaves out is
    in `left_out`, and what is wrong with the folders in `folder_problems`. `candidates` says where each was
    found, `manifests` what each says of itself, loaded or not.

    :param load: names of the plugins to load, nothing else is ever imported.
    :param folders: further folders that hold plugin packages.
    :param safe: load the project's own plugins only.
    """

    def __init__(self, load: Sequence[str], folders: Sequence[Path] = (), *, safe: bool = False) -> None:
        self.loaded: dict[str, LoadedPlugin] = {}
        self.quarantined: list[Quarantined] = []
        self.left_out: list[Quarantined] = []
        self.problems: dict[str, Problems] = {}
        self.folder_problems: list[str] = []
        self.manifests: dict[str, Manifest] = {}
        self.candidates: dict[str, discovery.Candidate] = {}
        self._safe = safe
        self._names = frozenset(load)
        self._owners: dict[str, str] = dict.fromkeys(specs_of(hookspecs), CORE)
        self._lost: dict[str, str] = {}
        self._needs: dict[str, frozenset[str]] = {}
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        with ctrl_c_noted():
            self._load_all(load, folders)

    @classmethod
    def load(cls, settings: Settings) -> PluginManager:
        """Load what plugins.toml names.

        :param settings: the process's settings.
        """
        return cls(settings.plugins.load, settings.plugins.folders, safe=settings.safe)

    @property
    def schemas(self) -> list[Schema]:
        """Return the schemas of the loaded plugins, required ones first."""
        return [plugin.schema for plugin in self.loaded.values() if plugin.schema is not None]

    @property
    def absent(self) -> list[Quarantined]:
        """Return what is named under `load` and not loaded, whether broken or left out."""
        return [each for each in (*self.quarantined, *self.left_out) if each.name not in self.loaded]

    @property
    def hooks(self) -> Mapping[str, str]:
        """Return every hook that can be implemented now and who declared it, the core's first."""
        return self._owners

    def implementations(self, hook: str) -> tuple[Target, ...]:
        """Return the loaded plugins' implementations of an async hook, in the order in which they are asked.

        That is the order of loading; of decide_*, filter_* and collect_* hooks the tryfirst ones come first
        and the trylast ones last.
        """
        found = [plugin.targets[hook] for plugin in self.loaded.values() if hook in plugin.targets]
        return tuple(sorted(found, key=lambda target: target.place))

    def implementers(self, hook: str) -> list[str]:
        """Return the loaded plugins that implement a hook of any family, in the order of their turn."""
        asked = [target.plugin for target in self.implementations(hook)]
        calls = {each.plugin_name for each in getattr(self._pluggy.hook, hook).get_hookimpls()}
        return asked or [name for name in self.loaded if name in calls]

    def arguments_of(self, hook: str) -> tuple[str, ...]:
        """Return what a hook offers to those who implement it."""
        return tuple(getattr(self._pluggy.hook, hook).spec.argnames)

    def spec_of(self, hook: str) -> Callable[..., Any] | None:
        """Return the function that declares a hook, None when there is none of this name."""
        caller = getattr(self._pluggy.hook, hook, None)
        return caller.spec.function if caller is not None and caller.has_spec() else None

    def needs(self, name: str) -> frozenset[str]:
        """Return every plugin that `name` requires, directly or not, without itself."""
        # A loaded plugin's never change: what it requires is loaded before it, and goes not without it.
        found = self._needs.get(name)
        if found is None:
            found = self._needs[name] = frozenset(self._closure(self.loaded[name].manifest))
        return found

    def declared(self, hook: str, plugins: Sequence[str] | frozenset[str]) -> list[tuple[str, Any]]:
        """Return what the named plugins answered to a `register_*` hook of another plugin."""
        return [
            (name, plugin.declared[hook])
            for name, plugin in self.loaded.items()
            if name in plugins and hook in plugin.declared
        ]

    def quarantine(self, name: str, hook: str | None, reason: str, *, unmigrated: bool = False) -> None:
        """Take a plugin, and all that require it, out of use and say so in the log.

        :param unmigrated: whether it is because its migrations could not be applied.
        """
        if name in self.loaded:
            del self.loaded[name]
            self._needs.clear()
        self._withdraw(name)
        entry = Quarantined(name, hook, reason, unmigrated)
        self.quarantined.append(entry)
        self.problems.setdefault(name, Problems()).add(hook, reason)
        log.error("plugin quarantined: %s", entry)
        for other in [p.name for p in self.loaded.values() if name in p.manifest.requires]:
            # What the first one took with it may be gone already.
            if other in self.loaded:
                self.quarantine(other, None, f"it requires {name}, which is not loaded")

    def _withdraw(self, name: str) -> None:
        """Take what a plugin implements, and the hooks that it declared, out of pluggy."""
        if self._pluggy.has_plugin(name):
            self._pluggy.unregister(name=name)
        for hook in [hook for hook, owner in self._owners.items() if owner == name]:
            del self._owners[hook]
            self._lost[hook] = name
            # pluggy has no way to take a specification back.
            delattr(self._pluggy.hook, hook)

    def _load_all(self, names: Sequence[str], folders: Sequence[Path]) -> None:
        for folder in dict.fromkeys(folders):
            if (problem := discovery.problem_of(folder)) is not None:
                self.folder_problems.append(problem)
                log.error("%s", problem)
        offers = discovery.installed() if names else None
        for name in dict.fromkeys(names):
            try:
                candidate = self._find(name, folders, offers)
                if candidate is None:
                    continue
                self.candidates[name] = candidate
                manifest = read_manifest(candidate.folder / "manifest.toml")
            except (discovery.NotAPlugin, ManifestError) as error:
                self.quarantine(name, None, str(error))
                continue
            if manifest.name != name:
                self.quarantine(name, None, f"its manifest.toml says it is {manifest.name!r}")
                continue
            self.manifests[name] = manifest
        for name in self._order(self.manifests):
            self._load_one(self.candidates[name], self.manifests[name])

    def _find(
        self, name: str, folders: Sequence[Path], offers: EntryPoints | None
    ) -> discovery.Candidate | None:
        candidate = discovery.find(name, folders, offers)
        if not self._safe or candidate.own:
            return candidate
        own = discovery.find_own(name)
        what = f"the one in {candidate.folder}" if own is not None else "a third-party plugin"
        entry = Quarantined(name, None, f"{what} is left out by --safe")
        self.left_out.append(entry)
        log.warning("%s", entry)
        return own

    def _order(self, manifests: Mapping[str, Manifest], unheard: frozenset[str] = frozenset()) -> list[str]:
        """Return the names in the order of loading.

        :param unheard: those whose `after` is not heeded, as it contradicts others.
        """
        sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
        for name, manifest in manifests.items():
            wishes = () if name in unheard else manifest.after
            sorter.add(name, *(n for n in (*manifest.requires, *wishes) if n in manifests))
        try:
            return list(sorter.static_order())
        except graphlib.CycleError as error:
            circle = list(dict.fromkeys(error.args[1]))
            wishing = {name for name in circle if name not in unheard and manifests[name].after}
            if wishing:
                return self._order(manifests, unheard | wishing)
            for name in circle:
                self.quarantine(name, None, f"these plugins require each other: {', '.join(circle)}")
            return self._order({n: m for n, m in manifests.items() if n not in circle}, unheard)

    def _load_one(self, candidate: discovery.Candidate, manifest: Manifest) -> None:
        for required in manifest.requires:
            if required not in self.loaded:
                self.quarantine(manifest.name, None, f"it requires {required}, which is not loaded")
                return
        problems = Problems()
        plugin: LoadedPlugin | None = None
        try:
            plugin = self._read(candidate, manifest, problems)
        # A plugin may raise anything at all, and none of it may take the process with it.
        except BaseException as error:
            not_ctrl_c(error)
            log.debug("plugin %s could not be loaded", manifest.name, exc_info=True)
            problems.add(None, in_words(error))
        if plugin is not None and not problems:
            self.loaded[manifest.name] = plugin
            return
        self.quarantine(manifest.name, problems[0].hook, problems[0].reason)
        self.problems[manifest.name] = problems

    def _read(self, candidate: discovery.Candidate, manifest: Manifest, problems: Problems) -> LoadedPlugin:
        """Import and ask one plugin; all that is wrong with it is noted."""
        name = manifest.name
        module = candidate.load()
        plugin = LoadedPlugin(manifest, module, candidate.source)
        needed = self._closure(manifest)
        around = Surroundings(
            manager=self._pluggy,
            owners=self._owners,
            required={each: self.loaded[each].schema for each in needed},
            neighbours=frozenset({*needed, *manifest.after}),
            rivals=self._names - {name},
            lost=self._lost,
        )
        self._declare(plugin, problems)
        usable = usable_hooks(name, module, around, problems)
        if not problems:
            # Everything was looked at before, so that pluggy finds nothing any more.
            self._pluggy.register(module, name=name)
        for found in usable:
            take(plugin, found, around, problems)
        self._check_command_paths(plugin, problems)
        return plugin

    def _declare(self, plugin: LoadedPlugin, problems: Problems) -> None:
        """Make the hooks known that a plugin declares for others."""
        for found in hooks_of(plugin.module):
            if found.name != "register_hookspecs":
                continue
            try:
                specs = found.function()
                if check_specs(specs, self._owners, problems):
                    self._pluggy.add_hookspecs(specs)
                    self._owners.update(dict.fromkeys(specs_of(specs), plugin.name))
            except BaseException as error:
                not_ctrl_c(error)
                problems.add(found.name, in_words(error))

    def _closure(self, manifest: Manifest) -> set[str]:
        found: set[str] = set()
        waiting = [manifest]
        while waiting:
            for required in waiting.pop().requires:
                if required not in found:
                    found.add(required)
                    waiting.append(self.loaded[required].manifest)
        return found

    def _check_command_paths(self, plugin: LoadedPlugin, problems: Problems) -> None:
        owners = {
            leaf.qualified_name: other.name
            for other in self.loaded.values()
            for leaf in leaves_of(other.commands)
        }
        for leaf in leaves_of(plugin.commands):
            path = shared_path(leaf.qualified_name, owners)
            if path is not None:
                problems.add(
                    "register_commands",
                    f"/{leaf.qualified_name} belongs to both {owners[path]} and {plugin.name}"
                    if path == leaf.qualified_name
                    else f"/{leaf.qualified_name} cannot stand beside /{path} of {owners[path]}",
                )
