"""Where plugins are found: the `plugins` package, installed packages, and folders named in plugins.toml."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

ENTRY_POINTS = "redlegion.plugins"


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


def find(name: str, folders: Sequence[Path]) -> Candidate | None:
    """Return where the plugin `name` lies: a named folder first, then an installed package, then our own.

    :param folders: folders that hold plugin packages, from plugins.toml.
    :returns: None when there is no such plugin anywhere.
    """
    for folder in folders:
        package = folder / name
        if (package / "__init__.py").is_file():
            # For what the plugins of a folder share; they themselves are imported by their place.
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
            return Candidate(name, name, package, named=True)
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        if (place := _folder_of(entry.value)) is not None:
            return Candidate(name, entry.value, place)
    if (place := _folder_of(f"plugins.{name}")) is not None:
        return Candidate(name, f"plugins.{name}", place)
    return None


def _file_of(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return None if file is None else Path(file).resolve()


def _folder_of(module: str) -> Path | None:
    """Return the folder of a package without running its code."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
