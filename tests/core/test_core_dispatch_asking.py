"""Hooks whose answers are awaited, and deliveries whose end is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import pytest
from support.plugin_folder import PluginFolder

from core import tasks
from core.context import Context
from core.dispatch import DeliveryDropped, Dispatcher, HookFailed, UnknownHook, limits
from core.i18n import current_locale, use_locale
from core.plugins import PluginManager
from core.scope import Scope, current

SPECS = """
from redlegion import hookspec

@hookspec
async def decide_price(ctx, event): ...
@hookspec
async def filter_slips(ctx, value, event): ...
@hookspec
async def collect_notes(ctx, event): ...
@hookspec
async def on_shift_over(ctx, event): ...
"""
OFFERING = """
from crews import hookspecs

@hookimpl
def register_hookspecs():
    return hookspecs
"""
ANSWERING = """
DOING = None

@hookimpl
async def decide_price(ctx, event):
    return await DOING("{name}", event, None)

@hookimpl
async def filter_slips(ctx, value, event):
    return await DOING("{name}", event, value)

@hookimpl
async def collect_notes(ctx, event):
    return await DOING("{name}", event, None)

@hookimpl
async def on_shift_over(ctx, event):
    return await DOING("{name}", event, None)
"""

Doing = Callable[[str, Any, Any], Any]
Maker = Callable[[Doing], Dispatcher]


@pytest.fixture
def made(folder: PluginFolder) -> Maker:
    folder.write("crews", OFFERING)
    (folder.path / "crews" / "hookspecs.py").write_text(SPECS, encoding="utf-8")
    for name in ("alpha", "bravo", "charlie"):
        folder.write(name, ANSWERING.format(name=name), requires=["crews"])
    manager = PluginManager(folder.names, [folder.path])
    assert set(manager.loaded) == {"crews", "alpha", "bravo", "charlie"}

    def make(doing: Doing) -> Dispatcher:
        for name in ("alpha", "bravo", "charlie"):
            manager.loaded[name].module.DOING = doing  # type: ignore[attr-defined]
        made = Dispatcher(manager, lambda plugin, guild: Context(cast(Any, None), plugin, guild))
        made.set_plugins(1, frozenset(manager.loaded))
        made.set_plugins(2, frozenset({"crews", "bravo"}))
        return made

    return make


async def test_the_first_answer_decides_and_nobody_else_is_asked(made: Maker) -> None:
    asked: list[str] = []

    async def doing(plugin: str, event: Any, value: Any) -> Any:
        asked.append(plugin)
        await asyncio.sleep(0)
        return {"alpha": None, "bravo": 0, "charlie": 7}[plugin]

    dispatcher = made(doing)
    assert await dispatcher.decide(1, "decide_price", "ore") == 0, "0 is an answer"
    assert asked == ["alpha", "bravo"]
    assert await dispatcher.decide(3, "decide_price", "ore") is None
    assert await dispatcher.collect(1, "collect_notes") == [("bravo", 0), ("charlie", 7)]
    assert await dispatcher.collect(2, "collect_notes") == [("bravo", 0)], "only those that are on"


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
async def test_one_that_fails_is_logged_and_left_out(
    made: Maker, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    async def doing(plugin: str, event: Any, value: Any) -> Any:
        if plugin == "alpha":
            raise error
        return plugin

    dispatcher = made(doing)
    assert await dispatcher.decide(1, "decide_price") == "bravo"
    assert await dispatcher.collect(1, "collect_notes") == [("bravo", "bravo"), ("charlie", "charlie")]
    assert "alpha.decide_price failed" in caplog.text
    assert "alpha.collect_notes failed" in caplog.text
    assert dispatcher.failed == {("alpha", "decide_price"): 1, ("alpha", "collect_notes"): 1}
    assert dispatcher.breakers() == [], "asking neither opens a breaker nor heeds one"


async def test_a_value_is_passed_on_and_a_failure_says_whose_it_is(made: Maker) -> None:
    fault: Any = None

    async def doing(plugin: str, event: Any, value: Any) -> Any:
        if plugin == "bravo" and fault is not None:
            return fault()
        return [*value, plugin]

    def raising() -> Any:
        raise ZeroDivisionError("crew of none")

    dispatcher = made(doing)
    assert await dispatcher.filter(1, "filter_slips", []) == ["alpha", "bravo", "charlie"]
    assert await dispatcher.filter(3, "filter_slips", ["as it is"]) == ["as it is"]
    fault = raising
    with pytest.raises(HookFailed, match=r"bravo\.filter_slips failed: ZeroDivisionError: crew") as failed:
        await dispatcher.filter(1, "filter_slips", [])
    assert (failed.value.plugin, failed.value.hook) == ("bravo", "filter_slips")
    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    fault = list[Any]().clear
    with pytest.raises(HookFailed, match="it returned nothing instead of the value"):
        await dispatcher.filter(1, "filter_slips", [])


async def test_one_that_hangs_costs_the_deadline_and_no_more(
    made: Maker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "DEADLINE", 0.05)
    monkeypatch.setattr(tasks, "CANCEL_GRACE", 0.05)
    go = asyncio.Event()

    async def doing(plugin: str, event: Any, value: Any) -> Any:
        while plugin == "alpha" and not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                if event != "deaf":
                    raise
        return plugin

    dispatcher = made(doing)
    try:
        for event in ("hangs", "deaf"):
            assert await asyncio.wait_for(dispatcher.decide(1, "decide_price", event), 60) == "bravo"
            with pytest.raises(TimeoutError):
                await dispatcher.ask("alpha", 1, "decide_price", event)
            with pytest.raises(HookFailed, match=r"alpha\.filter_slips failed: TimeoutError"):
                await dispatcher.filter(1, "filter_slips", 1, event)
        assert [(one.plugin, one.hook) for one in dispatcher.hung()] == [
            ("alpha", "decide_price"),
            ("alpha", "decide_price"),
            ("alpha", "filter_slips"),
        ]
        assert "alpha.decide_price took longer than 0.05 s" in caplog.text
    finally:
        go.set()
    async with asyncio.timeout(60):
        # The deaf ones end by themselves, and nobody is told.
        while dispatcher.hung():  # noqa: ASYNC110
            await asyncio.sleep(0)
    figure = next(one for one in dispatcher.figures() if (one.plugin, one.hook) == ("alpha", "decide_price"))
    assert (figure.delivered, figure.failed, figure.timed_out) == (0, 4, 4)
    assert figure.longest >= figure.p99 >= figure.p50 >= 0.05


async def test_one_plugin_is_asked_on_or_not_and_raises_what_it_raises(made: Maker) -> None:
    async def doing(plugin: str, event: Any, value: Any) -> Any:
        if event == "bad":
            raise LookupError("no such member")
        return (plugin, event)

    dispatcher = made(doing)
    assert await dispatcher.ask("alpha", 99, "collect_notes", "x") == ("alpha", "x")
    assert await dispatcher.ask("crews", 99, "collect_notes", "x") is None
    assert await dispatcher.ask("no_such_plugin", 99, "collect_notes", "x") is None
    with pytest.raises(LookupError, match="no such member"):
        await dispatcher.ask("alpha", 99, "collect_notes", "bad")


async def test_whoever_waits_for_a_delivery_learns_its_end_in_its_turn(
    made: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[Any] = []
    seen: list[Any] = []

    async def doing(plugin: str, event: Any, value: Any) -> Any:
        await asyncio.sleep(0)
        order.append(event)
        seen.append(current.get())
        if event == "bad":
            raise LookupError("no such shift")
        if event == "hangs":
            await asyncio.Event().wait()

    dispatcher = made(doing)
    dispatcher.deliver_to("alpha", 1, "on_shift_over", "before")
    await dispatcher.deliver_and_wait("alpha", 1, "on_shift_over", "mine", delivery=47)
    assert order == ["before", "mine"]
    assert seen == [
        Scope("alpha", 1, "on_shift_over"),
        Scope("alpha", 1, "on_shift_over", delivery=47),
    ]
    with pytest.raises(LookupError, match="no such shift"):
        await dispatcher.deliver_and_wait("alpha", 1, "on_shift_over", "bad")
    monkeypatch.setattr(limits, "DEADLINE", 0.05)
    with pytest.raises(TimeoutError):
        await dispatcher.deliver_and_wait("alpha", 1, "on_shift_over", "hangs")
    await dispatcher.deliver_and_wait("crews", 1, "on_shift_over", "nobody listens")
    assert order == ["before", "mine", "bad", "hangs"]

    monkeypatch.setattr(limits, "DEADLINE", 5)
    first = asyncio.ensure_future(dispatcher.deliver_and_wait("alpha", 1, "on_shift_over", "hangs"))
    second = asyncio.ensure_future(dispatcher.deliver_and_wait("alpha", 1, "on_shift_over", "late"))
    await asyncio.sleep(0)
    await dispatcher.drain("alpha", 1, within=0.01)
    for waiting in (first, second):
        with pytest.raises(DeliveryDropped):
            await waiting
    assert order[-1] == "hangs", "what is dropped never begins"


async def test_nonsense_from_a_listener_is_named_once_and_harmless(
    made: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    async def doing(plugin: str, event: Any, value: Any) -> Any:
        return {"rows": 3} if plugin == "alpha" else None

    dispatcher = made(doing)
    for _ in range(7):
        await dispatcher.deliver_and_wait("alpha", 1, "on_shift_over")
        await dispatcher.deliver_and_wait("bravo", 1, "on_shift_over")
    said = [record.getMessage() for record in caplog.records]
    assert said == ["alpha.on_shift_over returned dict; an on_* hook returns nothing, so it is thrown away"]
    assert {(one.plugin, one.outcome) for one in dispatcher.trace()} == {
        ("alpha", "nonsense"),
        ("bravo", "done"),
    }
    assert dispatcher.failed == {}


@pytest.mark.parametrize(
    "hook", ["on_shift_ovr", "decide_price", "register_commands", "on_startup", "filter_slips"]
)
async def test_only_hooks_that_exist_are_emitted(made: Maker, hook: str) -> None:
    async def doing(plugin: str, event: Any, value: Any) -> Any:
        raise AssertionError

    dispatcher = made(doing)
    # Said whether or not anybody would hear it: a misspelt name must not wait for the first listener.
    for guild_id in (1, 99):
        with pytest.raises(UnknownHook, match=hook):
            dispatcher.deliver(guild_id, hook)
    for asking in (dispatcher.decide(1, "collect_notes"), dispatcher.collect(1, "on_resync")):
        with pytest.raises(UnknownHook, match="of another family"):
            await asking
    with pytest.raises(UnknownHook, match="there is no hook of this name"):
        await dispatcher.filter(99, "filter_slops", 1)


async def test_the_answer_is_in_the_language_of_whoever_asks(made: Maker) -> None:
    seen: list[tuple[str, Scope | None]] = []

    async def doing(plugin: str, event: Any, value: Any) -> Any:
        seen.append((current_locale(), current.get()))

    dispatcher = made(doing)
    with use_locale("de"):
        await dispatcher.decide(2, "decide_price")
    assert seen == [("de", Scope("bravo", 2, "decide_price"))]
    assert (current_locale(), current.get()) == ("en", None)


async def test_the_trace_forgets_and_is_logged_when_asked(
    made: Maker, folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    async def doing(plugin: str, event: Any, value: Any) -> Any:
        return None

    dispatcher = made(doing)
    for number in range(limits.TRACE_LENGTH + 5):
        dispatcher.deliver_to("alpha", number, "on_shift_over")
    await dispatcher.close()
    kept = dispatcher.trace()
    assert [one.guild_id for one in kept] == list(range(5, limits.TRACE_LENGTH + 5))
    assert all(one.waited >= 0 and one.ran >= 0 and one.at.tzinfo is not None for one in kept)
    assert caplog.text == ""

    manager = PluginManager(folder.names, [folder.path])
    logged = Dispatcher(
        manager, lambda plugin, guild: Context(cast(Any, None), plugin, guild), trace_hooks=True
    )
    manager.loaded["alpha"].module.DOING = doing  # type: ignore[attr-defined]
    try:
        await logged.deliver_and_wait("alpha", 4, "on_shift_over")
    finally:
        logging.getLogger("core.dispatch.trace").setLevel(logging.NOTSET)
    assert "alpha.on_shift_over in guild 4: waited" in caplog.text
