"""Commands, buttons and modals behind the guard; whatever goes wrong is answered, in the member's words."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from support.plugin_folder import PluginFolder
from support.waiting import until

from sandbox.server import Outcome, Person
from sandbox.stage import Stage

PROBE = """
HEARD = []
GO = asyncio.Event()

probe = app_commands.Group(name="probe", description="x", guild_only=True)

async def fail(interaction, way):
    if way == "user":
        raise UserError("That rock is too hard.", "Take a bigger laser.")
    if way == "long":
        raise UserError("rock" * 700, "")
    if way == "bug":
        raise KeyError("a secret of ours")
    if way == "exit":
        raise SystemExit(1)

@probe.command(name="say", description="x")
@requires("member")
async def say(interaction: discord.Interaction, way: str, defer: bool = False, modal: bool = False) -> None:
    if defer:
        await interaction.response.defer()
    if modal:
        window = discord.ui.Modal(title="Ore", custom_id=custom_id("probe", "entered", way))
        window.add_item(discord.ui.TextInput(label="How much", custom_id="amount"))
        await interaction.response.send_modal(shown(window))
        return
    await fail(interaction, way)
    view = discord.ui.View(timeout=None)
    for action in ("press", "steer", "gone", "quiet", "hang"):
        view.add_item(discord.ui.Button(label=action, custom_id=custom_id("probe", action, way)))
    view.add_item(discord.ui.Button(label="Core", custom_id="core:steal:1"))
    view.add_item(discord.ui.Button(label="Odd", custom_id="odd"))
    await reply(interaction, f"said {way}", view=shown(view))

@say.autocomplete("way")
async def ways(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    await fail(interaction, current)
    return [app_commands.Choice(name=current.upper() or "any", value=current or "any")]

@probe.command(name="steer", description="x")
@requires("officer")
async def steer(interaction: discord.Interaction, way: str) -> None:
    await reply(interaction, "steered")

@steer.autocomplete("way")
async def steer_ways(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name="secret", value="secret")]

@probe.command(name="wait", description="x")
@requires("member")
async def wait(interaction: discord.Interaction) -> None:
    await interaction.response.defer()
    HEARD.append("waiting")
    await GO.wait()
    await reply(interaction, "waited")

@probe.command(name="mute", description="x")
@requires("member")
async def mute(interaction: discord.Interaction) -> None:
    pass

@probe.command(name="slow", description="x")
@requires("member")
async def slow(interaction: discord.Interaction, wait: bool, way: str = "gold") -> None:
    async with deferred_if_slow(interaction, after=0.01 if wait else 60):
        while wait and not interaction.response.is_done():
            await asyncio.sleep(0.001)
        await fail(interaction, way)
    await reply(interaction, "here you are")

async def hang(interaction, ctx, key):
    await interaction.response.defer(ephemeral=True, thinking=True)
    await GO.wait()

async def quiet(interaction, ctx, key):
    HEARD.append("quiet")

async def press(interaction, ctx, key):
    HEARD.append(("press", ctx.plugin, ctx.guild_id, key))
    await interaction.response.defer(ephemeral=True, thinking=key == "user")
    await fail(interaction, key)
    await reply(interaction, "pressed " + key, ephemeral=True)

async def steered(interaction, ctx, key):
    await reply(interaction, "steered " + key)

async def entered(interaction, ctx, key):
    await fail(interaction, key)
    await reply(interaction, f"entered {modal_values(interaction)['amount']} of {key}")

@hookimpl
def register_commands():
    return [probe]

@hookimpl
def register_components():
    return [
        Component("press", press, "member"), Component("steer", steered, "officer"),
        Component("hang", hang, "member"), Component("entered", entered, "member"),
        Component("quiet", quiet, "member"),
    ]
"""


@pytest.fixture
async def stage(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("probe", PROBE)
    async with on_stage(lite, folder.selection("probe")) as opened:
        yield opened


def private(message: dict[str, Any] | None) -> str:
    assert message is not None
    assert message["flags"] & 64, "only the member who asked reads this"
    return str(message["content"])


async def say(stage: Stage, way: str, person: Person | None = None, **options: Any) -> Outcome:
    return await stage.slash(person or stage.scene.members[0], "probe say", {"way": way, **options})


async def click(stage: Stage, person: Person, message: dict[str, Any] | None, custom_id: str) -> Outcome:
    assert message is not None
    outcome = await person.click(message["id"], custom_id)
    await stage.settle()
    return outcome


def reference_in(text: str) -> str:
    found = re.search(r"give your admin the reference ([0-9A-F]{6})\.", text)
    assert found is not None, text
    return found[1]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


USER_WORDS = "That rock is too hard. Take a bigger laser."


async def test_a_user_error_is_told_in_its_words(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    assert private((await say(stage, "user")).message) == USER_WORDS
    deferred = await say(stage, "user", defer=True)
    assert deferred.kind == "deferred"
    assert (await deferred.final())["content"] == USER_WORDS
    opened = await say(stage, "user", modal=True)
    assert opened.interaction_id is not None
    sent = await stage.scene.members[0].submit(opened.interaction_id, {"amount": "7"})
    assert private(sent.message) == USER_WORDS
    assert logged(caplog) == []


@pytest.mark.parametrize("way", ["bug", "exit"])
async def test_a_bug_gets_a_number_that_is_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    quartz = stage.scene.members[0]
    texts = [private((await say(stage, way)).message)]
    texts.append((await (await say(stage, way, defer=True)).final())["content"])
    opened = await say(stage, way, modal=True)
    assert opened.interaction_id is not None
    texts.append(private((await quartz.submit(opened.interaction_id, {"amount": "7"})).message))
    await stage.settle()
    assert logged(caplog) == [f"interaction failed, reference {reference_in(text)}" for text in texts]
    assert not any("secret" in text for text in texts)
    assert (await say(stage, "gold")).message is not None, "the bot goes on"


async def test_buttons_reach_their_handler(stage: Stage, folder: PluginFolder) -> None:
    quartz, beryl = stage.scene.members[:2]
    message = (await say(stage, "gold")).message
    pressed = await click(stage, quartz, message, "probe:press:gold")
    assert private(await pressed.final()) == "pressed gold"
    assert [("press", "probe", stage.scene.guild.id, "gold")] == folder.module("probe").HEARD
    refused = await click(stage, beryl, message, "probe:steer:gold")
    assert private(refused.message).startswith("This needs the rank officer; yours is member.")
    steered = await click(stage, stage.scene.officer, message, "probe:steer:gold")
    assert steered.message is not None
    assert steered.message["content"] == "steered gold"


async def test_a_custom_id_that_nobody_knows(stage: Stage) -> None:
    message = (await say(stage, "gold")).message
    for custom_id in ("probe:gone:gold", "core:steal:1", "odd"):
        outcome = await click(stage, stage.scene.owner, message, custom_id)
        assert private(outcome.message) == (
            "This message is from an older version of me and no longer works. "
            "Run the command again to get a fresh one."
        )


async def test_everything_still_works_after_a_restart(stage: Stage) -> None:
    quartz = stage.scene.members[0]
    message = (await say(stage, "gold")).message
    opened = await say(stage, "ore", modal=True)
    assert opened.interaction_id is not None
    await stage.kill_bot()
    await stage.start_bot()
    pressed = await click(stage, quartz, message, "probe:press:gold")
    assert private(await pressed.final()) == "pressed gold"
    sent = await quartz.submit(opened.interaction_id, {"amount": "7"})
    assert sent.message is not None
    assert sent.message["content"] == "entered 7 of ore"


async def test_what_is_off_is_refused(stage: Stage) -> None:
    quartz = stage.scene.members[0]
    message = (await say(stage, "gold")).message
    opened = await say(stage, "ore", modal=True)
    assert opened.interaction_id is not None
    await stage.slash(stage.scene.owner, "plugins disable", {"plugin": "probe"})
    words = "Probe is switched off in this server. An admin can switch it on with /plugins enable."
    assert private((await click(stage, quartz, message, "probe:press:gold")).message) == words
    assert private((await quartz.submit(opened.interaction_id, {"amount": "7"})).message) == words
    stale = await quartz.slash("probe say", stage.scene.text, {"way": "x"}, stale=True)
    assert private(stale.message) == words


async def test_autocomplete_is_refused_without_a_word(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    quartz, text = stage.scene.members[0], stage.scene.text

    async def type_in(person: Person, command: str, way: str) -> Any:
        typed = await person.autocomplete(command, text, {"way": way}, focused="way")
        assert typed.kind == "choices"
        return typed.choices

    assert await type_in(quartz, "probe say", "ore") == [{"name": "ORE", "value": "ore"}]
    assert await type_in(quartz, "probe steer", "ore") == []
    assert await type_in(stage.scene.officer, "probe steer", "ore") == [{"name": "secret", "value": "secret"}]
    for way in ("user", "bug", "exit"):
        assert await type_in(quartz, "probe say", way) == []
    assert await type_in(quartz, "probe say", "ore") == [{"name": "ORE", "value": "ore"}]
    assert logged(caplog)


async def test_a_direct_message_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = stage.world.hub
    there = hub.dispatch

    def elsewhere(event: str, body: dict[str, Any], **more: Any) -> None:
        if event == "INTERACTION_CREATE":
            body = {
                key: value for key, value in body.items() if key not in ("guild_id", "guild", "guild_locale")
            }
            body["user"] = body.pop("member")["user"]
            body["context"] = 1
        there(event, body, **more)

    message = (await say(stage, "gold")).message
    monkeypatch.setattr(hub, "dispatch", elsewhere)
    words = "This works only in a server. Use it in one of its channels."
    assert private((await say(stage, "gold")).message) == words
    quartz = stage.scene.members[0]
    assert private((await click(stage, quartz, message, "probe:press:gold")).message) == words
    typed = await quartz.autocomplete("probe say", stage.scene.text, {"way": "a"}, focused="way")
    assert typed.choices == []


async def test_an_answer_that_discord_does_not_take(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = stage.world.interactions.create

    def late(*args: Any, **more: Any) -> Any:
        one = created(*args, **more)
        one.created -= timedelta(seconds=5)
        return one

    monkeypatch.setattr(stage.world.interactions, "create", late)
    monkeypatch.setattr(stage.world, "interaction_wait", 0.2)
    message_before = stage.world.messages(stage.scene.text.id)
    for way in ("user", "bug", "gold"):
        assert (await say(stage, way)).kind == "none"
    refused = await stage.slash(stage.scene.members[0], "probe steer", {"way": "x"})
    assert refused.kind == "none"
    monkeypatch.undo()
    assert stage.world.messages(stage.scene.text.id) == message_before
    assert sum("not taken by Discord" in r.getMessage() for r in caplog.records) == 4
    assert not any("never retrieved" in r.getMessage() or r.getMessage() == "failed" for r in caplog.records)
    assert (await say(stage, "gold")).kind == "message", "the bot goes on"


async def test_no_answer_is_not_left_to_discord(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    quartz = stage.scene.members[0]
    message = (await say(stage, "gold")).message
    hushed = await click(stage, quartz, message, "probe:quiet:gold")
    assert hushed.kind == "deferred"
    assert logged(caplog) == []
    text = private((await stage.slash(quartz, "probe mute")).message)
    assert logged(caplog) == [f"interaction failed, reference {reference_in(text)}"]
    assert "/probe mute ended without an answer" in caplog.text


async def test_only_what_takes_long_is_deferred(stage: Stage) -> None:
    quartz = stage.scene.members[0]
    fast = await stage.slash(quartz, "probe slow", {"wait": False})
    assert fast.message is not None
    assert (fast.kind, fast.message["content"]) == ("message", "here you are")
    refused = await stage.slash(quartz, "probe slow", {"wait": False, "way": "user"})
    assert private(refused.message) == USER_WORDS
    for way, words in (("gold", "here you are"), ("user", USER_WORDS)):
        slow = await stage.slash(quartz, "probe slow", {"wait": True, "way": way})
        assert slow.kind == "deferred"
        assert (await slow.final())["content"] == words


async def test_an_orderly_stop_lets_a_command_answer(stage: Stage, folder: PluginFolder) -> None:
    quartz = stage.scene.members[0]
    probe = folder.module("probe")
    outcome = await quartz.slash("probe wait", stage.scene.text)
    assert outcome.kind == "deferred"
    runtime = stage.runtime
    stopping = asyncio.create_task(stage.stop_bot())
    await until(lambda: runtime.closing)
    late = await quartz.slash("probe say", stage.scene.text, {"way": "gold"})
    assert private(late.message) == "I am being restarted. Try again in a minute."
    probe.GO.set()
    await stopping
    assert (await outcome.final())["content"] == "waited"
    probe.GO.clear()


async def test_a_command_that_outlasts_the_stop_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.stopping.WORK_BY", 0.6)
    message = (await say(stage, "gold")).message
    assert message is not None
    quartz = stage.scene.members[0]
    waiting = await quartz.slash("probe wait", stage.scene.text)
    hanging = await quartz.click(message["id"], "probe:hang:gold")
    await stage.stop_bot()
    for outcome in (waiting, hanging):
        assert (await outcome.final())["content"] == "I am being restarted. Try again in a minute."


async def test_an_error_longer_than_a_message_is_cut(stage: Stage) -> None:
    text = private((await say(stage, "long")).message)
    assert len(text) == 2_000
    assert text.endswith("roc…")


async def test_an_interaction_before_the_guild_is_open_waits(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = stage.runtime.opener
    opener._open.remove(stage.scene.guild.id)
    asking = asyncio.create_task(stage.scene.members[0].slash("probe say", stage.scene.text, {"way": "gold"}))
    await until(lambda: stage.scene.guild.id in opener._awaited)
    assert not asking.done()
    opener._opened(stage.scene.guild.id)
    assert (await asking).kind == "message"
    wait = opener.wait
    monkeypatch.setattr(opener, "wait", lambda guild_id, within: wait(guild_id, 0.01))
    opener._open.clear()
    words = private((await say(stage, "gold")).message)
    assert words == "I have just started and am still getting ready. Try again in a moment."
    opener._opened(stage.scene.guild.id)
