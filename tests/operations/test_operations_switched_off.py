"""Switching features off while an operation runs: the admin reads what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from support.mining import add, participants, run, said
from support.plugin_folder import PluginFolder

from core.settings import PluginSelection
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)
TITLE = "Sunday Mining - 2026-09-06"

EARS = """
@hookimpl
async def on_voice_session_started(ctx, event):
    pass
"""


async def off(stage: Stage, plugin: str) -> str:
    return said(await run(stage, stage.scene.owner, "plugins disable", plugin=plugin))


async def evening(stage: Stage) -> None:
    await stage.start_bot()
    await add(stage, stage.scene.voice_channels[0])
    await stage.scene.members[0].join(stage.scene.voice_channels[0])
    await run(stage, stage.scene.officer, "mining start")
    await stage.advance(600)


async def test_what_becomes_of_a_running_operation(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with open_stage(url, plugins=OWN_PLUGINS, start=EVENING, members=3) as stage:
        await evening(stage)
        # Payroll needs operations too, so that they stay on.
        told = await off(stage, "sunday_mining")
        assert f"Still running, and counting time: {TITLE}. An officer ends it with /mining stop." in told
        told = await off(stage, "payroll")
        assert f"Not ended: {TITLE}. It can be stopped once" in told
        assert "Nothing here records voice any more" in told


async def test_another_feature_that_records_voice_keeps_its_time_counting(tmp_path: Path) -> None:
    folder = PluginFolder(tmp_path / "plugins")
    folder.write("ears", EARS, records_voice=True)
    plugins = PluginSelection(
        load=(*OWN_PLUGINS.load, "ears"),
        folders=(folder.path,),
        on_by_default=(*OWN_PLUGINS.on_by_default, "ears"),
    )
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    try:
        await heard(url, plugins)
    finally:
        folder.forget()


async def heard(url: str, plugins: PluginSelection) -> None:
    async with open_stage(url, plugins=plugins, start=EVENING, members=3) as stage:
        await evening(stage)
        assert "Not ended" not in await off(stage, "payroll")
        told = await off(stage, "sunday_mining")
        assert f"Not ended: {TITLE}. Voice is recorded for other features, so its time goes on" in told
        assert "Nothing here records voice" not in told
        await stage.advance(600)
        await run(stage, stage.scene.owner, "plugins enable", plugin="sunday_mining")
        assert "Not ended" not in await off(stage, "ears")
        await run(stage, stage.scene.officer, "mining stop")
        [one] = await participants(stage)
        assert one.seconds == 1200
