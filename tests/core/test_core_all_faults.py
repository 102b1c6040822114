"""Every fault that can be seen at the start, all at once: each is named, and the sound plugin works."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from support.plugin_folder import PluginFolder

from sandbox.stage import Stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]

COMMAND = """
@app_commands.command(name="dig", description="x")
@requires("guest")
async def dig(interaction: discord.Interaction) -> None:
    await reply(interaction, "{name} digs")

@hookimpl
def register_commands():
    return [dig]
"""
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
SPECS = "class S:\n    @hookspec(firstresult=True)\n    async def decide_x(ctx, event): ..."
FAULTS = {
    "leaves": ("raise SystemExit(1)", "SystemExit: 1"),
    "cancels": ("raise asyncio.CancelledError", "CancelledError"),
    "clashes": (COMMAND.format(name="clashes"), "register_commands: /dig belongs to both sound and clashes"),
    "grabs": (
        TABLE.format(name="grabs", table="guild_plugins"),
        "register_schema: the table guild_plugins belongs",
    ),
    "breaks": (
        TABLE.format(name="breaks", table="breaks_row"),
        "register_schema: its migration 0001_first could not",
    ),
    "wraps": ("@hookimpl(wrapper=True)\nasync def on_resync(ctx): ...", "on_resync: wrapper has no meaning"),
    "babbles": (
        "@hookimpl\ndef register_jobs():\n    return 'jobs'",
        "register_jobs: it must return a list of Job",
    ),
    "lies": (
        f"{SPECS}\n@hookimpl\ndef register_hookspecs():\n    return S",
        "decide_x: firstresult and historic",
    ),
    "steals": (
        "@hookimpl\ndef register_components():\n    return [Component('sound:go', print, 'guest')]",
        "register_components: ValueError: component action 'sound:go'",
    ),
    "rests": ("", "it requires breaks, which is not loaded"),
}


async def test_each_fault_is_named_and_the_sound_plugin_works(
    folder: PluginFolder, on_stage: Opener, database_url: str
) -> None:
    folder.write("sound", COMMAND.format(name="sound"))
    for name, (code, _words) in FAULTS.items():
        folder.write(name, code, requires=["breaks"] if name == "rests" else [])
        (folder.path / name / "migrations").mkdir()
    broken = "def up(migrator, db):\n    raise SystemExit('no')\n\ndef down(migrator, db): ...\n"
    (folder.path / "breaks" / "migrations" / "0001_first.py").write_text(broken, encoding="utf-8")

    async with on_stage(database_url, folder.selection(*folder.names)) as stage:
        assert list(stage.runtime.manager.loaded) == ["sound"]
        found = {each.name: str(each).partition(": ")[2] for each in stage.runtime.manager.quarantined}
        assert found.keys() == FAULTS.keys()
        for name, (_code, words) in FAULTS.items():
            assert found[name].startswith(words), found[name]
        digging = await stage.slash(stage.scene.members[0], "dig")
        assert digging.message is not None
        assert digging.message["content"] == "sound digs"
        listed = await stage.slash(stage.scene.owner, "plugins list")
        shown = str(listed.message)
        assert all(re.search(rf"\b{name}\b", shown) for name in FAULTS)
