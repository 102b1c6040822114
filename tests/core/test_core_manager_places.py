"""Where plugins come from: two of one name, finding without running, and --safe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.plugin_folder import PluginFolder

from core.plugins import PluginManager, discovery
from core.settings import Settings
from sandbox.stage import open_stage

MANIFEST = """
name = "{name}"
title = "{title}"
summary = "Installed."
version = "1"
api = ">=1,<2"
kind = "library"
personal_data = "Nothing."
"""


class Site:
    """A folder of installed packages that offer plugins."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.packages: list[str] = []

    def install(self, package: str, plugin: str, code: str = "") -> None:
        """Install a distribution `package` whose package offers `plugin`; dots make packages in packages."""
        place = self.path.joinpath(*package.split("."))
        place.mkdir(parents=True)
        (place / "manifest.toml").write_text(MANIFEST.format(name=plugin, title=package), encoding="utf-8")
        (place / "__init__.py").write_text(code, encoding="utf-8")
        name = package.replace(".", "_")
        info = self.path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n", encoding="utf-8")
        text = f"[{discovery.ENTRY_POINTS}]\n{plugin} = {package}\n"
        (info / "entry_points.txt").write_text(text, encoding="utf-8")
        self.packages.append(package.partition(".")[0])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site that is on the path, and its modules gone again after."""
    made = Site(tmp_path / "site")
    made.path.mkdir()
    monkeypatch.syspath_prepend(str(made.path))
    yield made
    for name in [n for n in sys.modules if n.partition(".")[0] in made.packages]:
        del sys.modules[name]


def test_a_folder_before_a_package_before_our_own(folder: PluginFolder, site: Site) -> None:
    assert PluginManager(["market"]).loaded["market"].source == "own"
    site.install("theirs_market", "market")
    installed = PluginManager(["market"]).loaded["market"]
    assert (installed.source, installed.module.__name__) == ("package", "theirs_market")
    folder.write("market", title="From a folder", kind="library")
    named = PluginManager(["market"], [folder.path]).loaded["market"]
    assert (named.source, named.manifest.title) == ("folder", "From a folder")


def test_two_packages_of_one_name_are_both_named(site: Site) -> None:
    site.install("one_thing", "thing", "raise AssertionError('its code must not run')")
    site.install("other_thing", "thing", "raise AssertionError('its code must not run')")
    (entry,) = PluginManager(["thing"]).quarantined
    words = (
        "2 installed packages offer a plugin of this name, one_thing and other_thing; uninstall all but one"
    )
    assert entry.reason == words


def test_finding_a_package_in_a_package_runs_neither(site: Site) -> None:
    site.install("outer.inner", "inner")
    (site.path / "outer" / "__init__.py").write_text("raise SystemExit('it was run')", encoding="utf-8")
    found = discovery.find("inner", [])
    assert (found.module, found.folder) == ("outer.inner", site.path / "outer" / "inner")
    assert "outer" not in sys.modules
    (entry,) = PluginManager(["inner"]).quarantined
    assert entry.reason == "SystemExit: it was run"


@pytest.mark.parametrize("value", ["nowhere", "json.nowhere", "sys.path", "json.decoder.deeper", "..odd"])
def test_an_entry_point_that_leads_nowhere(site: Site, value: str) -> None:
    site.install("theirs", "thing")
    (site.path / "theirs-1.dist-info" / "entry_points.txt").write_text(
        f"[{discovery.ENTRY_POINTS}]\nthing = {value}\n", encoding="utf-8"
    )
    (entry,) = PluginManager(["thing"]).quarantined
    assert entry.reason.startswith("there is no plugin of this name")


def test_wishes_that_contradict_each_other_keep_nobody_out(folder: PluginFolder) -> None:
    folder.write("one", after=["two"])
    folder.write("two", after=["three"], requires=["base"])
    folder.write("three", after=["one"])
    folder.write("base", after=["two"])
    manager = PluginManager(folder.names, [folder.path])
    assert manager.quarantined == []
    order = list(manager.loaded)
    assert sorted(order) == ["base", "one", "three", "two"]
    assert order.index("base") < order.index("two")


def test_safe_loads_our_own_and_names_what_it_leaves_out(folder: PluginFolder, site: Site) -> None:
    loud = "raise AssertionError('its code must not run')"
    folder.write("odd", loud)
    folder.write("needs_it", loud, requires=["odd"])
    folder.write("market", loud)
    site.install("theirs_operations", "operations", loud)
    names = ["odd", "needs_it", "operations", "payroll", "market", "nowhere"]
    manager = PluginManager(names, [folder.path], safe=True)
    assert {name: plugin.source for name, plugin in manager.loaded.items()} == dict.fromkeys(
        ["operations", "market", "payroll"], "own"
    )
    assert [str(each) for each in manager.left_out] == [
        "odd: a third-party plugin is left out by --safe",
        "needs_it: a third-party plugin is left out by --safe",
        f"operations: the one in {site.path / 'theirs_operations'} is left out by --safe",
        f"market: the one in {folder.path / 'market'} is left out by --safe",
    ]
    assert [each.name for each in manager.quarantined] == ["nowhere"]


async def test_safe_changes_nothing_of_what_guilds_want(folder: PluginFolder, lite: str) -> None:
    folder.write(
        "odd",
        """
        @app_commands.command(name="odd", description="x")
        @requires("guest")
        async def odd(interaction: discord.Interaction) -> None:
            await reply(interaction, "here")

        @hookimpl
        def register_commands():
            return [odd]
        """,
    )
    plugins = folder.selection(load=("odd", "market"))
    async with open_stage(lite, plugins=plugins, members=2, channels=2) as stage:
        await stage.start_bot()
        guild, owner = stage.scene.guild.id, stage.scene.owner
        await stage.slash(owner, "plugins enable", {"plugin": "odd"})
        await stage.advance(60)
        assert stage.runtime.guilds.said(guild, "odd") is True
        await stage.stop_bot()

        stage.settings = replace(stage.settings, safe=True, strict=True)
        await stage.start_bot()
        assert list(stage.runtime.manager.loaded) == ["market"]
        listed = await stage.slash(owner, "plugins list")
        assert "`odd`" in str(listed.message)
        refused = await stage.slash(owner, "plugins disable", {"plugin": "odd"})
        assert "odd is left out for now, since I was started with --safe" in str(refused.message)
        assert stage.runtime.guilds.said(guild, "odd") is True
        await stage.stop_bot()

        stage.settings = replace(stage.settings, safe=False)
        await stage.start_bot()
        assert stage.runtime.guilds.active(guild) == {"odd"}
        answer = await stage.slash(owner, "odd")
        assert answer.message is not None
        assert answer.message["content"] == "here"


def test_settings_carry_safe(folder: PluginFolder) -> None:
    folder.write("odd")
    settings = Settings(plugins=folder.selection(), safe=True)
    assert list(PluginManager.load(settings).loaded) == []
    assert list(PluginManager.load(replace(settings, safe=False)).loaded) == ["odd"]
