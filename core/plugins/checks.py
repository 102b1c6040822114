"""What is wrong with a plugin's hooks, said before any of them runs."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pluggy

from core.hookspecs import PROJECT

#: Said of every unknown hook.
ALL_HOOKS = (
    "All hooks are in docs/plugins.md; a hook that another plugin offers is there once `requires` in your "
    "manifest.toml names that plugin"
)


class HookError(Exception):
    """A hook cannot be used.

    :param hook: its name.
    :param reason: why, one sentence.
    """

    def __init__(self, hook: str, reason: str) -> None:
        super().__init__(f"{hook}: {reason}")
        self.hook = hook
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FoundHook:
    """A function that a plugin marked as hook implementation."""

    name: str
    function: Any
    options: dict[str, Any]


def is_async_family(name: str) -> bool:
    """Say whether a hook of this name is `async def` and delivered by the dispatcher."""
    return name.startswith("on_")


def hooks_of(module: ModuleType) -> list[FoundHook]:
    """Return the hook implementations of a plugin's package, in the order in which they are written."""
    found = []
    for attribute, value in vars(module).items():
        options = getattr(value, f"{PROJECT}_impl", None)
        if options is not None:
            found.append(FoundHook(options.get("specname") or attribute, value, options))
    return found


def check_hook(hook: FoundHook, manager: pluggy.PluginManager) -> None:
    """Check one hook implementation against its specification.

    :raises HookError: unknown name, wrong arguments, or a form that async dispatch cannot carry.
    """
    caller = getattr(manager.hook, hook.name, None)
    if caller is None or not caller.has_spec():
        known = [name for name, each in vars(manager.hook).items() if each.has_spec()]
        raise HookError(hook.name, f"there is no hook of this name; {_nearby(hook.name, known)}")
    asynchronous = inspect.iscoroutinefunction(hook.function)
    if is_async_family(hook.name):
        if not asynchronous:
            raise HookError(hook.name, "an on_* hook must be `async def`")
        for option in ("hookwrapper", "wrapper", "tryfirst", "trylast"):
            if hook.options.get(option):
                raise HookError(hook.name, f"{option} has no meaning on an on_* hook; remove it")
    else:
        if asynchronous or inspect.isasyncgenfunction(hook.function):
            raise HookError(hook.name, "a register_* hook must be a plain function, not `async def`")
        if hook.options.get("hookwrapper") or hook.options.get("wrapper"):
            raise HookError(hook.name, "a register_* hook cannot be a wrapper")
    allowed = caller.spec.argnames
    for parameter in inspect.signature(hook.function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise HookError(hook.name, f"the parameter {parameter.name!r} must be a plain positional one")
        if parameter.name not in allowed:
            raise HookError(
                hook.name,
                f"it takes {parameter.name!r}, but this hook offers {', '.join(allowed) or 'nothing'}",
            )


def _nearby(name: str, known: Collection[str]) -> str:
    """Return what to do about an unknown hook: the names that look like it, and where all of them stand."""
    # A prefix is shared by half of the hooks, so only what comes after it tells two names apart.
    family, _underscore, rest = name.partition("_")
    near = difflib.get_close_matches(rest, [each.partition("_")[2] for each in known], n=3, cutoff=0.6)
    likely = [each for word in near for each in sorted(known) if each.partition("_")[2] == word]
    if likely:
        return f"did you mean {' or '.join(likely)}? {ALL_HOOKS}"
    siblings = sorted(each for each in known if each.startswith(f"{family}_"))
    if siblings:
        return f"those that begin with {family}_ are {', '.join(siblings)}. {ALL_HOOKS}"
    return f"the names of hooks begin with register_ or on_. {ALL_HOOKS}"


def check_specs(module: object) -> None:
    """Check the hooks that a plugin declares for others.

    :raises HookError: a name outside the families, a sync `on_*`, or firstresult or historic options.
    """
    for name, value in vars(module).items():
        options = getattr(value, f"{PROJECT}_spec", None)
        if options is None:
            continue
        if not name.startswith(("register_", "on_")):
            raise HookError(name, "a plugin's own hook is named register_* or on_*")
        if options.get("firstresult") or options.get("historic"):
            raise HookError(name, "firstresult and historic are not offered")
        if inspect.iscoroutinefunction(value) != is_async_family(name):
            raise HookError(name, "on_* hooks are declared `async def`, register_* hooks plain")
