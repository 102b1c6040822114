"""The walls that import-linter cannot state, and those that it states, seen to hold."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator

import peewee
import pytest
from repo_sources import EVERYTHING, OURS, ROOT, Source, manifests, sources

LINE_LIMIT = 400
# Reads of the machine's time, by the dotted words of the call; monotonic and perf_counter measure only.
WALL_CLOCK = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
    ("utils", "utcnow"),
}
# The clock itself; and records of the log, which carry the machine's time by nature.
MAY_READ_CLOCK = {"core.clock"}


def test_no_file_is_too_long() -> None:
    long = {str(s.path): n for s in sources(*EVERYTHING) if (n := len(s.text.splitlines())) > LINE_LIMIT}
    assert long == {}


def test_core_package_is_empty() -> None:
    assert (ROOT / "core/__init__.py").read_text(encoding="utf-8") == ""


def test_time_is_read_in_one_place_only() -> None:
    found = []
    for source in sources("core", "plugins"):
        if source.module not in MAY_READ_CLOCK:
            found += [f"{source.path}:{line}: {words}" for words, line in _clock_reads(source)]
    assert found == []


def _clock_reads(source: Source) -> Iterator[tuple[str, int]]:
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if (name, node.func.attr) in WALL_CLOCK:
                yield f"{name}.{node.func.attr}()", node.lineno


def test_sandbox_server_imports_nothing_of_ours() -> None:
    found = [
        f"{source.path}:{line}: {module}"
        for source in sources("sandbox/server")
        for module, _, line in source.imports()
        if module.split(".")[0] in OURS and not _within(module, "sandbox.server")
    ]
    assert found == []


@pytest.mark.parametrize("name", sorted(manifests()))
def test_plugin_uses_only_what_others_offer(name: str) -> None:
    requires = set(manifests()[name].get("requires", ()))
    found = []
    for source in sources(f"plugins/{name}"):
        for module, attribute, line in source.imports():
            if module == "plugins":
                found.append(f"{source.path}:{line}: import names from plugins.{attribute} itself")
            if not module.startswith("plugins.") or _within(module, f"plugins.{name}"):
                continue
            other = module.split(".")[1]
            where = f"{source.path}:{line}: {module}"
            if other not in requires:
                found.append(f"{where}: its manifest does not require {other}")
            elif module != f"plugins.{other}" or attribute is None:
                found.append(f"{where}: import names from plugins.{other} itself")
            elif attribute not in importlib.import_module(module).__all__:
                found.append(f"{where}: {attribute} is not in __all__ of {other}")
    assert found == []


@pytest.mark.parametrize("name", sorted(manifests()))
def test_tables_stay_within_the_plugin(name: str) -> None:
    module = importlib.import_module(f"plugins.{name}")
    if not hasattr(module, "register_schema"):
        pytest.skip("this plugin has no tables")
    allowed = {name, "core", *manifests()[name].get("requires", ())}
    found = []
    for model in module.register_schema().models:
        table = model._meta.table_name
        if not table.startswith(f"{name}_"):
            found.append(f"{table} does not start with {name}_")
        for column in model._meta.sorted_fields:
            if not isinstance(column, peewee.ForeignKeyField):
                continue
            owner = _owner(column.rel_model)
            if owner not in allowed:
                found.append(f"{table}.{column.name} points into {owner}, which is not required")
            if (column.on_delete or "").upper() != "RESTRICT":
                found.append(f"{table}.{column.name} must say on_delete='RESTRICT'")
    assert found == []


def _owner(model: type[peewee.Model]) -> str:
    first, second = (*model.__module__.split("."), "")[:2]
    return second if first == "plugins" else first


def test_import_linter_contracts_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_walls_would_notice() -> None:
    source = Source(
        ROOT / "plugins/x/store.py",
        "plugins.x.store",
        "from datetime import datetime\n"
        "from . import models\n"
        "from ..y.store import f\n"
        "when = datetime.now()\n",
    )
    assert list(_clock_reads(source)) == [("datetime.now()", 4)]
    assert [(module, name) for module, name, _ in source.imports()] == [
        ("datetime", "datetime"),
        ("plugins.x", "models"),
        ("plugins.y.store", "f"),
    ]


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
