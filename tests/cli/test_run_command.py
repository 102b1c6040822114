"""`redlegion run` on a Discord on loopback: starts, stops quietly, or says in one sentence why it cannot."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from core.cli.app import main
from core.connection import Connection
from core.database.lock import FileLock
from core.settings import VARIABLES
from sandbox.server import SandboxServer, World, WorldClock

MANIFEST = """
name = "{name}"
title = "A plugin"
summary = "Does nothing."
version = "1"
api = ">=1,<2"
kind = "feature"
intents = {intents}
personal_data = "Nothing."
"""


@dataclass(frozen=True)
class Link:
    """A way to a sandbox that runs in the test's own process."""

    connection: Connection


class Loopback:
    """A guild on a sandbox, opened in the event loop of `redlegion run`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token: str | None = None
        self.intents: set[str] | None = None

    @asynccontextmanager
    async def open_link(self, _control_url: str) -> AsyncIterator[Link]:
        """Serve the sandbox while the bot runs."""
        world = World(clock=WorldClock())
        world.create_guild("Ember Prospectors", owner="opal")
        if self.intents is not None:
            world.privileged_intents = self.intents
        server = SandboxServer(world, socket_path=self.folder / "d.sock")
        await server.start()
        connection = Connection(
            token=server.addresses.token,
            connector=lambda: aiohttp.UnixConnector(path=str(self.folder / "d.sock"), limit=0),
            identify_pause=0.0,
        )
        try:
            yield Link(connection if self.token is None else replace(connection, token=self.token))
        finally:
            await server.close()

    def plugin(self, name: str, code: str = "", intents: str = "[]") -> None:
        """Add the only plugin of the folder."""
        package = self.folder / "mine" / name
        package.mkdir(parents=True)
        manifest = MANIFEST.format(name=name, intents=intents)
        (package / "manifest.toml").write_text(manifest, encoding="utf-8")
        (package / "__init__.py").write_text(code, encoding="utf-8")
        text = f'[plugins]\nload = ["{name}"]\nfolders = ["mine"]\n'
        (self.folder / "plugins.toml").write_text(text, encoding="utf-8")

    def run(self, *words: str) -> int:
        """Run the command line in this process and return the exit status."""
        return main(["run", "--sandbox", "http://loopback/control", *words], open_link=self.open_link)


@pytest.fixture
def loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A folder without plugins to run in; logging and signals are put back after."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "plugins.toml").write_text("[plugins]\nload = []\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Loopback(tmp_path)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def _only_line(capsys: pytest.CaptureFixture[str]) -> str:
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    return line


def test_wrong_token(loopback: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    loopback.token = "MTIz.wrong.token"
    assert loopback.run() == 1
    assert _only_line(capsys).startswith("Discord does not accept DISCORD_TOKEN: ")


def test_privileged_intent_refused(loopback: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    loopback.plugin("curious_plugin", intents='["members"]')
    loopback.intents = set()
    assert loopback.run() == 1
    assert "switch on Server Members Intent" in _only_line(capsys)


def test_unreachable_server(
    loopback: Loopback, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:sesame@127.0.0.1:9/bot")
    assert loopback.run() == 1
    line = _only_line(capsys)
    assert line.startswith("PostgreSQL at 127.0.0.1 does not answer")
    assert "sesame" not in line


def test_busy_file(loopback: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    (loopback.folder / "data").mkdir()
    lock = FileLock(loopback.folder / "data/redlegion.sqlite3.lock")
    try:
        assert loopback.run() == 1
    finally:
        lock.release()
    assert "is in use by another process: stop that one first" in _only_line(capsys)


def test_database_newer_than_the_code(loopback: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    capsys.readouterr()
    with closing(sqlite3.connect(loopback.folder / "data/redlegion.sqlite3")) as connection, connection:
        connection.execute("INSERT INTO core_migration (name, applied) VALUES ('9999_future', 0)")
    assert loopback.run() == 1
    assert _only_line(capsys).startswith("The database is newer than this version of core")


def test_strict_refuses_a_broken_plugin(loopback: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    loopback.plugin("broken_plugin", "raise RuntimeError('boom')")
    assert loopback.run("--strict") == 1
    line = _only_line(capsys)
    assert line.startswith("--strict refuses to start with broken plugins: broken_plugin: RuntimeError: boom")


def test_safe_does_not_even_look_at_third_party_code(
    loopback: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    loopback.plugin("broken_plugin", "raise RuntimeError('boom')")
    text = '[plugins]\nload = ["broken_plugin", "nowhere"]\nfolders = ["mine"]\n'
    (loopback.folder / "plugins.toml").write_text(text, encoding="utf-8")
    assert loopback.run("--safe", "--strict") == 1
    line = _only_line(capsys)
    assert line.startswith(
        "--strict refuses to start with broken plugins: nowhere: there is no plugin of this"
    )
    assert "broken_plugin" not in line


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_starts_on_a_sandbox_and_stops_quietly(tmp_path: Path, name: signal.Signals) -> None:
    (tmp_path / "plugins.toml").write_text("[plugins]\nload = []\n", encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    program = [sys.executable, "-m", "redlegion"]
    with subprocess.Popen(
        [*program, "sandbox", "--story", "sunday"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as sandbox:
        try:
            assert sandbox.stdout is not None
            control = json.loads(sandbox.stdout.readline())["control"]
            with subprocess.Popen(
                [*program, "run", "--sandbox", control],
                cwd=tmp_path,
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            ) as bot:
                assert bot.stderr is not None
                lines = []
                for line in bot.stderr:
                    lines.append(line)
                    if re.search(r"core\.runtime ready in 2 guilds", line):
                        bot.send_signal(name)
                        break
                lines += bot.stderr.readlines()
                assert bot.wait(timeout=30) == 0, "".join(lines)
                assert "Traceback" not in "".join(lines)
        finally:
            sandbox.send_signal(signal.SIGINT)
            assert sandbox.wait(timeout=30) == 0
