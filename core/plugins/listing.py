"""What there is to load, and what became of it: by the manifests alone, or after loading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.manifest import Manifest, ManifestError, read_manifest
from core.plugins import discovery

if TYPE_CHECKING:
    from core.plugins.manager import PluginManager, Quarantined
    from core.settings import PluginSelection

State = Literal["found", "loaded", "quarantined", "left out"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One plugin that plugins.toml names.

    :param state: found is all that can be said without running its code.
    :param source: own, package (installed) or folder; empty when it was found nowhere.
    :param hook: in which hook its fault showed, if it has one.
    :param reason: why it is not loaded, empty when it is.
    """

    name: str
    state: State
    kind: str = ""
    version: str = ""
    title: str = ""
    summary: str = ""
    requires: tuple[str, ...] = ()
    source: str = ""
    folder: str = ""
    hook: str | None = None
    reason: str = ""


def by_manifest(selection: PluginSelection) -> Iterator[Listed]:
    """Yield what is named under `load`, read from the manifests; no code of a plugin is run."""
    for name in dict.fromkeys(selection.load):
        candidate: discovery.Candidate | None = None
        try:
            candidate = discovery.find(name, selection.folders)
            manifest = read_manifest(candidate.folder / "manifest.toml")
        except (discovery.NotAPlugin, ManifestError) as error:
            yield _listed(name, "quarantined", None, candidate, reason=str(error))
            continue
        if manifest.name != name:
            words = f"its manifest.toml says it is {manifest.name!r}"
            yield _listed(name, "quarantined", manifest, candidate, reason=words)
        else:
            yield _listed(name, "found", manifest, candidate)


def by_loading(manager: PluginManager) -> Iterator[Listed]:
    """Yield the loaded plugins in their order, then those that are not loaded, with the reason."""
    for name, plugin in manager.loaded.items():
        yield _listed(name, "loaded", plugin.manifest, manager.candidates.get(name))
    yield from _absent(manager, "quarantined", manager.quarantined)
    yield from _absent(manager, "left out", manager.left_out)


def _absent(manager: PluginManager, state: State, entries: Sequence[Quarantined]) -> Iterator[Listed]:
    for each in entries:
        if each.name not in manager.loaded:
            manifest, candidate = manager.manifests.get(each.name), manager.candidates.get(each.name)
            yield _listed(each.name, state, manifest, candidate, hook=each.hook, reason=each.reason)


def _listed(
    name: str,
    state: State,
    manifest: Manifest | None,
    candidate: discovery.Candidate | None,
    *,
    hook: str | None = None,
    reason: str = "",
) -> Listed:
    found = Listed(name, state, hook=hook, reason=reason)
    if candidate is not None:
        found = replace(found, source=candidate.source, folder=str(candidate.folder))
    if manifest is not None:
        said = {key: getattr(manifest, key) for key in ("kind", "version", "title", "summary", "requires")}
        found = replace(found, **said)
    return found
