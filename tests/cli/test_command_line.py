"""`redlegion` as a process: exit status, one sentence, no traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.forked import redlegion

from core.cli.app import INTERRUPTED, main
from core.settings import VARIABLES

PLUGIN = """
name = "{name}"
title = "A plugin"
summary = "Does nothing."
version = "1"
api = ">=1,<2"
kind = "feature"
personal_data = "Nothing."
"""


@dataclass(frozen=True)
class Done:
    """How a run of the command ended."""

    status: int
    out: str
    err: str


class Bench:
    """A folder to run `redlegion` in, with no plugin at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.load: list[str] = []
        self._write()

    def plugin(self, name: str, code: str = "") -> None:
        """Add a plugin package with this code to the folder."""
        package = self.folder / "mine" / name
        package.mkdir(parents=True)
        (package / "manifest.toml").write_text(PLUGIN.format(name=name), encoding="utf-8")
        (package / "__init__.py").write_text(code, encoding="utf-8")
        self.load.append(name)
        self._write()

    def _write(self) -> None:
        text = f'[plugins]\nload = {self.load!r}\nfolders = ["mine"]\n'
        (self.folder / "plugins.toml").write_text(text, encoding="utf-8")

    def run(self, *words: str, **environment: str) -> Done:
        """Run `redlegion` with these words."""
        clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        done = redlegion(*words, folder=self.folder, environment={**clean, **environment})
        assert "Traceback" not in done.stderr + done.stdout
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A folder to run `redlegion` in."""
    return Bench(tmp_path)


def test_help_names_every_command(bench: Bench) -> None:
    done = bench.run("--help")
    assert done.status == 0
    for command in ("run", "migrate", "doctor", "demo", "sandbox"):
        assert re.search(rf"^ +{command} ", done.out, flags=re.MULTILINE)


def test_help_loads_neither_discord_nor_the_database() -> None:
    code = (
        "import sys, redlegion.__main__ as m\n"
        "try: m.main(['--help'])\nexcept SystemExit: pass\n"
        "unwanted = {'discord', 'peewee', 'aiohttp', 'sandbox.demo'}\n"
        "print(sorted(unwanted & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_run_without_token(bench: Bench) -> None:
    done = bench.run("run")
    assert done.status == 1
    assert done.err.startswith("DISCORD_TOKEN is not set: ")
    assert len(done.err.splitlines()) == 1


def test_run_with_a_sandbox_that_is_no_address(bench: Bench) -> None:
    done = bench.run("run", "--sandbox", "over-there")
    assert done.status == 1
    assert done.err.startswith("--sandbox over-there is not an address: ")


def test_bad_setting_is_one_sentence(bench: Bench) -> None:
    done = bench.run("migrate", LOG_LEVEL="loud")
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert done.err.startswith("LOG_LEVEL ")


def test_migrate_up_status_check_down(bench: Bench) -> None:
    first = bench.run("migrate")
    assert first.status == 0
    assert first.out.startswith("applied core/0001")
    assert bench.run("migrate", "up").out == "The tables are up to date.\n"
    assert re.match(r"core/0001\w* +applied  \d{4}-", bench.run("migrate", "status").out)
    assert bench.run("migrate", "check").out == "The tables are what this version expects.\n"
    down = bench.run("migrate", "down", "core", "none")
    assert (down.status, down.out.startswith("reverted core/")) == (0, True)
    check = bench.run("migrate", "check")
    assert check.status == 1
    assert "is pending: run `redlegion migrate`" in check.out


def test_migrate_down_asks_for_what_exists(bench: Bench) -> None:
    bench.run("migrate")
    assert bench.run("migrate", "down", "nobody", "0001").err.startswith(
        "No loaded plugin with tables is called nobody"
    )
    assert (
        "core has no applied migration 0999; applied are 0001"
        in bench.run("migrate", "down", "core", "0999").err
    )


def test_doctor_on_a_healthy_folder(bench: Bench) -> None:
    bench.plugin("gamma")
    bench.run("migrate")
    done = bench.run("doctor")
    assert done.status == 0, done.out
    assert "ok    plugins     gamma\n" in done.out
    assert "ok    tables " in done.out
    assert "FAIL" not in done.out


def test_doctor_names_each_broken_plugin(bench: Bench) -> None:
    bench.plugin("alpha", "raise RuntimeError('boom')")
    bench.plugin("beta", "from redlegion import hookimpl\n@hookimpl\ndef on_resync(ctx): ...\n")
    bench.plugin("gamma")
    bench.load.append("missing")
    bench._write()
    done = bench.run("doctor")
    assert done.status == 1
    assert "FAIL  plugin      alpha: RuntimeError: boom;" in done.out
    assert "FAIL  plugin      beta: on_resync: an on_* hook must be `async def`" in done.out
    assert "FAIL  plugin      missing: there is no plugin of this name" in done.out
    assert "ok    plugins     gamma\n" in done.out


def test_doctor_names_a_folder_that_is_not_there(bench: Bench) -> None:
    done = bench.run("doctor")
    assert done.status == 1
    assert (
        f"FAIL  folders     folders in plugins.toml names {bench.folder / 'mine'}, which does not exist"
        in (done.out)
    )


def test_doctor_with_bad_settings_and_database(bench: Bench) -> None:
    done = bench.run("doctor", DATABASE_URL="mysql://x/y")
    assert done.status == 1
    assert "FAIL  database    DATABASE_URL is not understood" in done.out
    (bench.folder / "plugins.toml").unlink()
    done = bench.run("doctor")
    assert (done.status, done.out.startswith("FAIL  settings ")) == (1, True)


def test_database_newer_than_the_code(bench: Bench) -> None:
    import sqlite3

    bench.run("migrate")
    with sqlite3.connect(bench.folder / "data/redlegion.sqlite3") as connection:
        connection.execute("INSERT INTO core_migration (name, applied) VALUES ('9999_future', 0)")
    connection.close()
    done = bench.run("doctor")
    assert done.status == 1
    assert "FAIL  migrations  core/9999_future is unknown: the database is newer" in done.out
    done = bench.run("migrate")
    assert done.status == 1
    assert done.err.startswith("The database is newer than this version of core")


def test_unexpected_error_is_one_line_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins.toml").write_text("[plugins]\n", encoding="utf-8")
    monkeypatch.setattr("core.cli.doctor.examine", lambda: 1 / 0)
    assert main(["doctor"]) == 1
    error = capsys.readouterr().err
    found = re.fullmatch(
        r"Something unexpected went wrong \((\w{8})\); the details are in (\S+), please .*\n", error
    )
    assert found
    assert found[1] in found[2]
    assert "ZeroDivisionError" in (tmp_path / found[2]).read_text(encoding="utf-8")


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.cli.doctor.examine", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "doctor"])


def test_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.cli.doctor.examine", interrupted)
    assert main(["doctor"]) == INTERRUPTED
    assert capsys.readouterr() == ("", "")
