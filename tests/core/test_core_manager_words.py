"""What an author reads when a plugin cannot be loaded: the mistake, and what to do about it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from support.plugin_folder import PluginFolder

from core.plugins import PluginManager, discovery

CODE = "@hookimpl\nasync def {name}(): ..."


def reason(manager: PluginManager) -> str:
    (quarantined,) = manager.quarantined
    return quarantined.reason


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("on_voice_session_start", "did you mean on_voice_session_started or on_voice_session_"),
        ("on_guild_enable", "did you mean on_guild_enabled or "),
        ("register_command", "did you mean register_commands? All hooks"),
        ("on_commands", "did you mean register_commands"),
        ("on_zzz", "those that begin with on_ are on_channel_changed, on_channel_deleted, "),
        ("setup", "the names of hooks begin with register_, on_, decide_, filter_ or collect_"),
    ],
)
def test_an_unknown_hook_says_which_there_are(folder: PluginFolder, name: str, words: str) -> None:
    folder.write("odd", CODE.format(name=name))
    found = reason(PluginManager(["odd"], [folder.path]))
    assert found.startswith(f"there is no hook of this name; {words}")
    assert "All hooks are in docs/plugins.md" in found


def test_hooks_of_other_plugins_are_near_too(folder: PluginFolder) -> None:
    specs = "from redlegion import hookspec\n@hookspec\nasync def on_crew_left(ctx, event): ..."
    folder.write("crews", "from crews import specs\n@hookimpl\ndef register_hookspecs():\n    return specs")
    (folder.path / "crews" / "specs.py").write_text(specs, encoding="utf-8")
    folder.write("odd", CODE.format(name="on_crew_leaves"), requires=["crews"])
    assert "did you mean on_crew_left?" in reason(PluginManager(["crews", "odd"], [folder.path]))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("record_voice", True, "record_voice: there is no key of this name; did you mean records_voice?"),
        ("sumary", "x", "sumary: there is no key of this name; did you mean summary?"),
        ("title", "", "title: must not be empty"),
        ("title", "x" * 61, "title: must have at most 60 characters, it has 61"),
        ("title", 3, "title: must be text in quotes, not 3"),
        ("requires", "market", 'requires: must be a list such as ["one", "two"], not \'market\''),
        ("requires", [3], "requires: must be text in quotes, not 3"),
        ("records_voice", "perhaps", "records_voice: must be true or false, not 'perhaps'"),
        ("records_voice", [], "records_voice: must be true or false, not []"),
    ],
)
def test_a_wrong_key_of_the_manifest(folder: PluginFolder, field: str, value: Any, words: str) -> None:
    folder.write("odd", **{field: value})
    assert reason(PluginManager(["odd"], [folder.path])) == (
        f"manifest.toml: {words}; docs/plugins.md explains every key"
    )


def test_defaults_that_break_their_own_rule(folder: PluginFolder) -> None:
    code = """
    from pydantic import BaseModel, Field

    class Odd(BaseModel):
        minutes: int = Field(default_factory=lambda: 0, ge=1, validate_default=True)

    @hookimpl
    def register_settings():
        return Odd
    """
    folder.write("odd", code)
    assert reason(PluginManager(["odd"], [folder.path])) == (
        "its defaults are not usable: minutes: input should be greater than or equal to 1, not 0"
    )


def test_a_manifest_without_code(folder: PluginFolder) -> None:
    folder.write("odd")
    (folder.path / "odd" / "__init__.py").unlink()
    assert reason(PluginManager(["odd"], [folder.path])) == (
        f"{folder.path / 'odd'} has a manifest.toml but no __init__.py; add one, it holds the plugin's hooks"
    )


def test_an_installed_manifest_without_code(
    folder: PluginFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "site" / "odd_one"
    package.mkdir(parents=True)
    monkeypatch.syspath_prepend(package.parent)
    place = "[redlegion.plugins]\nodd = odd_one\n"
    info = package.parent / "odd_one-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-one\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(place, encoding="utf-8")
    assert reason(PluginManager(["odd"])).startswith("there is no plugin of this name; check its spelling")
    (package / "manifest.toml").write_text("", encoding="utf-8")
    assert reason(PluginManager(["odd"])).startswith(f"{package} has a manifest.toml but no __init__.py")


def test_the_folder_of_the_plugin_itself(folder: PluginFolder) -> None:
    folder.write("odd")
    assert reason(PluginManager(["odd"], [folder.path / "odd"])) == (
        f"folders in plugins.toml names the plugin's own folder {folder.path / 'odd'}; "
        f"name the one that holds it, {folder.path}"
    )


def test_a_folder_that_is_not_there(folder: PluginFolder, caplog: pytest.LogCaptureFixture) -> None:
    folder.write("sound")
    lost, file = folder.path / "lost", folder.path / "sound" / "manifest.toml"
    with caplog.at_level(logging.ERROR):
        manager = PluginManager(["sound"], [lost, file, folder.path, lost])
    assert list(manager.loaded) == ["sound"]
    assert manager.folder_problems == [
        f"folders in plugins.toml names {lost}, which does not exist; make it, or take it out",
        f"folders in plugins.toml names {file}, which is not a folder; make it, or take it out",
    ]
    assert caplog.messages == manager.folder_problems
    assert discovery.problem_of(folder.path) is None
