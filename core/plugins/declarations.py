"""What `register_*` hooks may answer, checked before anything rests on it."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from discord import app_commands
from pydantic import BaseModel, ValidationError

from core.guilds.ranks import rank_needed
from core.manifest import Component, HealthCheck, HelpTopic, Job, in_words
from core.plugins.problems import Problems

AnyCommand = app_commands.Command[Any, Any, Any] | app_commands.Group

#: First words of commands that belong to the core itself.
RESERVED = frozenset({"help", "plugins", "privacy", "setup"})
#: Characters that an embed of Discord has room for.
HELP_TITLE, HELP_TEXT = 256, 4096
_PLAIN = re.compile(r"[a-z0-9_]{1,32}")

T = TypeVar("T", Component, Job, HealthCheck, HelpTopic)


def leaves_of(commands: Sequence[AnyCommand]) -> list[app_commands.Command[Any, Any, Any]]:
    """Return the commands that can be run, groups walked to their ends."""
    leaves: list[app_commands.Command[Any, Any, Any]] = []
    for command in commands:
        if isinstance(command, app_commands.Group):
            leaves += [c for c in command.walk_commands() if isinstance(c, app_commands.Command)]
        else:
            leaves.append(command)
    return leaves


def checked_commands(hook: str, answer: Any, problems: Problems) -> tuple[AnyCommand, ...]:
    """Return the commands that a plugin declares.

    Noted as problems: what is no slash command, states no rank, or brings permissions of its own.
    """
    kinds = (app_commands.Command, app_commands.Group)
    commands = _listed(hook, answer, kinds, "slash commands and groups", problems)
    for command in commands:
        if command.name in RESERVED:
            problems.add(hook, f"/{command.name} belongs to the core; use another name")
        if command.default_permissions is not None:
            problems.add(hook, f"/{command.name} has permissions of its own; ranks decide, so take them out")
    taken: set[str] = set()
    for leaf in leaves_of(commands):
        if rank_needed(leaf) is None:
            problems.add(hook, f"/{leaf.qualified_name} states no rank; add @requires")
        if (other := shared_path(leaf.qualified_name, taken)) is not None:
            problems.add(
                hook,
                f"/{leaf.qualified_name} is there twice"
                if other == leaf.qualified_name
                else f"/{leaf.qualified_name} cannot stand beside /{other}",
            )
        taken.add(leaf.qualified_name)
    return commands


def checked_settings(hook: str, answer: Any, problems: Problems) -> type[BaseModel] | None:
    """Return the model of a plugin's settings; its defaults must pass its own checks and survive JSON."""
    if not (isinstance(answer, type) and issubclass(answer, BaseModel)):
        problems.add(hook, "it must return a pydantic model class")
        return None
    try:
        defaults = answer()
    except ValidationError as error:
        problems.add(hook, f"its defaults are not usable: {in_words(error)}")
        return None
    try:
        again = answer.model_validate(defaults.model_dump(mode="json"))
    except ValidationError as error:
        problems.add(
            hook, f"its defaults do not come back from JSON, which they are stored as: {in_words(error)}"
        )
        return None
    if again != defaults:
        problems.add(hook, "its defaults come back from JSON changed; use types that JSON keeps")
    return answer


def named_components(hook: str, answer: Any, problems: Problems) -> Mapping[str, Component]:
    """Return the components that a plugin declares, by action."""
    found: tuple[Component, ...] = _listed(hook, answer, (Component,), "Component objects", problems)
    for each in found:
        _callable(hook, f"component {each.action!r}", each.handler, ("interaction", "ctx", "key"), problems)
    return _by_name(hook, found, lambda each: each.action, "component action", problems)


def named_jobs(hook: str, answer: Any, problems: Problems) -> Mapping[str, Job]:
    """Return the jobs that a plugin declares, by name."""
    found: tuple[Job, ...] = _listed(hook, answer, (Job,), "Job objects", problems)
    for each in found:
        _callable(hook, f"job {each.name!r}", each.handler, ("ctx", "payload"), problems)
        deadline: object = each.deadline
        if not isinstance(deadline, int | float) or not math.isfinite(deadline) or deadline <= 0:
            problems.add(hook, f"the deadline of job {each.name!r} must be a number of seconds above 0")
    return _by_name(hook, found, lambda each: each.name, "job", problems)


def named_health_checks(hook: str, answer: Any, problems: Problems) -> tuple[HealthCheck, ...]:
    """Return the health checks that a plugin declares."""
    found: tuple[HealthCheck, ...] = _listed(hook, answer, (HealthCheck,), "HealthCheck objects", problems)
    for each in found:
        _callable(hook, f"health check {each.name!r}", each.probe, ("runtime",), problems)
        _plain_name(hook, "health check", each.name, problems)
    return tuple(_by_name(hook, found, lambda each: each.name, "health check", problems).values())


def named_topics(hook: str, answer: Any, problems: Problems) -> Mapping[str, HelpTopic]:
    """Return the pages of help that a plugin declares, by name."""
    found: tuple[HelpTopic, ...] = _listed(hook, answer, (HelpTopic,), "HelpTopic objects", problems)
    for each in found:
        _plain_name(hook, "help topic", each.name, problems)
        for what, text, room in (("title", each.title, HELP_TITLE), ("text", each.text, HELP_TEXT)):
            given: object = text
            if not isinstance(given, str) or not given.strip():
                problems.add(hook, f"the {what} of help topic {each.name!r} must be text, and not empty")
            elif len(given) > room:
                problems.add(
                    hook, f"the {what} of help topic {each.name!r} has {len(given)} characters of {room}"
                )
    return _by_name(hook, found, lambda each: each.name, "help topic", problems)


def shared_path(path: str, others: Iterable[str]) -> str | None:
    """Return the one of `others` that cannot be in a menu together with `path`, or None.

    The same words clash, and so do a command and a group of one name: /mining and /mining start.
    """
    for other in others:
        if path == other or path.startswith(f"{other} ") or other.startswith(f"{path} "):
            return other
    return None


def _listed(
    hook: str, answer: Any, kinds: tuple[type, ...], words: str, problems: Problems
) -> tuple[Any, ...]:
    if not isinstance(answer, Iterable) or isinstance(answer, str):
        problems.add(hook, f"it must return a list of {words}, not {type(answer).__name__}")
        return ()
    found = []
    for each in answer:
        if isinstance(each, kinds):
            found.append(each)
        else:
            problems.add(hook, f"it must return a list of {words}; {type(each).__name__} is none")
    return tuple(found)


def _callable(hook: str, what: str, handler: Any, arguments: tuple[str, ...], problems: Problems) -> None:
    """Note a handler that could not be awaited with these arguments."""
    wanted = f"async def handler({', '.join(arguments)})"
    call = handler if inspect.isroutine(handler) else getattr(handler, "__call__", None)  # noqa: B004
    if not callable(handler) or not (
        inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(call)
    ):
        problems.add(hook, f"the handler of {what} must be `{wanted}`")
        return
    try:
        inspect.signature(handler).bind(*arguments)
    except TypeError as error:
        problems.add(hook, f"the handler of {what} cannot be called as `{wanted}`: {error}")


def _plain_name(hook: str, what: str, name: object, problems: Problems) -> None:
    if not isinstance(name, str) or not _PLAIN.fullmatch(name):
        problems.add(hook, f"the {what} {name!r} needs a name of at most 32 characters of a-z, 0-9 and _")


def _by_name(
    hook: str, declared: Sequence[T], name_of: Callable[[T], str], what: str, problems: Problems
) -> Mapping[str, T]:
    found: dict[str, T] = {}
    for value in declared:
        name = name_of(value)
        if name in found:
            problems.add(hook, f"the {what} {name!r} is there twice")
        found[name] = value
    return MappingProxyType(found)
