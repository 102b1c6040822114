"""A folder to work in with `redlegion plugins`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.plugin_folder import PluginFolder

from core.cli.app import main


class Desk:
    """A folder to work in, with plugins of its own and a plugins.toml that names them."""

    def __init__(self, folder: PluginFolder, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.write = folder.write
        self._capsys = capsys

    def run(self, *words: str, load: list[str] | None = None) -> tuple[int, str]:
        """Run `redlegion plugins` and return exit status and output; nothing may be on stderr."""
        names = self.folder.names if load is None else load
        text = f"[plugins]\nload = {json.dumps(names)}\nfolders = [{json.dumps(str(self.folder.path))}]\n"
        Path("plugins.toml").write_text(text, encoding="utf-8")
        status = main(["plugins", *words])
        shown = self._capsys.readouterr()
        assert shown.err == ""
        return status, shown.out

    def migration(self, plugin: str, body: str, name: str = "0001_initial") -> None:
        """Write one migration of a plugin."""
        place = self.folder.path / plugin / "migrations"
        place.mkdir(exist_ok=True)
        (place / f"{name}.py").write_text(body, encoding="utf-8")
