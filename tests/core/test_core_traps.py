"""Traps of pluggy under asyncio, each shown in pluggy itself where it can be, and how ours is not caught.

pluggy may change; then a test's first half fails and says that the care taken is no longer needed.
"""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any, cast

import pluggy
import pytest
from support.plugin_folder import PluginFolder

from core.context import Context
from core.dispatch import Dispatcher
from core.hookspecs import PROJECT, hookimpl, hookspec
from core.plugins import PluginManager

GUILD = 7


def bare(spec: Any, *plugins: Any) -> pluggy.PluginManager:
    """A pluggy manager as anybody would use it."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(spec)
    for plugin in plugins:
        manager.register(plugin)
    return manager


def dispatcher_of(manager: PluginManager) -> Dispatcher:
    return Dispatcher(manager, lambda plugin, guild_id: cast("Context", f"{plugin}@{guild_id}"))


def specs(folder: PluginFolder, code: str) -> None:
    """A plugin `asker` that declares hooks."""
    folder.write("asker", "from asker import specs\n@hookimpl\ndef register_hookspecs():\n    return specs")
    head = "from redlegion import hookspec\n"
    (folder.path / "asker" / "specs.py").write_text(head + code, encoding="utf-8")


def load(folder: PluginFolder) -> PluginManager:
    return PluginManager(folder.names, [folder.path])


def only_reason(folder: PluginFolder) -> str:
    (entry,) = load(folder).quarantined
    return str(entry)


class FirstSpec:
    @hookspec(firstresult=True)
    async def decide_price(self, ctx: object, event: object) -> str | None: ...


class Speaks:
    @hookimpl
    async def decide_price(self) -> str:
        return "A"


class Silent:
    @hookimpl
    async def decide_price(self) -> None: ...


async def test_t1_the_first_answer_is_looked_for_after_awaiting(folder: PluginFolder) -> None:
    coroutine = bare(FirstSpec, Speaks(), Silent()).hook.decide_price(ctx=None, event=None)
    assert await coroutine is None, "pluggy stops at the coroutine, so that 'A' is never found"

    specs(folder, "@hookspec\nasync def decide_price(ctx, event): ...")
    for name, answer in (("silent", "None"), ("speaks", "'A'"), ("later", "'B'")):
        code = f"@hookimpl\nasync def decide_price():\n    return {answer}"
        folder.write(name, code, requires=["asker"])
    manager = load(folder)
    dispatcher = dispatcher_of(manager)
    dispatcher.set_plugins(GUILD, frozenset(manager.loaded))
    assert await dispatcher.decide(GUILD, "decide_price", None) == "A"


@pytest.mark.parametrize("option", ["firstresult", "historic"])
def test_t1_t6_options_that_lie_are_refused(folder: PluginFolder, option: str) -> None:
    specs(folder, f"@hookspec({option}=True)\nasync def decide_price(ctx, event): ...")
    assert "decide_price: firstresult and historic are not offered" in only_reason(folder)


class EventSpec:
    @hookspec
    async def on_resync(self, ctx: object, event: object) -> None: ...


class Raises:
    @hookimpl
    async def on_resync(self) -> None:
        raise ValueError("inside")


class Wraps:
    caught = False

    @hookimpl(wrapper=True)
    def on_resync(self) -> Any:
        try:
            return (yield)
        except ValueError:
            self.caught = True
            return []


async def test_t2_a_wrapper_never_sees_the_error() -> None:
    wraps = Wraps()
    (coroutine,) = bare(EventSpec, Raises(), wraps).hook.on_resync(ctx=None, event=None)
    with pytest.raises(ValueError, match="inside"):
        await coroutine
    assert not wraps.caught


@pytest.mark.parametrize("option", ["wrapper", "hookwrapper"])
@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("hook", ["on_resync", "register_jobs", "collect_member_data"])
def test_t2_wrappers_are_refused(folder: PluginFolder, option: str, kind: str, hook: str) -> None:
    folder.write("odd", f"@hookimpl({option}=True)\n{kind} {hook}():\n    yield")
    folder.write("sound")
    manager = load(folder)
    assert list(manager.loaded) == ["sound"]
    assert [(each.name, each.hook) for each in manager.quarantined] == [("odd", hook)]
    assert any("wrapper" in each.reason for each in manager.problems["odd"])


async def test_t3_one_that_raises_costs_nobody_else_a_result(folder: PluginFolder) -> None:
    for name in ("first", "last"):
        folder.write(name, "done = []\n@hookimpl\nasync def on_resync(ctx):\n    done.append(ctx)")
    folder.write("odd", "@hookimpl\nasync def on_resync(ctx):\n    raise RuntimeError('mine alone')")
    folder.write("asks", "@hookimpl\ndef register_jobs():\n    raise RuntimeError('at load')")
    manager = load(folder)
    assert list(manager.loaded) == ["first", "last", "odd"]
    dispatcher = dispatcher_of(manager)
    dispatcher.set_plugins(GUILD, frozenset(manager.loaded))
    with warnings.catch_warnings():
        # A coroutine that is dropped would say so here.
        warnings.simplefilter("error")
        dispatcher.deliver(GUILD, "on_resync", None)
        await dispatcher.close()
        gc.collect()
    assert folder.module("first").done == [f"first@{GUILD}"]
    assert folder.module("last").done == [f"last@{GUILD}"]
    assert dispatcher.failed == {("odd", "on_resync"): 1}


class Counts:
    def __init__(self) -> None:
        self.calls = 0

    @hookimpl
    def on_resync(self) -> None:
        self.calls += 1


class SyncSpec:
    @hookspec
    def on_resync(self, ctx: object, event: object) -> None: ...


def test_t4_pluggy_calls_a_disabled_plugin_that_registers_later() -> None:
    early, late = Counts(), Counts()
    manager = bare(SyncSpec, early)
    cached = manager.subset_hook_caller("on_resync", remove_plugins=[late])
    manager.register(late)
    cached(ctx=None, event=None)
    assert late.calls == 1, "the set of those that are off was cut to what was registered at that time"


HEARS = "done = []\n@hookimpl\nasync def on_resync(ctx):\n    done.append(ctx)"


async def delivered(folder: PluginFolder, manager: PluginManager, on: set[str]) -> dict[str, list[Any]]:
    dispatcher = dispatcher_of(manager)
    dispatcher.set_plugins(GUILD, frozenset(on))
    dispatcher.deliver(GUILD, "on_resync", None)
    await dispatcher.close()
    return {name: folder.module(name).done for name in folder.names}


async def test_t4_what_is_on_is_a_set_of_names_looked_up_at_once(folder: PluginFolder) -> None:
    folder.write("heard", HEARS)
    folder.write("off", HEARS)
    # A name that is on and not loaded is nobody; one that is loaded and not on is not called.
    found = await delivered(folder, load(folder), {"heard", "comes_later"})
    assert found == {"heard": [f"heard@{GUILD}"], "off": []}


async def test_t4b_a_plugin_that_was_loaded_again_is_on_or_off_by_its_name(folder: PluginFolder) -> None:
    folder.write("off", HEARS)
    load(folder)
    old = folder.module("off")
    folder.forget()
    manager = load(folder)
    assert folder.module("off") is not old
    assert await delivered(folder, manager, set()) == {"off": []}
    assert old.done == []


async def test_t5_another_name_for_the_function_changes_nothing(folder: PluginFolder) -> None:
    code = "done = []\n@hookimpl(specname='on_resync')\nasync def listen(ctx):\n    done.append(ctx)"
    folder.write("heard", code)
    folder.write("off", code)
    manager = load(folder)
    assert await delivered(folder, manager, {"heard"}) == {"heard": [f"heard@{GUILD}"], "off": []}


class DefaultSpec:
    @hookspec
    def on_resync(self, ctx: object = "of the specification") -> None: ...


class DefaultImpl:
    got: object = None

    @hookimpl
    def on_resync(self, ctx: object = "my own") -> None:
        self.got = ctx


def test_t10_a_default_of_the_specification_wins_in_pluggy() -> None:
    plugin = DefaultImpl()
    bare(DefaultSpec, plugin).hook.on_resync()
    assert plugin.got != "my own"


def test_t10_specifications_have_no_defaults(folder: PluginFolder) -> None:
    specs(folder, "@hookspec\nasync def on_crew_left(ctx, event=None): ...")
    assert "on_crew_left: a specification has no defaults; take them out" in only_reason(folder)


async def test_t10_an_implementation_s_default_does_not_hide_the_event(folder: PluginFolder) -> None:
    folder.write("odd", "done = []\n@hookimpl\nasync def on_resync(ctx, event=None):\n    done.append(event)")
    manager = load(folder)
    dispatcher = dispatcher_of(manager)
    dispatcher.set_plugins(GUILD, frozenset({"odd"}))
    dispatcher.deliver(GUILD, "on_resync", "the event")
    await dispatcher.close()
    assert folder.module("odd").done == ["the event"]


async def test_t12_nothing_of_a_plugin_that_fails_half_way_is_called(folder: PluginFolder) -> None:
    folder.write("sound", HEARS)
    folder.write("odd", f"{HEARS}\n@hookimpl\ndef register_jobs(what): ...")
    folder.write("late", f"{HEARS}\n@hookimpl\ndef register_jobs():\n    raise ValueError")
    manager = load(folder)
    assert list(manager.loaded) == ["sound"]
    assert manager.implementers("on_resync") == ["sound"]
    found = await delivered(folder, manager, {"sound", "odd", "late"})
    assert found == {"sound": [f"sound@{GUILD}"], "odd": [], "late": []}


def test_t12_its_specifications_leave_with_it(folder: PluginFolder) -> None:
    specs(folder, "@hookspec\nasync def on_crew_left(ctx, event): ...")
    with (folder.path / "asker" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("\n@hookimpl\ndef register_jobs():\n    raise ValueError('late')")
    folder.write("needs", "@hookimpl\nasync def on_crew_left(): ...", requires=["asker"])
    folder.write("hopes", "@hookimpl\nasync def on_crew_left(): ...", after=["asker"])
    folder.write("asks", "@hookimpl(optionalhook=True)\nasync def on_crew_left(): ...", after=["asker"])
    manager = load(folder)
    assert list(manager.loaded) == ["asks"]
    assert "on_crew_left" not in manager.hooks
    assert {each.name: str(each) for each in manager.quarantined} == {
        "asker": "asker: register_jobs: ValueError: late",
        "needs": "needs: it requires asker, which is not loaded",
        "hopes": "hopes: on_crew_left: this hook belongs to asker, which is not loaded",
    }


def test_t12_a_plugin_that_falls_later_takes_its_specifications_too(folder: PluginFolder) -> None:
    specs(folder, "@hookspec\nasync def on_crew_left(ctx, event): ...")
    folder.write("needs", "@hookimpl\nasync def on_crew_left(): ...", requires=["asker"])
    manager = load(folder)
    assert manager.implementers("on_crew_left") == ["needs"]
    manager.quarantine("asker", "register_schema", "its migrations failed")
    assert "on_crew_left" not in manager.hooks
    assert list(manager.loaded) == []


def test_t14_looking_at_a_plugin_runs_nothing_of_it(folder: PluginFolder) -> None:
    folder.write(
        "curious",
        """
        from redlegion.database import fn

        class Loud:
            def __getattr__(self, name):
                raise AssertionError(f"{name} was looked at")

            @property
            def on_resync(self):
                raise AssertionError("a property was run")

        loud = Loud()

        @hookimpl
        async def on_resync(): ...
        """,
    )
    manager = load(folder)
    assert manager.quarantined == []
    assert list(manager.loaded["curious"].targets) == ["on_resync"]


class Keyword:
    @hookimpl
    def on_resync(self, *, ctx: object) -> None: ...


def test_t15_pluggy_never_passes_a_keyword_only_argument() -> None:
    with pytest.raises(TypeError, match="ctx"):
        bare(SyncSpec, Keyword()).hook.on_resync(ctx=1, event=2)


@pytest.mark.parametrize("arguments", ["*, ctx", "*ctx", "**ctx"])
def test_t15_it_is_refused(folder: PluginFolder, arguments: str) -> None:
    folder.write("odd", f"@hookimpl\nasync def on_resync({arguments}): ...")
    assert "on_resync: the parameter 'ctx' must be a plain positional one" in only_reason(folder)


async def test_asked_hooks_go_by_loading_then_tryfirst_and_trylast(folder: PluginFolder) -> None:
    specs(folder, "@hookspec\nasync def collect_names(ctx, event): ...")
    for name, option in (("one", "trylast=True"), ("two", ""), ("three", "tryfirst=True"), ("four", "")):
        code = f"@hookimpl({option})\nasync def collect_names():\n    return '{name}'"
        folder.write(name, code, requires=["asker"])
    manager = load(folder)
    assert manager.implementers("collect_names") == ["three", "two", "four", "one"]
    dispatcher = dispatcher_of(manager)
    dispatcher.set_plugins(GUILD, frozenset(manager.loaded))
    async with asyncio.timeout(60):
        answers = await dispatcher.collect(GUILD, "collect_names", None)
    assert [plugin for plugin, _answer in answers] == ["three", "two", "four", "one"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("@hookspec\ndef decide_x(ctx, event): ...", "are declared `async def`, register_* hooks plain"),
        ("@hookspec\nasync def register_x(): ...", "are declared `async def`, register_* hooks plain"),
        (
            "@hookspec\nasync def filter_x(ctx, event): ...",
            "filter_* hooks take ctx, value, event, not ctx, event",
        ),
        ("@hookspec\ndef register_x(ctx): ...", "register_* hooks take nothing, not ctx"),
        ("@hookspec\nasync def on_x(event): ...", "on_* hooks take ctx or ctx, event, not event"),
        ("@hookspec\nasync def on_resync(ctx, event): ...", "on_resync: this hook belongs to core already"),
        ("x = 1", "register_hookspecs: it must return a module with @hookspec functions"),
    ],
)
def test_specifications_that_could_not_be_served(folder: PluginFolder, spec: str, words: str) -> None:
    specs(folder, spec)
    folder.write("sound")
    manager = load(folder)
    assert list(manager.loaded) == ["sound"]
    assert words in str(manager.quarantined[0])


def test_two_owners_of_one_hook_are_both_named(folder: PluginFolder) -> None:
    specs(folder, "@hookspec\nasync def on_crew_left(ctx, event): ...")
    second = "class S:\n    @hookspec\n    async def on_crew_left(ctx, event): ...\n"
    folder.write("second", f"{second}@hookimpl\ndef register_hookspecs():\n    return S", after=["asker"])
    manager = load(folder)
    assert list(manager.loaded) == ["asker"]
    assert "on_crew_left: this hook belongs to asker already" in str(manager.quarantined[0])
    assert manager.hooks["on_crew_left"] == "asker"
