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
    """

    name: str
    module: str
    folder: Path

    def load(self) -> ModuleType:
        """Import the plugin's package; whatever its code raises passes through."""
        return importlib.import_module(self.module)


def find(name: str, folders: Sequence[Path]) -> Candidate | None:
    """Return where the plugin `name` lies: a named folder first, then an installed package, then our own.

    :param folders: folders that hold plugin packages, from plugins.toml.
    :returns: None when there is no such plugin anywhere.
    """
    for folder in folders:
        package = folder / name
        if (package / "__init__.py").is_file():
            # Imported under its own name, so that its absolute imports of itself work.
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
            return Candidate(name, name, package)
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        if (place := _folder_of(entry.value)) is not None:
            return Candidate(name, entry.value, place)
    if (place := _folder_of(f"plugins.{name}")) is not None:
        return Candidate(name, f"plugins.{name}", place)
    return None


def _folder_of(module: str) -> Path | None:
    """Return the folder of a package without running its code."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
