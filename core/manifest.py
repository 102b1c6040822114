"""What a plugin says of itself: the manifest, and the small frozen objects that its hooks return."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import discord
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.guilds.ranks import Rank

if TYPE_CHECKING:
    from core.context import Context
    from core.runtime import Runtime

#: The version of the plugin API that this core offers; a manifest's `api` range must contain it.
API_VERSION = (1, 0)

NAME = re.compile(r"^[a-z][a-z0-9_]{1,31}$")
#: Names that custom ids, tables and jobs of the core itself bear.
RESERVED_NAMES = frozenset({"core", "plugins", "redlegion", "sandbox"})
CUSTOM_ID_LIMIT = 100

ComponentHandler = Callable[[discord.Interaction[Any], "Context", str], Awaitable[None]]
JobHandler = Callable[["Context", dict[str, Any]], Awaitable[None]]
#: Says what is wrong in one sentence, or None.
HealthProbe = Callable[["Runtime"], Awaitable[str | None]]


class ManifestError(Exception):
    """The manifest is missing or cannot be used; the message says why."""


class Manifest(BaseModel):
    """The contents of `manifest.toml`; read without running the plugin's code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = Field(min_length=1, max_length=60)
    summary: str = Field(min_length=1, max_length=200)
    version: str = Field(min_length=1)
    api: str
    kind: Literal["feature", "library"]
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    ranks: tuple[Rank, ...] = ()
    permissions: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    optional_intents: tuple[str, ...] = ()
    records_voice: bool = False
    personal_data: str = Field(min_length=1)

    @field_validator("name")
    @classmethod
    def _name_is_plain(cls, value: str) -> str:
        if not NAME.match(value):
            raise ValueError("a name is 2 to 32 characters of a-z, 0-9 and _, starting with a letter")
        if value in RESERVED_NAMES:
            raise ValueError(f"{value} is what the bot itself is called; use another name")
        return value

    @field_validator("api")
    @classmethod
    def _api_fits(cls, value: str) -> str:
        if not api_matches(value, API_VERSION):
            have = ".".join(map(str, API_VERSION))
            raise ValueError(
                f"this version of Red Legion offers plugin API {have}, the plugin asks for {value}"
            )
        return value

    @field_validator("permissions")
    @classmethod
    def _permissions_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in discord.Permissions.VALID_FLAGS]
        if unknown:
            raise ValueError(f"Discord has no permission {', '.join(unknown)}")
        return value

    @field_validator("intents", "optional_intents")
    @classmethod
    def _intents_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in discord.Intents.VALID_FLAGS]
        if unknown:
            raise ValueError(f"Discord has no intent {', '.join(unknown)}")
        return value


def api_matches(wanted: str, have: tuple[int, int]) -> bool:
    """Say whether `have` lies in a range such as ">=1,<2".

    :raises ValueError: the range cannot be read.
    """
    compare: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
        ">=": lambda a, b: a >= b,
        "<=": lambda a, b: a <= b,
        "==": lambda a, b: a == b,
        ">": lambda a, b: a > b,
        "<": lambda a, b: a < b,
    }
    for part in wanted.split(","):
        match = re.fullmatch(r"\s*(>=|<=|==|>|<)\s*(\d+)(?:\.(\d+))?\s*", part)
        if match is None:
            raise ValueError(f'cannot read the range {wanted!r}; write it like ">=1,<2"')
        bound = (int(match[2]), int(match[3] or 0))
        if not compare[match[1]](have, bound):
            return False
    return True


def read_manifest(path: Path) -> Manifest:
    """Read and check one `manifest.toml`.

    :raises ManifestError: it is missing, no TOML, or a field is wrong; the message names the field.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(f"there is no {path.name} beside the plugin's code") from None
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path.name} is not valid TOML: {error}") from None
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        words = in_words(error, Manifest.model_fields)
        raise ManifestError(f"{path.name}: {words}; docs/plugins.md explains every key") from None


def in_words(error: ValidationError, known: Iterable[str] = ()) -> str:
    """Return what is wrong with the first value that pydantic refused, beginning with where it stands.

    :param known: the names that may stand there.
    """
    # An unknown key is often a misspelt one: said first, since "it is missing" would send people looking.
    first: Any = min(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in first["loc"] if not isinstance(part, int)) or "it"
    context, given = first.get("ctx", {}), first["input"]
    match first["type"]:
        case "missing":
            words = "this key is missing; add it"
        case "extra_forbidden":
            near = difflib.get_close_matches(where, known, n=1)
            words = f"there is no key of this name; {f'did you mean {near[0]}?' if near else 'remove it'}"
        case "value_error":
            words = str(context["error"])
        case "literal_error" | "enum":
            words = f"must be {context['expected']}, not {given!r}"
        case "string_type":
            words = f"must be text in quotes, not {given!r}"
        case "tuple_type" | "list_type":
            words = f'must be a list such as ["one", "two"], not {given!r}'
        case "bool_type" | "bool_parsing":
            words = f"must be true or false, not {given!r}"
        case "string_too_short":
            words = "must not be empty"
        case "string_too_long":
            words = f"must have at most {context['max_length']} characters, it has {len(given)}"
        case _:
            message = first["msg"]
            words = f"{message[:1].lower()}{message[1:]}, not {given!r}"
    return f"{where}: {words}"


@dataclass(frozen=True, slots=True)
class Component:
    """The handler of one kind of button, select or modal of a plugin.

    :param action: the middle part of the custom id; a-z, 0-9 and _.
    :param handler: `async def handler(interaction, ctx, key)`.
    :param rank: the least rank that may use it.
    """

    action: str
    handler: ComponentHandler
    rank: Rank | str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]{1,40}", self.action):
            raise ValueError(f"component action {self.action!r} is not made of a-z, 0-9 and _")
        object.__setattr__(self, "rank", Rank(self.rank))


@dataclass(frozen=True, slots=True)
class Job:
    """The handler of one kind of durable job of a plugin.

    :param name: what `enqueue` names.
    :param handler: `async def handler(ctx, payload)`; may be called twice for one job, so it checks first.
    :param deadline: seconds that one run may take.
    """

    name: str
    handler: JobHandler
    deadline: float = 60.0


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A look at something outside the process that a plugin rests on, such as a price service.

    :param name: a-z, 0-9 and _; shown as `plugin.name`.
    :param probe: `async def probe(runtime)`: what is wrong in one sentence, or None.
    :param vital: whether the bot counts as not ready while it fails.
    """

    name: str
    probe: HealthProbe
    vital: bool = False


@dataclass(frozen=True, slots=True)
class HelpTopic:
    """A page of `/help`.

    :param name: a-z, 0-9 and _; what `/help topic` offers, together with the plugin.
    :param title: shown above it.
    :param text: Markdown, already in English; translated by the plugin's catalog when shown.
    :param rank: the least rank that it is shown to.
    """

    name: str
    title: str
    text: str
    rank: Rank | str = Rank.MEMBER

    def __post_init__(self) -> None:
        object.__setattr__(self, "rank", Rank(self.rank))


def custom_id(plugin: str, action: str, key: str | int = "") -> str:
    """Return the custom id that the component router sends to `action` of `plugin`.

    :param key: what the handler needs to find its state in the database.
    :raises ValueError: longer than Discord's 100 characters, or a part holds a colon.
    """
    value = f"{plugin}:{action}:{key}"
    if ":" in plugin or ":" in action or len(value) > CUSTOM_ID_LIMIT:
        raise ValueError(
            f"custom id {value!r} does not fit plugin:action:key in {CUSTOM_ID_LIMIT} characters"
        )
    return value
