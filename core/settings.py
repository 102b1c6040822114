"""What the process is told from outside: environment, `.env` and `plugins.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from dotenv.parser import parse_stream
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.address import Address, parse_address
from core.errors import StartupError

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LogFormat = Literal["text", "json"]
DEFAULT_DATABASE_URL = "sqlite:///data/redlegion.sqlite3"
DEFAULT_HEALTH_ADDRESS = "127.0.0.1:9420"
DATA_FOLDER = Path("data")
DEFAULT_VOICE_QUEUE_LIMIT = 200_000
DEFAULT_PLUGINS_FILE = Path("plugins.toml")

PluginName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]


class PluginSelection(BaseModel):
    """The `[plugins]` table of `plugins.toml`: what may be loaded, and from where.

    `load` is an allow list: nothing else is ever imported. A name is looked for in `folders`, then among
    the entry points of the group `redlegion.plugins`, then under `plugins`. `on_by_default` names the
    features that are on in a guild until its admin says otherwise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    load: tuple[PluginName, ...] = ()
    folders: tuple[Path, ...] = ()
    on_by_default: tuple[PluginName, ...] = ()


class _PluginsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plugins: PluginSelection


def _is_address(text: str) -> str:
    parse_address(text)
    return text


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, env_file_encoding="utf-8")

    discord_token: SecretStr | None = None
    database_url: str = DEFAULT_DATABASE_URL
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "text"
    voice_gap_limit_seconds: Annotated[int, Field(ge=0, le=86_400)] = 900
    voice_queue_limit: Annotated[int, Field(ge=1, le=100_000_000)] = DEFAULT_VOICE_QUEUE_LIMIT
    plugins_file: Path = DEFAULT_PLUGINS_FILE
    redlegion_trace_hooks: bool = False
    health_address: Annotated[str, AfterValidator(_is_address)] = DEFAULT_HEALTH_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one process; printing it shows no secret.

    :param discord_token: the bot's token, None where it is not needed (sandbox, doctor, migrate).
    :param database_url: `sqlite:///path` or `postgresql://user:password@host/name`; may hold a password.
    :param voice_gap_limit: a longer outage than this closes open voice sessions at its start.
    :param voice_queue_limit: how many voice events wait in memory while the database is away; further ones
        wait in a file.
    :param plugins: what `plugins.toml` allows.
    :param plugins_file: where that was read from, None when it was given in code.
    :param health_address: where health and metrics are served; None for nowhere.
    :param strict: refuse to start when a plugin is broken instead of starting without it.
    :param trace_hooks: log every delivery to a plugin.
    :param safe: load the project's own plugins only, whatever `plugins.toml` names.
    """

    discord_token: SecretStr | None = None
    database_url: str = field(default=DEFAULT_DATABASE_URL, repr=False)
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "text"
    voice_gap_limit: timedelta = timedelta(seconds=900)
    voice_queue_limit: int = DEFAULT_VOICE_QUEUE_LIMIT
    plugins: PluginSelection = field(default_factory=PluginSelection)
    plugins_file: Path | None = None
    health_address: Address | None = None
    strict: bool = False
    trace_hooks: bool = False
    safe: bool = False

    def token(self) -> str:
        """Return the bot's token in clear, or raise StartupError saying where it belongs."""
        if self.discord_token is None:
            raise StartupError(
                "DISCORD_TOKEN is not set: copy .env.example to .env and put your bot's token there "
                "(Discord Developer Portal, your application, Bot, Reset Token)."
            )
        return self.discord_token.get_secret_value()

    def data_folder(self) -> Path:
        """Return the folder for files of the bot's own: that of the SQLite database, or `data`."""
        if self.database_url.startswith("sqlite:///"):
            return Path(unquote(urlsplit(self.database_url).path)[1:]).parent
        return DATA_FOLDER

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that no log line may show."""
        found = [self.discord_token.get_secret_value()] if self.discord_token else []
        if password := _password(self.database_url):
            found.append(password)
        return tuple(found)


def load_settings(*, env_file: Path | None = Path(".env"), plugins_file: Path | None = None) -> Settings:
    """Read the settings of this process.

    :param env_file: lines of NAME=value that the environment overrides; None or a missing file is skipped.
    :param plugins_file: read instead of what PLUGINS_FILE says.
    :raises StartupError: a value is not usable; the sentence names it and what it should be.
    """
    try:
        if env_file is not None:
            _refuse_unreadable(env_file)
        # pydantic-settings takes _env_file at run time; its generated signature does not show it to mypy.
        environment = _Environment(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        raise StartupError(_environment_sentence(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(
            f"{env_file} cannot be read ({_reason(error)}); make it a readable text file."
        ) from None
    path = plugins_file or environment.plugins_file
    return Settings(
        discord_token=environment.discord_token,
        database_url=environment.database_url,
        log_level=environment.log_level,
        log_format=environment.log_format,
        voice_gap_limit=timedelta(seconds=environment.voice_gap_limit_seconds),
        voice_queue_limit=environment.voice_queue_limit,
        plugins=read_plugins_file(path),
        plugins_file=path,
        trace_hooks=environment.redlegion_trace_hooks,
        health_address=parse_address(environment.health_address),
    )


def _refuse_unreadable(env_file: Path) -> None:
    """:raises StartupError: a line of it is no setting; python-dotenv would go on without that line."""
    if not env_file.is_file():
        return
    with env_file.open(encoding="utf-8") as stream:
        for binding in parse_stream(stream):
            if binding.error:
                text = binding.original.string
                line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
                # The line itself is not repeated: it may hold a secret.
                raise StartupError(
                    f"Line {line} of {env_file} cannot be read; write NAME=value there, and a quotation "
                    "mark at the end of the value if it begins with one."
                )


def read_plugins_file(path: Path) -> PluginSelection:
    """Return what `plugins.toml` at `path` allows; folders in it are relative to the file.

    :raises StartupError: the file is missing, not TOML, or says something that cannot be.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StartupError(
            f"{path.absolute()} does not exist; start redlegion in the folder that holds plugins.toml, "
            "or set PLUGINS_FILE to its path."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(
            f"{path} cannot be read ({_reason(error)}); make it a readable text file."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise StartupError(f"{path} is not valid TOML ({error}); correct that line.") from None
    try:
        selection = _PluginsFile.model_validate(content).plugins
    except ValidationError as error:
        raise StartupError(f"{path}: {_plugins_sentence(error)}") from None
    stray = [name for name in selection.on_by_default if name not in selection.load]
    if stray:
        raise StartupError(f"{path}: on_by_default names {stray[0]!r}, which load does not; add it to load.")
    # Absolute: they go into sys.path, which must not change its meaning with the working directory.
    folders = tuple((path.parent / folder).absolute() for folder in selection.folders)
    return selection.model_copy(update={"folders": folders})


#: Every variable that is read, and what it must be.
VARIABLES = {
    "DISCORD_TOKEN": "the bot's token as text",
    "DATABASE_URL": "sqlite:///path/to/file.sqlite3 or postgresql://user:password@host/name",
    "LOG_LEVEL": "one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
    "LOG_FORMAT": "text or json",
    "VOICE_GAP_LIMIT_SECONDS": "a whole number of seconds from 0 to 86400",
    "VOICE_QUEUE_LIMIT": "a whole number of voice events from 1 to 100000000",
    "PLUGINS_FILE": "the path of a plugins.toml",
    "REDLEGION_TRACE_HOOKS": "1 to log every delivery to a plugin, 0 for silence",
    "HEALTH_ADDRESS": "host:port, such as 127.0.0.1:9420, or off",
}


def _environment_sentence(error: ValidationError) -> str:
    name = str(error.errors(include_url=False, include_input=False)[0]["loc"][0]).upper()
    # The value itself is not repeated: it may be a secret pasted into the wrong line.
    return f"{name} has a value that cannot be used; set it to {VARIABLES[name]}, or remove it."


def _plugins_sentence(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    if first["type"] == "extra_forbidden":
        return f"{where} is not a setting; [plugins] knows load, folders and on_by_default."
    if first["type"] == "missing":
        return 'the table [plugins] is missing; write one with load = ["name", ...].'
    if first["type"] == "string_pattern_mismatch":
        return f"{where} holds {first['input']!r}; a plugin's name is 2 to 32 characters of a-z, 0-9 and _."
    return f"{where} must be a list of texts in quotes."


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password or None
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not UTF-8 text"
