"""What members touch of a bad plugin, and what is broken before it starts: the sound one works on."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from support.isolation import Play, write_sound
from support.mining import said
from support.plugin_folder import PluginFolder

from core.cli.app import main
from sandbox.server import Outcome
from sandbox.stage import Stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]

SORRY = re.compile(
    r"^Something went wrong on our side, and nothing more was changed\. Please try again; if it happens "
    r"again, give your admin the reference ([0-9A-F]{6})\.$"
)
BAD = """
bad = app_commands.Group(name="bad", description="x", guild_only=True)
RAN = []

async def fail(interaction, way):
    match way:
        case "raise":
            raise RuntimeError("the drill broke")
        case "leave":
            raise SystemExit(3)
        case "long":
            await interaction.response.send_message("x" * 2001)
        case "long reply":
            await reply(interaction, "x" * 6001)
        case "form":
            await interaction.response.send_modal(form("again"))
        case "twice":
            await interaction.response.send_message("one")
            await interaction.response.send_message("two")
        case "silence":
            pass

def form(way):
    modal = discord.ui.Modal(title="x", custom_id="bad:fail:" + way)
    field = discord.ui.TextInput(custom_id="text", required=False)
    modal.add_item(discord.ui.Label(text="x", component=field))
    return modal

@bad.command(name="do", description="x")
@requires("guest")
async def do(interaction: discord.Interaction, way: str) -> None:
    await fail(interaction, way)

@do.autocomplete("way")
async def ways(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    match current:
        case "many":
            return [app_commands.Choice(name=str(n), value=str(n)) for n in range(40)]
        case "nonsense":
            return 7
        case "long":
            return [app_commands.Choice(name="x" * 200, value="x")]
    await fail(interaction, current)
    return []

@bad.command(name="open", description="x")
@requires("guest")
async def open_(interaction: discord.Interaction, way: str) -> None:
    await interaction.response.send_modal(form(way))

@bad.command(name="button", description="x")
@requires("guest")
async def button(interaction: discord.Interaction, way: str) -> None:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="x", custom_id="bad:fail:" + way))
    await reply(interaction, "here", view=shown(view))

@hookimpl
def register_commands():
    return [bad]

@hookimpl
def register_components():
    return [Component("fail", press, "guest")]

async def press(interaction, ctx, key):
    await fail(interaction, key)

async def work(ctx, payload):
    RAN.append(payload)
    raise SystemExit(3)

@hookimpl
def register_jobs():
    return [Job("work", work)]

def book(job_id, guild_id, due):
    enqueue(job_id, plugin="bad", guild_id=guild_id, name="work", key="one", payload={}, due=due)
"""


@pytest.fixture
async def play(folder: PluginFolder, on_stage: Opener, lite: str) -> AsyncIterator[Play]:
    write_sound(folder)
    folder.write("bad", BAD)
    selection = folder.selection("bad", "sound", load=("bad", "sound"))
    async with on_stage(lite, selection, members=6) as stage:
        made = Play(stage, folder)
        await made.come()
        yield made
        await made.ask()
        await made.go()
        await made.stage.settle()
        await made.check()


def sorry(outcome: Outcome, caplog: pytest.LogCaptureFixture) -> None:
    """See that the member is told a reference, and that the log has it with the plugin's code."""
    told = SORRY.match(said(outcome))
    assert told, said(outcome)
    record = next(each for each in caplog.records if told[1] in each.getMessage())
    assert record.exc_info is not None
    assert record.levelno == logging.ERROR


@pytest.mark.parametrize("way", ["raise", "leave", "long", "long reply", "silence"])
@pytest.mark.parametrize("by", ["command", "button", "form"])
async def test_who_uses_it_is_told_a_reference(
    play: Play, by: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage, member = play.stage, play.stage.scene.members[0]
    if by == "command":
        outcome = await stage.slash(member, "bad do", {"way": way})
    elif by == "button":
        shown = (await stage.slash(member, "bad button", {"way": way})).message
        assert shown is not None
        outcome = await member.click(shown["id"], f"bad:fail:{way}")
        await stage.settle()
    else:
        opened = await stage.slash(member, "bad open", {"way": way})
        assert opened.interaction_id is not None
        outcome = await member.submit(opened.interaction_id, {"text": "x"})
        await stage.settle()
    if way == "silence" and by != "command":
        # A press may mean all that there is to say.
        assert outcome.kind in {"update", "none", "message", "deferred"}
        assert outcome.kind != "none"
        return
    sorry(outcome, caplog)


async def test_a_form_cannot_be_answered_with_a_form(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    stage, member = play.stage, play.stage.scene.members[0]
    opened = await stage.slash(member, "bad open", {"way": "form"})
    assert opened.interaction_id is not None
    outcome = await member.submit(opened.interaction_id, {"text": "x"})
    await stage.settle()
    sorry(outcome, caplog)


async def test_one_that_answers_twice_is_named(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    outcome = await play.stage.slash(play.stage.scene.members[0], "bad do", {"way": "twice"})
    assert SORRY.match((await outcome.final())["content"])
    assert "InteractionResponded" in caplog.text


@pytest.mark.parametrize("way", ["raise", "leave", "many", "nonsense", "long", "twice", "form"])
async def test_choices_that_cannot_be_offered_are_none(
    play: Play, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage, member = play.stage, play.stage.scene.members[0]
    typed = await member.autocomplete("bad do", stage.scene.text, {"way": way}, focused="way")
    await stage.settle()
    assert typed.kind == "choices"
    assert typed.choices == []
    assert any(record.levelno >= logging.ERROR for record in caplog.records)


async def test_a_job_that_leaves_fails_alone(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    stage = play.stage
    module: Any = play.bad
    ctx = stage.runtime.context_for("bad", stage.scene.guild.id)
    await ctx.write(module.book, ctx.ids.next(), ctx.guild_id, ctx.clock.now())
    await stage.advance(6 * 3600)
    assert len(module.RAN) == 6
    [dead] = await stage.runtime.jobs.dead(stage.scene.guild.id)
    assert (dead.plugin, dead.last_error) == ("bad", "SystemExit: 3")
    assert "job bad.work failed, try 1: SystemExit: 3" in caplog.text


NONSENSE = {
    f"n_{hook.removeprefix('register_')}": (hook, f"@hookimpl\ndef {hook}():\n    return {answer}")
    for hook, answer in {
        "register_schema": "'tables'",
        "register_settings": "7",
        "register_commands": "[print]",
        "register_components": "{'a': 1}",
        "register_jobs": "None",
        "register_hookspecs": "'specs'",
        "register_health_checks": "[1]",
        "register_help": "object()",
    }.items()
}
TABLE = """
from pathlib import Path
from redlegion.database import BaseModel

class Row(BaseModel):
    class Meta:
        table_name = "{table}"

@hookimpl
def register_schema():
    return Schema("{name}", [Row], Path(__file__).parent / "migrations")
"""
COMMAND = """
sound = app_commands.Group(name="sound", description="x", guild_only=True)

@sound.command(name="count", description="x")
@requires("guest")
async def count(interaction: discord.Interaction) -> None:
    await reply(interaction, "mine")

@hookimpl
def register_commands():
    return [sound]
"""
OVERLAP = """
async def go(interaction, ctx, key): ...

@hookimpl
def register_components():
    return [Component("go", go, "guest"), Component("go", go, "admin")]
"""
BROKEN: dict[str, tuple[str | None, str]] = {
    **NONSENSE,
    "leaves": (None, "raise SystemExit(3)"),
    "raises": (None, "raise RuntimeError('no')"),
    "clashes": ("register_commands", COMMAND),
    "grabs": ("register_schema", TABLE.format(name="grabs", table="sound_row")),
    "breaks": ("register_schema", TABLE.format(name="breaks", table="breaks_row")),
    "overlaps": ("register_components", OVERLAP),
}


async def test_what_cannot_start_is_left_out_named_and_shown(  # noqa: PLR0917 - fixtures
    folder: PluginFolder,
    on_stage: Opener,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_sound(folder)
    for name, (_hook, code) in BROKEN.items():
        folder.write(name, code)
        (folder.path / name / "migrations").mkdir()
    broken = "def up(migrator, db):\n    raise SystemExit('no')\n\ndef down(migrator, db): ...\n"
    (folder.path / "breaks" / "migrations" / "0001_first.py").write_text(broken, encoding="utf-8")

    async with on_stage(database_url, folder.selection(*folder.names), members=6) as stage:
        manager = stage.runtime.manager
        assert list(manager.loaded) == ["sound"]
        assert {each.name: each.hook for each in manager.quarantined} == {
            name: hook for name, (hook, _code) in BROKEN.items()
        }
        action = Play(stage, folder)
        await action.come()
        await action.ask()
        await action.go()
        await stage.settle()
        await action.check()
        report = await stage.runtime.health.readiness.look()
        listed = str((await stage.slash(stage.scene.owner, "plugins list")).message)
        for each in manager.quarantined:
            assert f"plugin quarantined: {each.name}: " in caplog.text
            assert f"plugin {each}" in (*report.notes, *report.problems)
            assert f"`{each.name}`" in listed
            shown = await stage.slash(stage.scene.owner, "plugins info", {"plugin": each.name})
            assert "it was left out when I started" in str(shown.message)

    monkeypatch.chdir(folder.path.parent)
    monkeypatch.setenv("DATABASE_URL", database_url)
    # It would take the log away from the tests that follow.
    monkeypatch.setattr("core.cli.doctor.configure_logging", lambda *_args, **_options: None)
    names = ", ".join(f'"{name}"' for name in folder.names)
    toml = f'[plugins]\nload = [{names}]\nfolders = ["{folder.path}"]\n'
    (folder.path.parent / "plugins.toml").write_text(toml, encoding="utf-8")
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    for each in manager.quarantined:
        assert each.name in told
        if each.name != "breaks":
            assert str(each) in told
