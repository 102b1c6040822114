"""What the documents say is true of the sources."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest
from repo_sources import ROOT

from core.plugins import PluginManager
from core.settings import VARIABLES
from tools.commands import DOCUMENT, renewed

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"))
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        aim = (path.parent / file).resolve() if file else path
        if not aim.exists() or (anchor and anchor not in _anchors(aim.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_exist(name: str) -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    named = set(
        re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    assert named <= targets


def test_every_variable_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", example, flags=re.MULTILINE)) == set(VARIABLES)


def _dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    return {re.split(r"[\[<>=]", dependency)[0] for dependency in wanted} - {"redlegion"}


def test_every_dependency_has_its_reason() -> None:
    architecture = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").lower()
    assert {name for name in _dependencies() if f"`{name.lower()}" not in architecture} == set()


def test_constraints_pin_every_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {_plain(line.partition("==")[0]) for line in lines if "==" in line}
    assert {_plain(name) for name in _dependencies()} <= pinned


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{version}]" in changelog or "## [Unreleased]" in changelog


def test_command_table_is_up_to_date() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(text) == text, "run `make commands`"


def test_plugin_of_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    manifest, code = (
        re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL)[0] for kind in ("toml", "python")
    )
    package = tmp_path / "greeter"
    package.mkdir()
    (package / "manifest.toml").write_text(manifest, encoding="utf-8")
    (package / "__init__.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    manager = PluginManager(["greeter"], [tmp_path])
    sys.modules.pop("greeter", None)
    assert manager.quarantined == []
    assert [command.name for command in manager.loaded["greeter"].commands] == ["hello"]


@pytest.mark.parametrize("folder", ["core", "plugins"])
def test_map_names_every_room(folder: str) -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = [path for path in (ROOT / folder).iterdir() if not path.name.startswith(("_", "."))]
    rooms = [path for path in rooms if path.name != "py.typed"]
    names = [f"{path.name}/" if path.is_dir() else path.name for path in rooms]
    assert [name for name in sorted(names) if name not in text] == []
