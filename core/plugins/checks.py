"""What is wrong with a plugin's hooks, said before any of them runs."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import pluggy

from core.hookspecs import PROJECT
from core.plugins.problems import Problem, Problems

#: Said of every unknown hook.
ALL_HOOKS = (
    "All hooks are in docs/plugins.md; a hook that another plugin offers is there once `requires` in your "
    "manifest.toml names that plugin"
)
#: The families whose hooks are awaited one after the other, so that their order means something.
ASKED = ("decide_", "filter_", "collect_")
FAMILIES = ("register_", "on_", *ASKED)
_WRAPPERS = ("hookwrapper", "wrapper")


@dataclass(frozen=True, slots=True)
class FoundHook:
    """A function that a plugin marked as hook implementation."""

    name: str
    function: Any
    options: dict[str, Any]

    @property
    def place(self) -> int:
        """Return -1 for tryfirst, 1 for trylast, 0 for the plugin's own place."""
        return bool(self.options.get("trylast")) - bool(self.options.get("tryfirst"))


def family_of(name: str) -> str | None:
    """Return how a hook's name begins, such as `on_`, or None outside the families."""
    return next((family for family in FAMILIES if name.startswith(family)), None)


def is_async_family(name: str) -> bool:
    """Say whether a hook of this name is `async def` and awaited by the dispatcher."""
    return name.startswith(("on_", *ASKED))


def hooks_of(module: ModuleType) -> list[FoundHook]:
    """Return the hook implementations of a plugin's package, in the order in which they are written."""
    found = []
    for attribute, value in vars(module).items():
        # Looked up in the function itself: some objects, peewee's `fn` for one, have every attribute.
        options = vars(value).get(f"{PROJECT}_impl") if isinstance(value, FunctionType) else None
        if options is not None:
            found.append(FoundHook(options.get("specname") or attribute, value, options))
    return found


def specs_of(module: object) -> dict[str, Any]:
    """Return the functions that are marked as hook specifications, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and f"{PROJECT}_spec" in vars(value)
    }


def check_hook(hook: FoundHook, manager: pluggy.PluginManager, problems: Problems) -> bool:
    """Check one hook implementation against its specification.

    :returns: whether it can be used: known, with right arguments, in a form that can be awaited or called.
    """
    caller = getattr(manager.hook, hook.name, None)
    if caller is None or not caller.has_spec():
        known = [name for name, each in vars(manager.hook).items() if each.has_spec()]
        problems.add(hook.name, f"there is no hook of this name; {_nearby(hook.name, known)}")
        return False
    found = [Problem(hook.name, reason) for reason in _wrong_with(hook, caller.spec.argnames)]
    problems += found
    return not found


def _wrong_with(hook: FoundHook, offered: Collection[str]) -> Iterator[str]:
    family = family_of(hook.name)
    asynchronous = inspect.iscoroutinefunction(hook.function)
    if is_async_family(hook.name):
        if not asynchronous:
            yield (
                f"an {family}* hook must be `async def`"
                if family == "on_"
                else (f"a {family}* hook must be `async def`")
            )
        useless = _WRAPPERS if family in ASKED else (*_WRAPPERS, "tryfirst", "trylast")
    else:
        if asynchronous or inspect.isasyncgenfunction(hook.function):
            yield "a register_* hook must be a plain function, not `async def`"
        useless = ("tryfirst", "trylast")
        if any(hook.options.get(option) for option in _WRAPPERS):
            yield "a register_* hook cannot be a wrapper"
    for option in useless:
        if hook.options.get(option):
            yield f"{option} has no meaning on {'an' if family == 'on_' else 'a'} {family}* hook; remove it"
    if hook.options.get("tryfirst") and hook.options.get("trylast"):
        yield "it cannot be both tryfirst and trylast"
    for parameter in inspect.signature(hook.function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            yield f"the parameter {parameter.name!r} must be a plain positional one"
        elif parameter.name not in offered:
            yield f"it takes {parameter.name!r}, but this hook offers {', '.join(offered) or 'nothing'}"


def _nearby(name: str, known: Collection[str]) -> str:
    """Return what to do about an unknown hook: the names that look like it, and where all of them stand."""
    # A prefix is shared by half of the hooks, so only what comes after it tells two names apart.
    family, _underscore, rest = name.partition("_")
    near = difflib.get_close_matches(rest, [each.partition("_")[2] for each in known], n=3, cutoff=0.6)
    likely = [each for word in near for each in sorted(known) if each.partition("_")[2] == word]
    if likely:
        return f"did you mean {' or '.join(dict.fromkeys(likely))}? {ALL_HOOKS}"
    siblings = sorted(each for each in known if each.startswith(f"{family}_"))
    if siblings:
        return f"those that begin with {family}_ are {', '.join(siblings)}. {ALL_HOOKS}"
    return f"the names of hooks begin with register_, on_, decide_, filter_ or collect_. {ALL_HOOKS}"


#: What each family is called with, in this order.
_ARGUMENTS = {
    "register_": ([],),
    "on_": (["ctx"], ["ctx", "event"]),
    "decide_": (["ctx", "event"],),
    "filter_": (["ctx", "value", "event"],),
    "collect_": (["ctx", "event"],),
}


def check_specs(module: object, owners: dict[str, str], problems: Problems) -> bool:
    """Check the hooks that a plugin declares for others.

    :param owners: who declared which hook so far.
    :returns: whether they can be used.
    """
    specs = specs_of(module)
    found = [
        Problem(name, reason)
        for name, value in specs.items()
        for reason in _wrong_with_spec(name, value, owners)
    ]
    if not specs:
        found.append(Problem("register_hookspecs", "it must return a module with @hookspec functions"))
    problems += found
    return not found


def _wrong_with_spec(name: str, function: Any, owners: dict[str, str]) -> Iterator[str]:
    options = getattr(function, f"{PROJECT}_spec")
    family = family_of(name)
    if family is None:
        yield "a plugin's own hook is named register_*, on_*, decide_*, filter_* or collect_*"
        return
    if name in owners:
        yield f"this hook belongs to {owners[name]} already; use another name"
    if options.get("firstresult") or options.get("historic"):
        yield "firstresult and historic are not offered"
    if inspect.iscoroutinefunction(function) != is_async_family(name):
        yield "on_*, decide_*, filter_* and collect_* hooks are declared `async def`, register_* hooks plain"
    parameters = inspect.signature(function).parameters
    if [p.name for p in parameters.values() if p.default is not p.empty]:
        # pluggy would take the specification's default over that of the implementation.
        yield "a specification has no defaults; take them out"
    if list(parameters) not in _ARGUMENTS[family]:
        wanted = " or ".join(", ".join(each) or "nothing" for each in _ARGUMENTS[family])
        yield f"{family}* hooks take {wanted}, not {', '.join(parameters) or 'nothing'}"
