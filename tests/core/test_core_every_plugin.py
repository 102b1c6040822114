"""Off means everything is gone, on means everything is back: one test for every plugin that there is.

What a plugin has is found in what it declares, so a new plugin is tested by being there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from support.factory_plugin import FACTORY, LISTENS, SPECS, STAGEHAND
from support.plugin_backlog import leave_events, leave_jobs
from support.plugin_folder import PluginFolder
from support.plugin_spies import Spies
from support.plugin_uses import Uses

from core.settings import PluginSelection
from sandbox.server import components as parts
from sandbox.stage import Stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/src"))


def found() -> list[str]:
    """Return the names of the project's plugins and of those of the examples."""
    manifests = [
        *ROOT.glob("plugins/*/manifest.toml"),
        *(path for folder in EXAMPLES for path in folder.glob("*/manifest.toml")),
    ]
    return sorted(tomllib.loads(path.read_text(encoding="utf-8"))["name"] for path in manifests)


async def mined(uses: Uses) -> None:
    """An operation that has ended, over a channel that stays on the list."""
    stage, scene = uses.stage, uses.stage.scene
    await stage.slash(uses.owner, "mining channels add", {"channel": str(scene.voice_channels[0].id)})
    for member in scene.members[:2]:
        await member.join(scene.voice_channels[0])
    await stage.slash(uses.owner, "mining start")
    await stage.advance(600)
    for member in scene.members[:2]:
        await member.leave()
    await stage.slash(uses.owner, "mining stop")


async def calculated(uses: Uses) -> None:
    """The draft of a payroll, of which the panel lies there."""
    await mined(uses)
    stage = uses.stage
    chosen = await stage.slash(uses.owner, "payroll calculate")
    assert chosen.message is not None
    select = next(
        part for part in parts.walk(chosen.message["components"]) if part["type"] == parts.STRING_SELECT
    )
    values = [select["options"][0]["value"]]
    await uses.owner.choose(chosen.message["id"], select["custom_id"], values)
    await stage.settle()


async def remarked(uses: Uses) -> None:
    """A remark with its button."""
    form = await uses.stage.slash(uses.owner, "shift note")
    assert form.interaction_id is not None
    await uses.owner.submit(form.interaction_id, {"text": "Drill 3 is worn out."})
    await uses.stage.settle()


#: What a plugin with tables is given to keep, by what its members do.
STORIES: dict[str, Callable[[Uses], Awaitable[None]]] = {
    "operations": mined,
    "sunday_mining": mined,
    "payroll": calculated,
    "shift_log": remarked,
}
#: Whose story leaves something to press.
LEAVES_MESSAGES = {"payroll", "shift_log"}


@pytest.fixture
def spies(monkeypatch: pytest.MonkeyPatch) -> Spies:
    made = Spies()
    made.install(monkeypatch)
    return made


def selection(folder: PluginFolder) -> PluginSelection:
    """All of them, every feature on."""
    folder.write("stagehand", STAGEHAND)
    folder.write("tones", "import sys\n" + SPECS, kind="library")
    folder.write(
        "factory",
        FACTORY + LISTENS,
        requires=["tones"],
        records_voice=True,
        intents=["members", "guild_scheduled_events"],
    )
    names = (*found(), "stagehand", "tones", "factory")
    return PluginSelection(load=names, folders=(folder.path, *EXAMPLES), on_by_default=names)


@pytest.mark.parametrize("plugin", [*found(), "factory", "tones"])
async def test_off_is_off_and_on_brings_all_back(
    plugin: str, database_url: str, folder: PluginFolder, on_stage: Opener, spies: Spies
) -> None:
    async with on_stage(database_url, selection(folder)) as stage:
        uses = Uses(stage, plugin, spies)
        runtime = stage.runtime
        assert not runtime.manager.absent
        assert plugin in runtime.guilds.active(uses.guild_id)

        # On: everything answers, and leaves something to keep.
        if plugin in STORIES:
            await STORIES[plugin](uses)
        await uses.post()
        await uses.all(on=True)
        await _change_a_setting(uses)
        await uses.post()
        late = await leave_jobs(uses, 30)
        menu, elsewhere = uses.menu(), uses.menu(stage.scene.second)
        kept = await runtime.db.read(uses.rows)
        assert any(kept.values()) or plugin not in STORIES
        settings = uses.stored_settings()

        # Off: nothing answers but the guard, before and after a restart; the other guild notices nothing.
        await uses.switch("disable")
        mark = len(spies.ran)
        gone = set(uses.paths).union(*(_paths(stage, each) for each in _went(uses)))
        assert uses.menu() == sorted(set(menu) - gone)
        assert uses.menu(stage.scene.second) == elsewhere
        late += await leave_jobs(uses, 20)
        published = await leave_events(uses)
        await uses.all(on=False)
        pressed = await uses.harvested()
        assert pressed > 0 or plugin not in LEAVES_MESSAGES
        await stage.advance(120)
        await stage.stop_bot()
        await stage.start_bot()
        runtime = stage.runtime
        await uses.open_forms()
        await uses.components(on=False)
        await uses.commands(on=False)
        assert spies.since(mark, plugin, uses.guild_id) == []
        assert await runtime.db.read(uses.rows) == kept
        await _elsewhere(uses)
        # What was done in the other guild stays as well.
        kept = await runtime.db.read(uses.rows)

        # On again: all is as it was, and what came due meanwhile is done once.
        mark = len(spies.ran)
        await uses.switch("enable")
        await stage.settle()
        assert uses.menu() == menu
        assert await runtime.db.read(uses.rows) == kept
        assert uses.stored_settings() == settings
        ran = spies.since(mark, plugin, uses.guild_id)
        assert sorted(name for kind, name in ran if kind == "job") == sorted(late)
        heard = [name for kind, name in ran if kind == "hook"]
        assert [hook for hook in heard if hook in published] == published
        mark = len(spies.ran)
        await uses.open_forms()
        await uses.all(on=True)
        await stage.advance(3600)
        await stage.stop_bot()
        await stage.start_bot()
        assert [name for kind, name in spies.since(mark, plugin, uses.guild_id) if kind == "job"] == []


def _went(uses: Uses) -> list[str]:
    """Return what went off together with a plugin: what needs it, and what only that needed."""
    manager = uses.stage.runtime.manager
    return [name for name in manager.loaded if name not in uses.stage.runtime.guilds.active(uses.guild_id)]


def _paths(stage: Stage, plugin: str) -> list[str]:
    return Uses(stage, plugin, Spies()).paths


async def _change_a_setting(uses: Uses) -> None:
    """Give the first number among the settings another value, so that there is something to keep."""
    model = uses.plugin.settings_model
    guilds = uses.stage.runtime.guilds
    for name, field in (model.model_fields if model is not None else {}).items():
        if field.annotation is int and not isinstance(field.default, bool):
            values = {name: field.default + 1}
            changed: Any = await guilds.set_settings(uses.guild_id, uses.name, values, uses.owner.id)
            assert getattr(changed, name) == field.default + 1
            return


async def _elsewhere(uses: Uses) -> None:
    """Run the plugin's first command in the other guild, where it is on."""
    for path in uses.paths[:1]:
        second = uses.stage.scene.second
        schema = uses.stage.world.commands.find(second.guild.id, path)[2]
        given = {each["name"]: uses.value(each, second) for each in schema if each.get("required")}
        mark = len(uses.spies.ran)
        await second.owner.slash(path, second.text, given)
        await uses.stage.settle()
        assert ("command", path) in uses.spies.since(mark, uses.name, second.guild.id)
