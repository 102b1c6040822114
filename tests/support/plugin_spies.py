"""Notes which code of a plugin runs, in which guild: commands, autocompletes, components, jobs and hooks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from core.plugins import LoadedPlugin, PluginManager
from core.plugins.declarations import leaves_of
from core.scope import current

#: In the payload of a job that a test made up: it is noted and not handed on, as no handler knows it.
MADE_UP = "made up by a test"


@dataclass(frozen=True, slots=True)
class Ran:
    """One call of a plugin's code.

    :param kind: command, autocomplete, component, job or hook.
    :param name: the command's words (with the option of an autocomplete behind a colon), the component's
        action, the job's name and key, or the hook.
    """

    plugin: str
    kind: str
    name: str
    guild_id: int


class Spies:
    """Stands in front of every handler of every plugin that is loaded; each is then called as always."""

    def __init__(self) -> None:
        self.ran: list[Ran] = []
        #: The last event that each hook was handed.
        self.events: dict[str, Any] = {}
        #: Stored events that a test made up; they are noted and not handed on, as nothing has happened.
        self.made_up: set[int] = set()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch the plugins of every bot that starts from now on."""
        load = PluginManager.load

        def watched(settings: Any) -> PluginManager:
            manager = load(settings)
            for plugin in manager.loaded.values():
                self._watch(plugin, monkeypatch)
            return manager

        monkeypatch.setattr(PluginManager, "load", staticmethod(watched))

    def since(self, mark: int, plugin: str, guild_id: int) -> list[tuple[str, str]]:
        """Return (kind, name) of what a plugin ran in a guild after the first `mark` calls."""
        return [
            (each.kind, each.name)
            for each in self.ran[mark:]
            if (each.plugin, each.guild_id) == (plugin, guild_id)
        ]

    def _watch(self, plugin: LoadedPlugin, monkeypatch: pytest.MonkeyPatch) -> None:
        def before(kind: str, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            return self._before(plugin.name, kind, name, call)

        for leaf in leaves_of(plugin.commands):
            # Commands are made once per process; what was wrapped for an earlier bot stays wrapped.
            if not hasattr(leaf.callback, "watched"):
                spy = before("command", leaf.qualified_name, leaf.callback)
                monkeypatch.setattr(leaf, "_callback", spy)
                for option in leaf._params.values():
                    if option.autocomplete is not None:
                        words = f"{leaf.qualified_name}:{option.display_name}"
                        monkeypatch.setattr(
                            option, "autocomplete", before("autocomplete", words, option.autocomplete)
                        )
        plugin.components = {
            action: replace(each, handler=before("component", action, each.handler))
            for action, each in plugin.components.items()
        }
        plugin.jobs = {
            name: replace(each, handler=self._job(plugin, each)) for name, each in plugin.jobs.items()
        }
        plugin.targets = {
            hook: replace(each, function=before("hook", hook, self._noting(hook, each)))
            for hook, each in plugin.targets.items()
            if hook not in {"on_startup", "on_shutdown"}
        } | {hook: plugin.targets[hook] for hook in ("on_startup", "on_shutdown") if hook in plugin.targets}

    def _before(self, plugin: str, kind: str, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        async def spy(*args: Any, **kwargs: Any) -> Any:
            scope = current.get()
            assert scope is not None, f"{kind} {name} of {plugin} runs on nobody's behalf"
            assert scope.plugin == plugin, f"{kind} {name} of {plugin} runs on behalf of {scope.plugin}"
            self.ran.append(Ran(plugin, kind, name, scope.guild_id))
            if scope.delivery in self.made_up:
                return None
            return await call(*args, **kwargs)

        spy.watched = True  # type: ignore[attr-defined]
        return spy

    def _noting(self, hook: str, target: Any) -> Callable[..., Any]:
        @functools.wraps(target.function)
        async def noting(*args: Any) -> Any:
            handed = dict(zip(target.arguments, args, strict=True))
            if "event" in handed:
                self.events[hook] = handed["event"]
            return await target.function(*args)

        return noting

    def _job(self, plugin: LoadedPlugin, job: Any) -> Callable[..., Any]:
        async def spy(ctx: Any, payload: dict[str, Any]) -> None:
            key = payload.get(MADE_UP)
            self.ran.append(Ran(plugin.name, "job", f"{job.name} {key or ''}".strip(), ctx.guild_id))
            if key is None:
                await job.handler(ctx, payload)

        return spy
