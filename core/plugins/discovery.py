"""Where plugins are found: the `plugins` package, installed packages, and folders named in plugins.toml."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from types import ModuleType

ENTRY_POINTS = "redlegion.plugins"
#: The package that holds the project's own plugins.
OWN = "plugins"


class NotAPlugin(Exception):
    """Something of a plugin's name was found, but it cannot be loaded, or nothing was; says what to do."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a plugin of some name was found.

    :param module: the importable name of its package.
    :param folder: where its code and `manifest.toml` lie.
    :param named: it lies in a folder that plugins.toml names.
    """

    name: str
    module: str
    folder: Path
    named: bool = False

    @property
    def own(self) -> bool:
        """Say whether it is one of the project's own plugins."""
        return not self.named and self.module == f"{OWN}.{self.name}"

    @property
    def source(self) -> str:
        """Return where it came from: folder, package (installed) or own."""
        return "folder" if self.named else "own" if self.own else "package"

    def load(self) -> ModuleType:
        """Import the plugin's package; whatever its code raises passes through.

        :raises ImportError: its name belongs to another module.
        """
        if "." in self.module or not self.named:
            return importlib.import_module(self.module)
        present = sys.modules.get(self.module)
        if present is not None and _file_of(present) == (self.folder / "__init__.py").resolve():
            return present
        if present is not None or self.module in sys.stdlib_module_names:
            raise ImportError(f"another Python module is called {self.module} already; rename the plugin")
        return self._from_folder()

    def _from_folder(self) -> ModuleType:
        """Import from this very folder, whatever else on the path has the same name."""
        # For what the plugins of a folder share; they themselves are imported by their place.
        if str(self.folder.parent) not in sys.path:
            sys.path.append(str(self.folder.parent))
        spec = importlib.util.spec_from_file_location(
            self.module, self.folder / "__init__.py", submodule_search_locations=[str(self.folder)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{self.folder} is no Python package")
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.module] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[self.module]
            raise
        return module


def installed() -> EntryPoints:
    """Return what the installed packages offer; looks at every one of them, so ask once for many plugins."""
    return entry_points(group=ENTRY_POINTS)


def find(name: str, folders: Sequence[Path], offers: EntryPoints | None = None) -> Candidate:
    """Return where the plugin `name` lies: a named folder first, then an installed package, then our own.

    Runs no code of a plugin.

    :param folders: folders that hold plugin packages, from plugins.toml.
    :param offers: what `installed` returned, when it was asked already.
    :raises NotAPlugin: there is no such plugin anywhere, what is there is no Python package, or two
        installed packages both offer it.
    """
    for folder in folders:
        package = folder / name
        if (package / "__init__.py").is_file():
            return Candidate(name, name, package, named=True)
        _refuse_half(package)
    if (package_found := _installed(name, installed() if offers is None else offers)) is not None:
        return package_found
    if (own := find_own(name)) is not None:
        return own
    for folder in folders:
        if folder.name == name and (folder / "manifest.toml").is_file():
            raise NotAPlugin(
                f"folders in plugins.toml names the plugin's own folder {folder}; name the one that holds "
                f"it, {folder.parent}"
            )
    raise NotAPlugin(
        "there is no plugin of this name; check its spelling in plugins.toml, and that folders there names "
        "the folder which holds the plugin's package, or that the package is installed"
    )


def find_own(name: str) -> Candidate | None:
    """Return the project's own plugin of this name, whatever else there is."""
    module = f"{OWN}.{name}"
    place = _folder_of(module)
    return None if place is None else Candidate(name, module, place)


def _installed(name: str, offers: EntryPoints) -> Candidate | None:
    places: dict[str, Path] = {}
    for entry in offers.select(name=name):
        if (place := _folder_of(entry.value)) is not None:
            places[entry.value] = place
    if len(places) > 1:
        raise NotAPlugin(
            f"{len(places)} installed packages offer a plugin of this name, {' and '.join(sorted(places))}; "
            "uninstall all but one"
        )
    return next((Candidate(name, module, place) for module, place in places.items()), None)


def problem_of(folder: Path) -> str | None:
    """Return what is wrong with a folder that plugins.toml names, or None.

    :returns: one sentence that names the folder and says what to do.
    """
    if folder.is_dir():
        return None
    what = "is not a folder" if folder.exists() else "does not exist"
    return f"folders in plugins.toml names {folder}, which {what}; make it, or take it out"


def _refuse_half(package: Path) -> None:
    """Refuse what was meant as a plugin but is no Python package, whatever else has its name."""
    if (package / "manifest.toml").is_file():
        raise NotAPlugin(
            f"{package} has a manifest.toml but no __init__.py; add one, it holds the plugin's hooks"
        )


def _file_of(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return None if file is None else Path(file).resolve()


def _folder_of(module: str) -> Path | None:
    """Return the folder of a package without running its code, None when there is none.

    :raises NotAPlugin: it has a manifest but no code.
    """
    spec = _spec_of(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    place = Path(next(iter(spec.submodule_search_locations)))
    if spec.origin is None:
        # Python takes any folder for a package; one without __init__.py has no hooks.
        _refuse_half(place)
        return None
    return place


def _spec_of(module: str) -> ModuleSpec | None:
    """Return what Python knows of a module; `importlib.util.find_spec` would run the packages around it."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    name = top
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return spec
