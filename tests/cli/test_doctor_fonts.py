"""What `redlegion doctor` says of the fonts that pictures need."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import fonts
from core.cli.doctor import _fonts


def test_it_names_the_package_of_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "font.ttf"
    there.touch()
    monkeypatch.setattr(fonts, "_EMOJI_FILES", (str(there),))
    monkeypatch.setattr(fonts, "_EAST_ASIAN_FILES", (str(tmp_path / "none.ttf"),))
    [finding] = _fonts()
    assert finding.level == "note"
    assert "Chinese, Japanese and Korean" in str(finding)
    assert "install fonts-wqy-microhei" in str(finding)
    monkeypatch.setattr(fonts, "_EAST_ASIAN_FILES", (str(there),))
    assert list(_fonts()) == []
