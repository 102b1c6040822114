"""A folder of plugins that a test writes for itself."""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

from core import i18n
from core.settings import PluginSelection

HEAD = """
import asyncio
import discord
from discord import app_commands
from redlegion import *
"""


class PluginFolder:
    """Writes plugins, and takes them out of the interpreter again.

    :param path: an empty folder.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        self.path = path
        self.names: list[str] = []

    def write(self, plugin: str, code: str = "", **manifest: Any) -> str:
        """Write one plugin; `manifest` overrides single fields, None leaves one out."""
        fields: dict[str, Any] = {
            "name": plugin,
            "title": plugin.title(),
            "summary": f"What {plugin} does.",
            "version": "1.0.0",
            "api": ">=1,<2",
            "kind": "feature",
            "personal_data": "Nothing.",
            **manifest,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items() if value is not None]
        self.write_raw(plugin, code, "\n".join(lines))
        return plugin

    def write_raw(self, plugin: str, code: str, manifest: str | None) -> None:
        """Write one plugin with its manifest as it stands; None for no manifest."""
        package = self.path / plugin
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text(HEAD + textwrap.dedent(code), encoding="utf-8")
        if manifest is not None:
            (package / "manifest.toml").write_text(manifest, encoding="utf-8")
        self.names.append(plugin)

    def module(self, plugin: str) -> ModuleType:
        """Return a loaded plugin's module."""
        return importlib.import_module(plugin)

    def selection(self, *on: str, load: tuple[str, ...] | None = None) -> PluginSelection:
        """Allow every plugin that was written; `on` are on by default."""
        return PluginSelection(load=load or tuple(self.names), folders=(self.path,), on_by_default=on)

    def forget(self) -> None:
        """Take the plugins out of the interpreter."""
        for name in [n for n in sys.modules if n.partition(".")[0] in self.names]:
            del sys.modules[name]
        i18n._packages[:] = [each for each in i18n._packages if each not in self.names]
        i18n._translations.cache_clear()
        if str(self.path) in sys.path:
            sys.path.remove(str(self.path))
