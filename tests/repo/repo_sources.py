"""The repository's sources as the checks of this folder look at them."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = ("core", "plugins", "sandbox", "redlegion")
EVERYTHING = (*OURS, "tests", "tools", "benchmarks", "examples")


@dataclass(frozen=True)
class Source:
    """One Python file of ours.

    :param path: relative to the repository.
    :param module: the name it is imported by.
    """

    path: Path
    module: str
    text: str

    @property
    def package(self) -> str:
        """Return the name that relative imports of this file start from."""
        return self.module if self.path.name == "__init__.py" else self.module.rpartition(".")[0]

    def tree(self) -> ast.Module:
        """Return the parsed file."""
        return _parsed(self.text)

    def imports(self) -> Iterator[tuple[str, str | None, int]]:
        """Yield (module, name or None, line) of every import in the file, wherever it stands."""
        for node in ast.walk(self.tree()):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, None, node.lineno
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    parts = self.package.split(".")
                    base = ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
                for alias in node.names:
                    yield base, alias.name, node.lineno


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Return the Python files of these folders of the repository."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if any(part.startswith(".") or part == "__pycache__" for part in relative.parts):
                continue
            parts = relative.with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Source(relative, module, path.read_text(encoding="utf-8")))
    return tuple(found)


@cache
def manifests() -> dict[str, dict[str, Any]]:
    """Return the manifest of every plugin in the repository, by the plugin's name."""
    found = {}
    for path in sorted((ROOT / "plugins").glob("*/manifest.toml")):
        found[path.parent.name] = tomllib.loads(path.read_text(encoding="utf-8"))
    return found
