"""The example as its users meet it: named in plugins.toml, or installed; and its own tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from example_places import EXAMPLE, ROOT, SOURCE
from support.forked import redlegion

from core.settings import VARIABLES

PROJECT = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))
LOAD = """
import json
from pathlib import Path
from core.plugins import PluginManager
manager = PluginManager(["shift_log"])
plugin = manager.loaded.get("shift_log")
print(json.dumps({
    "broken": [str(each) for each in manager.quarantined],
    "file": plugin and plugin.module.__file__,
    "migrations": plugin and sorted(path.name for path in Path(plugin.schema.migrations).glob("0*.py")),
}))
"""


def run(*command: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    # Nothing of this run's own pytest must reach the one that is started here.
    clean = {name: value for name, value in clean.items() if not name.startswith("PYTEST")}
    places = [str(each) for each in (path, ROOT) if each is not None]
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**clean, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def command(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return redlegion(*words, folder=cwd, environment=clean)


def loaded_from(site: Path, cwd: Path) -> None:
    """Check that the plugin is found by its entry point in `site`, with all its files."""
    done = run("-c", LOAD, cwd=cwd, path=site)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "broken": [],
        "file": str(site / "shift_log" / "__init__.py"),
        "migrations": ["0001_initial.py", "0002_reminded_at.py"],
    }


def test_from_a_folder_in_plugins_toml(tmp_path: Path) -> None:
    text = f'[plugins]\nload = ["shift_log"]\nfolders = ["{SOURCE}"]\n'
    (tmp_path / "plugins.toml").write_text(text, encoding="utf-8")
    migrated = command("migrate", cwd=tmp_path)
    assert "applied shift_log/0002_reminded_at\n" in migrated.stdout
    done = command("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    plugins     shift_log\n" in done.stdout
    assert "ok    tables " in done.stdout
    down = command("migrate", "down", "shift_log", "0001", cwd=tmp_path)
    assert down.stdout == "reverted shift_log/0002_reminded_at\n"
    down = command("migrate", "down", "shift_log", "none", cwd=tmp_path)
    assert down.stdout == "reverted shift_log/0001_initial\n"


def test_through_its_entry_point(tmp_path: Path) -> None:
    site = tmp_path / "site"
    info = site / "redlegion_shift_log-0.1.0.dist-info"
    info.mkdir(parents=True)
    (site / "shift_log").symlink_to(SOURCE / "shift_log", target_is_directory=True)
    name = PROJECT["project"]["name"]
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n", encoding="utf-8")
    lines = [
        line
        for group, entries in PROJECT["project"]["entry-points"].items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    loaded_from(site, tmp_path)


def test_every_file_is_packed() -> None:
    package = SOURCE / "shift_log"
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["shift_log"]
    forgotten = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not (path.suffix == ".py" and (path.parent / "__init__.py").is_file())
        and not any(path.relative_to(package).match(pattern) for pattern in patterns)
    ]
    assert forgotten == []


def test_its_own_tests_pass(tmp_path: Path) -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--sandbox-recordings", "", cwd=EXAMPLE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
