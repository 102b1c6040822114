"""Discord's own API description as a judge of every request, answer and gateway event of a test.

The description is not part of this repository. Without it (`../shared/discord-openapi/openapi.json`, seen
from the root) `Judge.load()` returns None and `attach()` finds nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from support.openapi_cures import cured_for_answers, cured_for_requests

DOCUMENT = Path(__file__).resolve().parents[5] / "shared" / "discord-openapi" / "openapi.json"
_METHODS = ("get", "put", "post", "patch", "delete")


class Findings(list[str]):
    """What the judge found wrong, in order, each once; `judged` counts what it looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.judged: Counter[str] = Counter()

    def record(self, what: str, problems: list[str]) -> None:
        """Count one judged thing and keep its problems."""
        self.judged[what] += 1
        self.extend(one for one in problems if one not in self)


class Judge:
    """Validates JSON bodies against Discord's API description."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths: dict[str, Any] = document["paths"]
        self._routes = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", route) + "$"), route)
            # Literal routes first, so that /users/@me is not taken for /users/{user_id}.
            for route in sorted(self._paths, key=lambda one: (one.count("{"), one))
        ]
        self._responses: dict[str, Any] = document["components"]["responses"]
        cured = [("urn:requests", cured_for_requests(document)), ("urn:answers", cured_for_answers(document))]
        resources = [(name, Resource(each, DRAFT202012)) for name, each in cured]
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._fast_registry = jsonschema_rs.Registry(cured)
        self._fitting: dict[str, Callable[[Any], bool]] = {}

    @classmethod
    def load(cls) -> Judge | None:
        """Return the judge, made once per process, or None where the description is absent."""
        return _load()

    def route(self, path: str) -> str | None:
        """The route of the description that a path belongs to, as "/channels/{channel_id}", or None."""
        bare = path.split("?", 1)[0]
        bare = re.sub(r"^/api(/v\d+)?", "", bare)
        if bare in self._paths:
            return bare
        return next((route for pattern, route in self._routes if pattern.match(bare)), None)

    def request(self, method: str, path: str, body: Any) -> list[str]:
        """Judge what a client sends: an unknown route, a body that is missing or not as described."""
        where = f"{method.upper()} {path}"
        operation, pointer = self._operation(method, path)
        if operation is None:
            return [f"{where}: the description has no such route"]
        asked = operation.get("requestBody")
        if asked is None:
            return [f"{where}: takes no body, but got one"] if body else []
        if body is None:
            # All clients lift a ban without the body that the description requires of a DELETE, and
            # discord.py says in the query how much a ban deletes.
            bodiless = method.upper() == "DELETE" or self.route(path) == "/guilds/{guild_id}/bans/{user_id}"
            needed = asked.get("required") and not _may_be_files(asked) and not bodiless
            return [f"{where}: needs a body"] if needed else []
        kind = "application/json" if "application/json" in asked["content"] else next(iter(asked["content"]))
        return self._check(
            "urn:requests", f"{pointer}/requestBody/content/{_escape(kind)}/schema", body, where
        )

    def response(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Judge what the service answers: an undescribed status, a body that is not as described."""
        where = f"{method.upper()} {path} -> {status}"
        operation, pointer = self._operation(method, path)
        if operation is None:
            # What nobody describes is answered with an error, whose shape is the same everywhere.
            if status < 400:
                return [f"{where}: the description has no such route"]
            return self._named("ErrorResponse", body, where)
        described = operation["responses"]
        key = str(status) if str(status) in described else f"{status // 100}XX"
        if key not in described:
            return [f"{where}: the description knows only {', '.join(described)}"]
        answer, at = described[key], f"{pointer}/responses/{key}"
        if "$ref" in answer:
            at = answer["$ref"].removeprefix("#")
            answer = self._responses[at.rsplit("/", 1)[1]]
        if "content" not in answer:
            return [f"{where}: has no body, but got one"] if body is not None and body != "" else []
        if "application/json" not in answer["content"]:
            return []
        return self._check("urn:answers", f"{at}/content/application~1json/schema", body, where)

    def dispatch(self, event_name: str, data: Any) -> list[str]:
        """Judge the pieces of a gateway event that the description has schemas for; other events pass."""
        problems: list[str] = []
        for schema, where, piece in _pieces(event_name, data):
            problems += self._named(schema, piece, f"{event_name} {where}".strip())
        return problems

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any] | None, str]:
        route, verb = self.route(path), method.lower()
        if route is None or verb not in _METHODS or verb not in self._paths[route]:
            return None, ""
        return self._paths[route][verb], f"/paths/{_escape(route)}/{verb}"

    def _named(self, schema: str, body: Any, where: str) -> list[str]:
        return self._check("urn:answers", f"/components/schemas/{schema}", body, where)

    def _check(self, document: str, pointer: str, body: Any, where: str) -> list[str]:
        reference = f"{document}#{pointer}"
        fits = self._fitting.get(reference)
        if fits is None:
            quick = jsonschema_rs.Draft202012Validator({"$ref": reference}, registry=self._fast_registry)
            fits = self._fitting[reference] = quick.is_valid
        if fits(body):
            return []
        # Half of the suite's time goes into judging if the one that tells what is wrong judges all.
        slow = Draft202012Validator({"$ref": reference}, registry=self._registry)
        problems = [f"{where}: {_words(best(error))}" for error in slow.iter_errors(body)]
        assert problems, f"{where}: the two validators disagree about {body!r}"
        return problems


@cache
def _load() -> Judge | None:
    if not DOCUMENT.is_file():
        return None
    return Judge(json.loads(DOCUMENT.read_text(encoding="utf-8")))


def attach(world: Any) -> Findings:
    """Judge everything that passes through a world's log from now on, and collect what is wrong."""
    findings = Findings()
    judge = Judge.load()
    if judge is None:
        return findings

    def on_entry(entry: dict[str, Any]) -> None:
        if entry["kind"] == "rest":
            method, path = entry["method"], entry["path"]
            refused = entry["status"] >= 400
            if not refused and entry["status"]:
                # A request that the service refused is allowed to be wrong: tests of refusals need it.
                findings.record("request", judge.request(method, path, entry.get("request")))
            broken = refused and (entry.get("fault") or isinstance(entry.get("response"), str))
            if broken or not entry["status"]:
                return  # Broken on purpose, perhaps by a proxy that no description speaks of.
            answer = judge.response(method, path, entry["status"], entry.get("response"))
            findings.record("answer", answer)
        elif entry["kind"] == "gateway" and entry.get("event"):
            findings.record(entry["event"], judge.dispatch(entry["event"], entry["data"]))

    world.log.on_entry(on_entry)
    return findings


def best(error: ValidationError) -> ValidationError:
    """The error that tells most: inside "matches none of these", that of the branch which was meant.

    The branch meant is the one that fits the body's `type` (or its JSON type), and of those the one with the
    deepest, then the fewest problems.
    """
    while error.validator in ("oneOf", "anyOf") and error.context and not _is_choice(error):
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        meant = min(branches.values(), key=_misfit)
        error = min(meant, key=lambda one: -len(one.relative_path))
    return error


def _is_choice(error: ValidationError) -> bool:
    """Whether the branches are just the values that are allowed."""
    return all(one.validator == "const" and not one.relative_path for one in error.context or ())


def _misfit(problems: list[ValidationError]) -> tuple[bool, bool, int, int]:
    wrong_shape = any(one.validator == "type" and not one.relative_path for one in problems)
    wrong_kind = any(
        list(one.relative_path) == ["type"] and one.validator in ("enum", "const", "oneOf")
        for one in problems
    )
    deepest = max(len(one.relative_path) for one in problems)
    return wrong_shape, wrong_kind, -deepest, len(problems)


def _words(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    message = error.message
    if error.validator in ("oneOf", "anyOf") and error.context and _is_choice(error):
        allowed = ", ".join(repr(one.validator_value) for one in error.context)
        message = f"{error.instance!r} is none of {allowed}"
    if len(message) > 400:
        message = message[:400] + " ..."
    return f"at {where}: {message}" if where else message


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _may_be_files(asked: dict[str, Any]) -> bool:
    return "multipart/form-data" in asked["content"]


_WHOLE = {
    "VOICE_STATE_UPDATE": "VoiceStateResponse",
    "MESSAGE_CREATE": "MessageResponse",
    "MESSAGE_UPDATE": "MessageResponse",
    "GUILD_MEMBER_ADD": "GuildMemberResponse",
    "CHANNEL_CREATE": "GuildChannelResponse",
    "CHANNEL_UPDATE": "GuildChannelResponse",
    "CHANNEL_DELETE": "GuildChannelResponse",
    "THREAD_CREATE": "ThreadResponse",
    "THREAD_UPDATE": "ThreadResponse",
    "GUILD_UPDATE": "GuildResponse",
    "GUILD_AUDIT_LOG_ENTRY_CREATE": "AuditLogEntryResponse",
    "APPLICATION_COMMAND_PERMISSIONS_UPDATE": "CommandPermissionsResponse",
}
_EVENT_KINDS = {1: "StageScheduledEvent", 2: "VoiceScheduledEvent", 3: "ExternalScheduledEvent"}


def _pieces(event: str, data: Any) -> Iterator[tuple[str, str, Any]]:
    """The pieces of a gateway event that have a schema: its name, where the piece was, the piece."""
    if event in _WHOLE:
        yield _WHOLE[event], "", data
    elif event == "READY":
        yield "UserPIIResponse", "user", {"locale": "en-US", **data["user"]}
    elif event in ("GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE"):
        yield "GuildRoleResponse", "role", data["role"]
    elif event in ("GUILD_BAN_ADD", "GUILD_BAN_REMOVE", "GUILD_MEMBER_REMOVE"):
        yield "UserResponse", "user", data["user"]
    elif event == "GUILD_EMOJIS_UPDATE":
        for emoji in data["emojis"]:
            yield "EmojiResponse", "emojis", emoji
    elif event == "MESSAGE_REACTION_ADD":
        yield "MessageReactionEmojiResponse", "emoji", data["emoji"]
        if "member" in data:
            yield "GuildMemberResponse", "member", data["member"]
    elif event == "THREAD_MEMBERS_UPDATE":
        for member in data.get("added_members", ()):
            yield "ThreadMemberResponse", "added_members", member
    elif event in tuple(f"GUILD_SCHEDULED_EVENT_{what}" for what in ("CREATE", "UPDATE", "DELETE")):
        yield f"{_EVENT_KINDS[data['entity_type']]}Response", "", data
    elif event == "GUILD_MEMBERS_CHUNK":
        for member in data["members"]:
            yield "GuildMemberResponse", "members", member
    elif event == "GUILD_CREATE":
        yield from _guild_pieces(data)
    elif event == "INTERACTION_CREATE":
        yield from _interaction_pieces(data)


def _guild_pieces(guild: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    if guild.get("unavailable"):
        return
    yield "GuildResponse", "", guild
    owner = {"guild_id": guild["id"]}
    for channel in guild["channels"]:
        # In a whole guild the gateway leaves out what is the same for all: the guild's id.
        yield "GuildChannelResponse", "channels", {**owner, **channel}
    for member in guild["members"]:
        yield "GuildMemberResponse", "members", member
    for thread in guild["threads"]:
        yield "ThreadResponse", "threads", thread
    for event in guild["guild_scheduled_events"]:
        yield f"{_EVENT_KINDS[event['entity_type']]}Response", "guild_scheduled_events", event
    for state in guild["voice_states"]:
        yield "VoiceStateResponse", "voice_states", {**owner, **state}


def _interaction_pieces(interaction: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    if "member" in interaction:
        yield "GuildMemberResponse", "member", interaction["member"]
    if "user" in interaction:
        yield "UserResponse", "user", interaction["user"]
    if "message" in interaction:
        yield "MessageResponse", "message", interaction["message"]
    resolved = interaction.get("data", {}).get("resolved", {})
    for user in resolved.get("users", {}).values():
        yield "UserResponse", "data.resolved.users", user
    for role in resolved.get("roles", {}).values():
        yield "GuildRoleResponse", "data.resolved.roles", role
    for message in resolved.get("messages", {}).values():
        yield "MessageResponse", "data.resolved.messages", message
