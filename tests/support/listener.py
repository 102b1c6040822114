"""A plugin of a test's own: it brings a second kind of operation and notes what it hears of operations."""

from __future__ import annotations

import sys
from pathlib import Path

MANIFEST = """
name = "listener"
title = "Listener"
summary = "Hears of operations."
version = "1.0.0"
api = ">=1,<2"
kind = "feature"
requires = ["operations"]
records_voice = true
personal_data = "Nothing."
"""

CODE = """
from plugins.operations import OperationEnded, OperationStarted, OperationType
from redlegion import Context, hookimpl

HEARD = []


@hookimpl
def register_operation_types():
    return [OperationType("survey", "Survey", "🛰", "officer", "officer", date_format="%Y-%m-%d %H:%M")]


@hookimpl
async def on_operation_started(ctx: Context, event: OperationStarted) -> None:
    HEARD.append((ctx.guild_id, event))


@hookimpl
async def on_operation_ended(ctx: Context, event: OperationEnded) -> None:
    HEARD.append((ctx.guild_id, event))
"""


def write_listener(folder: Path) -> None:
    """Write the plugin `listener` into a folder of plugins; one of an earlier test is forgotten."""
    sys.modules.pop("listener", None)
    package = folder / "listener"
    package.mkdir()
    (package / "manifest.toml").write_text(MANIFEST, encoding="utf-8")
    (package / "__init__.py").write_text(CODE, encoding="utf-8")
