"""Settings: what is read from where, and one sentence for everything that cannot be used."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import StartupError
from core.settings import VARIABLES, load_settings, read_plugins_file

PLUGINS = '[plugins]\nload = ["market", "payroll"]\nfolders = ["mine"]\non_by_default = ["payroll"]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a plugins.toml, and an environment without our variables."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "plugins.toml").write_text(PLUGINS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults(folder: Path) -> None:
    settings = load_settings()
    assert settings.discord_token is None
    assert settings.database_url == "sqlite:///data/redlegion.sqlite3"
    assert settings.voice_gap_limit == timedelta(minutes=15)
    assert settings.plugins.load == ("market", "payroll")
    assert settings.plugins.on_by_default == ("payroll",)
    assert settings.plugins.folders == (folder / "mine",)


def test_environment_overrides_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("LOG_LEVEL=DEBUG\nDISCORD_TOKEN=from-file\nOTHER=1\n", encoding="utf-8")
    monkeypatch.setenv("DISCORD_TOKEN", "from-environment")
    settings = load_settings()
    assert (settings.log_level, settings.token()) == ("DEBUG", "from-environment")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('DISCORD_TOKEN="abc\n', 1),
        ("LOG_LEVEL=DEBUG\n\n# the token\n\nDISCORD_TOKEN='abc\nLOG_FORMAT=json\n", 5),
        ("LOG_LEVEL=DEBUG\nDISCORD_TOKEN abc\n", 2),
    ],
)
def test_a_line_that_cannot_be_read_is_named(
    folder: Path, caplog: pytest.LogCaptureFixture, content: str, line: int
) -> None:
    (folder / ".env").write_text(content, encoding="utf-8")
    with pytest.raises(
        StartupError, match=rf"^Line {line} of \.env cannot be read; write NAME=value"
    ) as caught:
        load_settings()
    assert "abc" not in caught.value.sentence
    assert caplog.records == []


def test_health_is_served_on_loopback_unless_somebody_asks_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(load_settings().health_address) == "127.0.0.1:9420"
    monkeypatch.setenv("HEALTH_ADDRESS", "0.0.0.0:80")
    assert str(load_settings().health_address) == "0.0.0.0:80"
    monkeypatch.setenv("HEALTH_ADDRESS", "off")
    assert load_settings().health_address is None
    monkeypatch.setenv("HEALTH_ADDRESS", "my house")
    with pytest.raises(
        StartupError, match=r"^HEALTH_ADDRESS has a value that cannot be used; set it to host"
    ):
        load_settings()


def test_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "")
    with pytest.raises(StartupError, match=r"^DISCORD_TOKEN is not set: copy \.env\.example to \.env"):
        load_settings().token()


def test_printing_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "sesame-token")
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:sesame-password@localhost/x")
    settings = load_settings()
    assert "sesame" not in f"{settings!r} {settings}"
    assert settings.secrets() == ("sesame-token", "sesame-password")


def test_folders_are_relative_to_the_file(folder: Path) -> None:
    assert read_plugins_file(folder / "plugins.toml").folders == (folder / "mine",)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LOG_LEVEL", "loud", "LOG_LEVEL .* one of DEBUG, INFO"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT .* text or json"),
        ("VOICE_GAP_LIMIT_SECONDS", "soon", "VOICE_GAP_LIMIT_SECONDS .* a whole number of seconds"),
        ("VOICE_GAP_LIMIT_SECONDS", "-1", "VOICE_GAP_LIMIT_SECONDS .* from 0 to 86400"),
        ("PLUGINS_FILE", "elsewhere.toml", r"elsewhere\.toml does not exist; start redlegion in the folder"),
        ("PLUGINS_FILE", ".", "cannot be read"),
    ],
)
def test_unusable_variable(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartupError, match=words) as caught:
        load_settings()
    assert "\n" not in caught.value.sentence


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("load = [", "is not valid TOML"),
        ("", r"the table \[plugins\] is missing"),
        ('[plugins]\nload = "market"\n', r"plugins\.load must be a list of texts"),
        ("[plugins]\nload = [7]\n", r"plugins\.load must be a list of texts"),
        ('[plugins]\nload = ["../x"]\n', r"plugins\.load holds '\.\./x'; a plugin's name is"),
        ('[plugins]\nloads = ["x"]\n', r"plugins\.loads is not a setting"),
        (
            '[plugins]\nload = []\non_by_default = ["payroll"]\n',
            "names 'payroll', which load does not",
        ),
    ],
)
def test_unusable_plugins_file(content: str, words: str, folder: Path) -> None:
    (folder / "plugins.toml").write_text(content, encoding="utf-8")
    with pytest.raises(StartupError, match=words):
        load_settings()


def test_files_that_are_no_text(folder: Path) -> None:
    (folder / "plugins.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(StartupError, match=r"plugins\.toml cannot be read \(it is not UTF-8 text\)"):
        load_settings()
    (folder / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(StartupError, match=r"\.env cannot be read \(it is not UTF-8 text\)"):
        load_settings()
