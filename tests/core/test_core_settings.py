"""Settings of plugins: set by two at once, reset, refused, broken; nothing is lost and nothing is silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from support.panels import buttons_of, text_of
from support.plugin_folder import PluginFolder
from support.settings_form import (
    ORE,
    act,
    changes,
    entered,
    now,
    opened,
    panel,
    raw,
    role_of,
    sent,
    write_raw,
)

from core.commands.patience import deferred_if_slow
from core.errors import UserError
from core.guilds.ranks import Rank
from core.guilds.settings import Stored, to_store
from sandbox.stage import OWN_PLUGINS, Stage

PLAIN = """
from pydantic import BaseModel

class Plain(BaseModel):
    word: str = "a"

@hookimpl
def register_settings():
    return Plain
"""


@pytest.fixture
async def stage(folder: PluginFolder, database_url: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("ore", ORE)
    folder.write("bare")
    async with on_stage(database_url, folder.selection("ore", "bare")) as opened:
        yield opened


async def test_two_admins_at_one_form_both_have_their_way(stage: Stage, folder: PluginFolder) -> None:
    owner, second, guild = stage.scene.owner, stage.scene.members[0], stage.scene.guild.id
    await stage.runtime.guilds.set_ranks(guild, {role_of(second): Rank.ADMIN}, None)
    heard = folder.module("ore").HEARD
    one, two, three = [await opened(stage, 0, person=each) for each in (owner, second, second)]
    heard.clear()
    await sent(stage, one, {"amount": "20"})
    await sent(stage, two, {"rate": "2.5"}, second)
    assert (now(stage, "amount"), now(stage, "rate")) == (20, 2.5)
    await sent(stage, three, {"amount": "30"}, second)
    assert (now(stage, "amount"), now(stage, "rate")) == (30, 2.5)
    assert await stage.runtime.db.read(changes, guild) == [
        (owner.id, "ore", {"amount": 10}, {"amount": 20}),
        (second.id, "ore", {"rate": 1.5}, {"rate": 2.5}),
        (second.id, "ore", {"amount": 20}, {"amount": 30}),
    ]
    assert heard == [(guild, "settings", 20), (guild, "settings", 20), (guild, "settings", 30)]
    elsewhere: Any = stage.runtime.guilds.plugin_settings(stage.scene.second_guild.id, "ore")
    assert elsewhere.amount == 10
    # At the very same moment, too.
    await asyncio.gather(
        *(
            stage.runtime.guilds.set_settings(guild, "ore", {name: value}, owner.id)
            for name, value in (("amount", 40), ("rate", 4.5), ("loud", True), ("motto", "x"))
        )
    )
    assert await stage.runtime.db.read(raw, guild) == {"amount": 40, "rate": 4.5, "loud": True, "motto": "x"}


async def test_a_reset_goes_back_to_the_default(stage: Stage) -> None:
    owner, guild = stage.scene.owner, stage.scene.guild.id
    await stage.runtime.guilds.set_settings(guild, "ore", {"amount": 20, "motto": "Hm"}, owner.id)
    message = await panel(stage)
    resets = [custom_id for custom_id in buttons_of(message).values() if ":set_reset:" in custom_id]
    assert resets == ["core:set_reset:ore.amount"], "only where there is something to reset, on this page"
    done = await act(stage, owner.click(message["id"], resets[0]))
    assert "✅ Saved: Amount." in text_of(done.message)
    assert "**Amount**: 10\n" in text_of(done.message)
    assert await stage.runtime.db.read(raw, guild) == {"motto": "Hm"}
    # Who types the default has reset it as well.
    assert "✅ Saved" in await entered(stage, 2, {"motto": "Dig"})
    assert await stage.runtime.db.read(raw, guild) == {}


async def test_what_does_not_fit_any_more_is_said_and_kept(
    stage: Stage, folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    owner, guild = stage.scene.owner, stage.scene.guild.id
    stored = {"amount": 99_999, "rate": 3.0, "of_another_version": [1]}
    await stage.runtime.db.write(write_raw, guild, stored)
    await stage.stop_bot()
    await stage.start_bot()
    assert "settings of ore in guild" in caplog.text
    assert "Amount: must be less than 10,001, not `99,999`." in caplog.text
    assert (now(stage, "amount"), now(stage, "rate")) == (10, 3.0), "the rest is in effect"
    message = await panel(stage)
    said = text_of(message)
    assert "⚠️ Something that is stored cannot be used. Until you save, the defaults stand in for it:" in said
    assert "⚠️ Stored, but not usable: `99999`" in said
    overview = text_of((await stage.slash(owner, "setup show")).message)
    assert "⚠️ **Ore**: something that is stored cannot be used; see /plugins settings." in overview
    assert await stage.runtime.db.read(raw, guild) == stored, "nothing is overwritten by looking"
    assert "✅ Saved: Loud." in await entered(stage, 0, {"loud": ["on"]})
    assert await stage.runtime.db.read(raw, guild) == {"rate": 3.0, "loud": True, "of_another_version": [1]}
    assert await stage.runtime.db.read(changes, guild) == [
        (owner.id, "ore", {"loud": False, "amount": 99_999}, {"loud": True, "amount": 10})
    ]
    assert "⚠️" not in text_of(await panel(stage))
    # Values that do not go together leave only the defaults, and a button to be rid of them.
    await stage.runtime.db.write(write_raw, guild, {"limit_low": 9, "loud": True})
    await stage.stop_bot()
    await stage.start_bot()
    assert now(stage, "loud") is False
    message = await panel(stage)
    assert "- Limit low must not be above limit high." in text_of(message)
    forget = buttons_of(message)["Forget what cannot be used"]
    done = await act(stage, owner.click(message["id"], forget))
    assert "⚠️" not in text_of(done.message)
    assert await stage.runtime.db.read(raw, guild) == {}
    assert (await stage.runtime.db.read(changes, guild))[-1][2] == {"limit_low": 9, "loud": True}


async def test_a_validator_that_breaks_keeps_no_guild_shut(
    folder: PluginFolder, lite: str, on_stage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    odd = '@field_validator("word")\n    def _odd(cls, value):\n        return {"a": "a"}[value]'
    code = PLAIN.replace('word: str = "a"', f'word: str = "a"\n    {odd}')
    code = code.replace("import BaseModel", "import BaseModel, field_validator")
    folder.write("plain", code)
    async with on_stage(lite, folder.selection("plain")) as stage:
        guild = stage.scene.guild.id
        await stage.runtime.db.write(write_raw, guild, {"word": "b"}, "plain")
        await stage.stop_bot()
        await stage.start_bot()
        assert stage.runtime.guilds.plugin_settings(guild, "plain").word == "a"
        assert "the plugin cannot read what is stored" in text_of(await panel(stage, "plain")).lower()
        said = await entered(stage, 0, {"word": "c"}, "plain")
        assert "Something went wrong on our side" in said


async def test_who_may_and_where(stage: Stage) -> None:
    scene = stage.scene
    refused = await stage.slash(scene.officer, "plugins settings", {"plugin": "ore"})
    assert "This needs the rank admin; yours is officer." in str(refused.message)
    offered = await scene.owner.autocomplete("plugins settings", scene.text, {"plugin": ""}, focused="plugin")
    assert offered.choices == [{"name": "Ore (ore)", "value": "ore"}]
    assert "Bare has no settings. There are settings for: ore." in text_of(await panel(stage, "bare"))
    assert "There is no feature called `nowhere`." in text_of(await panel(stage, "nowhere"))
    message, form = await panel(stage), await opened(stage, 0)
    await stage.slash(scene.owner, "plugins disable", {"plugin": "ore"})
    off = "Ore is switched off in this server."
    assert off in text_of(await panel(stage))
    late = await sent(stage, form, {"amount": "7"})
    assert off in text_of(late.message)
    for custom_id in ("core:set_edit:ore.0", "core:set_page:ore.1"):
        assert off in text_of((await act(stage, scene.owner.click(message["id"], custom_id))).message)
    with pytest.raises(UserError, match="There is no setting called"):
        await stage.runtime.guilds.set_settings(scene.guild.id, "ore", {"amuont": 3}, None)
    with pytest.raises(LookupError):
        await stage.runtime.guilds.set_settings(scene.guild.id, "bare", {}, None)
    # Switched on again, what was typed is still there.
    await stage.slash(scene.owner, "plugins enable", {"plugin": "ore"})
    assert late.message is not None
    again = buttons_of(late.message)["Open the form again"]
    form = await act(stage, scene.owner.click(late.message["id"], again))
    await sent(stage, form, {})
    assert now(stage, "amount") == 7


async def test_the_settings_of_our_own_plugins(lite: str, on_stage: Any) -> None:
    async with on_stage(lite, OWN_PLUGINS) as stage:
        guilds, guild = stage.runtime.guilds, stage.scene.guild.id
        said = await entered(stage, 0, {"timezone": "Mars/Olympus"}, "operations")
        assert "Timezone: there is no time zone 'Mars/Olympus'; write it like \"Europe/Berlin\"." in said
        assert "✅ Saved: Timezone." in await entered(stage, 0, {"timezone": "Europe/Berlin"}, "operations")
        assert str(guilds.plugin_settings(guild, "operations").tz) == "Europe/Berlin"
        assert "✅ Saved" in await entered(stage, 0, {"org_cut_bp": "15,5 %"}, "payroll")
        assert guilds.plugin_settings(guild, "payroll").org_cut_bp == 1550
        overview = text_of((await stage.slash(stage.scene.owner, "setup show")).message)
        assert "`Europe/Berlin`" in overview
        assert "15.5 %" in overview
        refused = await entered(stage, 0, {"org_cut_bp": "1000"}, "payroll")
        assert "Org cut: must be at most 100 %, not `1000 %`." in refused
        refused = await entered(stage, 0, {"fee_bp": "a tenth"}, "payroll")
        assert "Transfer fee: must be a percentage with at most two decimals, such as 7.5 %" in refused
        assert guilds.plugin_settings(guild, "payroll").fee_bp == 50


def test_what_does_not_survive_json_is_refused() -> None:
    class Secret(BaseModel):
        word: SecretStr = SecretStr("")

    current = Stored({}, Secret())
    with pytest.raises(RuntimeError, match="do not survive"):
        to_store("secret", current, Secret(word=SecretStr("x")))


async def test_a_slow_database_is_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, guild = stage.scene.owner, stage.scene.guild.id
    monkeypatch.setattr("core.commands.settings_command.deferred_if_slow", partial(deferred_if_slow, after=0))
    form = await opened(stage, 0)
    released = threading.Event()
    holding = asyncio.create_task(stage.runtime.db.write(released.wait, 20, key=guild))
    assert form.interaction_id is not None
    outcome = await owner.submit(form.interaction_id, {"amount": "20"})
    assert (outcome.kind, outcome.message) == ("deferred", None), "the panel stands meanwhile"
    assert now(stage, "amount") == 10
    released.set()
    await holding
    await stage.settle()
    shown = await outcome.final()
    assert "✅ Saved: Amount." in text_of(shown)
    assert "**Amount**: 20" in text_of(shown)
