"""A desk for the commands that look at plugins."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.plugin_desk import Desk
from support.plugin_folder import PluginFolder

from core.settings import VARIABLES


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    """A desk; modules, paths and logging are put back after."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    folder = PluginFolder(tmp_path / "mine")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Desk(folder, capsys)
    folder.forget()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
