"""The form of settings: every kind of field goes in and out of it, and what was typed is never lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.panels import buttons_of, inputs_of, text_of
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
    sent,
)

from core.commands.settings_form import changes_in, key_of, marks_of
from core.guilds.durations import duration_words, read_duration
from core.guilds.settings_words import quoted
from sandbox.server.errors import Refused
from sandbox.stage import Stage


@pytest.fixture
async def stage(folder: PluginFolder, database_url: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("ore", ORE)
    folder.write("bare")
    async with on_stage(database_url, folder.selection("ore", "bare")) as opened:
        yield opened


@pytest.fixture
async def ore_stage(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("ore", ORE)
    async with on_stage(lite, folder.selection("ore")) as opened:
        yield opened


async def test_every_kind_of_field_goes_through_the_form(stage: Stage, folder: PluginFolder) -> None:
    scene, guild = stage.scene, stage.scene.guild
    member, officer = (role.id for role in list(guild.roles.values())[1:3])
    text, lounge = scene.text.id, scene.lounge.id
    first = text_of(await panel(stage))
    assert "**Amount**: 10\n-# how much ore makes a load." in first
    for line in ("**Loud**: off", "**Mode**: `calm`", "**Pause**: `5 min`"):
        assert line in first
    given: list[dict[str, Any]] = [
        {"amount": "2,500", "rate": "0.25", "price": "1 234.50", "loud": ["on"], "quiet": ["off"]},
        {
            "mode": ["wild"],
            "level": ["Very high"],
            "place": ["moon"],
            "modes": ["wild", "calm"],
            "pause": "1h 30 min",
        },
        {
            "motto": "Dig *deep*\n@everyone",
            "nickname": "Ol",
            "boss": [officer],
            "crew": [member, officer],
            "room": [text],
        },
        {
            "rooms": [text, lounge],
            "ores": "iron\n\n  lead \n",
            "sizes": "3\n1,000",
            "claim": '{"sector": "9"}',
            "table": '{"a": 1}',
        },
        {"limit_low": "4", "limit_high": "9"},
    ]
    for page, values in enumerate(given):
        said = await entered(stage, page, values)
        assert "✅ Saved: " in said, said
    module = folder.module("ore")
    settings = stage.runtime.guilds.plugin_settings(guild.id, "ore")
    wanted = module.Ore(
        amount=2500, rate=0.25, price="1234.50", loud=True, quiet=False,
        mode="wild", level=2, place="moon", modes=["wild", "calm"], pause="PT1H30M",
        motto="Dig *deep*\n@everyone", nickname="Ol", boss=officer, crew=[member, officer], room=text,
        rooms=[text, lounge], ores=["iron", "lead"], sizes={3, 1000}, claim={"sector": "9"}, table={"a": 1},
        limit_low=4, limit_high=9,
    )  # fmt: skip
    assert settings == wanted
    await stage.stop_bot()
    await stage.start_bot()
    assert stage.runtime.guilds.plugin_settings(guild.id, "ore") == folder.module("ore").Ore(
        **wanted.model_dump()
    )
    # What the forms hold now is what was entered, and sent back as it is it changes nothing.
    count = len(await stage.runtime.db.read(changes, guild.id))
    for page in range(5):
        assert "Nothing was changed." in await entered(stage, page, {})
    assert len(await stage.runtime.db.read(changes, guild.id)) == count == 5
    assert stage.runtime.guilds.plugin_settings(guild.id, "ore") == wanted
    shown = text_of(await panel(stage))
    assert "**Amount**: 2,500 (default: 10)" in shown
    assert "**Modes**: `wild`, `calm`" in shown


async def test_what_cannot_be_taken_is_kept_for_another_try(stage: Stage) -> None:
    owner, guild = stage.scene.owner, stage.scene.guild.id
    form = await opened(stage, 0)
    wrong = {"amount": "a `lot`\n", "rate": "1,5", "price": "-3", "loud": ["on"]}
    refused = await sent(stage, form, wrong)
    assert refused.message is not None
    said = text_of(refused.message)
    assert refused.message["flags"] & 64, "nobody else sees it"
    assert "Amount: must be a whole number, not `a ˋlotˋ`." in said
    assert "Rate: must be a number such as 1.5, not `1,5`." in said
    assert "What you typed is kept" in said
    assert await stage.runtime.db.read(raw, guild) == {}
    # A restart forgets nothing of it.
    await stage.stop_bot()
    await stage.start_bot()
    again = buttons_of(refused.message)["Open the form again"]
    form = await act(stage, owner.click(refused.message["id"], again))
    held = inputs_of(form.modal)
    assert held["amount"]["component"]["value"] == "a `lot`\n"
    assert held["rate"]["component"]["value"] == "1,5"
    assert [each["value"] for each in held["loud"]["component"]["options"] if each.get("default")] == ["on"]
    # Readable now, but the model refuses one of them: kept as well.
    refused = await sent(stage, form, {"amount": "20000", "rate": "2"})
    said = text_of(refused.message)
    assert "Amount: must be less than 10,001, not `20,000`." in said
    assert "Price: must be at least 0, not `-3`." in said
    assert (now(stage, "amount"), now(stage, "loud")) == (10, False)
    assert refused.message is not None
    again = buttons_of(refused.message)["Open the form again"]
    form = await act(stage, owner.click(refused.message["id"], again))
    done = await sent(stage, form, {"amount": "10000", "price": "3"})
    assert "✅ Saved: Amount, Rate, Price, Loud." in text_of(done.message)
    assert await stage.runtime.db.read(raw, guild) == {
        "amount": 10000,
        "rate": 2.0,
        "price": "3",
        "loud": True,
    }


@pytest.mark.parametrize(
    ("page", "values", "words"),
    [
        (0, {"amount": ""}, None),
        (0, {"amount": "0"}, "Amount: must be at least 1, not `0`."),
        (0, {"rate": "0"}, "Rate: must be more than 0, not `0`."),
        (1, {"pause": "5"}, 'Pause: must be a span of time such as "90 min", "1 h 30 min" or "2 days".'),
        (1, {"pause": "3 days"}, "Pause: must be at most 2 d, not `3 d`."),
        (2, {"motto": "rude"}, "Words to live by: be kinder."),
        (2, {"nickname": "x"}, "Nickname: must have at least 2 characters."),
        (3, {"claim": "{"}, 'Claim: must be JSON such as `{"name": 1}`.'),
        (3, {"claim": "{}"}, "Claim: a value is needed."),
        (3, {"sizes": "1\ntwo"}, "Sizes: must be a whole number, not `two`."),
        (3, {"table": '{"a": "@everyone"}'}, "Table: must be a whole number, not `@everyone`."),
        (4, {"limit_low": "6"}, "Limit low must not be above limit high."),
    ],
)
async def test_refusals_name_the_field_in_words(
    ore_stage: Stage, page: int, values: dict[str, Any], words: str | None
) -> None:
    if words is None:
        with pytest.raises(Refused, match="required"):
            await entered(ore_stage, page, values)
        return
    said = await entered(ore_stage, page, values)
    assert f"### Not saved\n{words}\nNothing was changed; correct it and try again." in said
    assert await ore_stage.runtime.db.read(raw, ore_stage.scene.guild.id) == {}
    assert await ore_stage.runtime.db.read(changes, ore_stage.scene.guild.id) == []


@given(st.timedeltas(min_value=timedelta(days=-9_999), max_value=timedelta(days=9_999)))
def test_spans_of_time_are_read_as_they_are_written(value: timedelta) -> None:
    assert read_duration(duration_words(value)) == value


@given(st.text(max_size=200))
def test_a_quoted_value_is_plain_text_on_one_line(value: str) -> None:
    text = quoted(value)
    assert text[0] == text[-1] == "`"
    assert "`" not in text[1:-1]
    assert "\n" not in text
    assert 2 < len(text) <= 62


@given(st.dictionaries(st.sampled_from("abcde"), st.text(max_size=30), min_size=1))
def test_only_what_changed_comes_through(typed: dict[str, str]) -> None:
    marks = marks_of(typed)
    assert changes_in(typed, marks) == {}
    name = next(iter(typed))
    assert changes_in({**typed, name: f"{typed[name]}x"}, marks) == {name: f"{typed[name]}x"}


LARGE = """
from enum import Enum
from pydantic import BaseModel, Field, create_model

Mineral = Enum("Mineral", {f"M{number}": f"mineral {number}" for number in range(40)})
LONG = "a very long name that nobody would give to a setting"
fields = {
    f"{LONG.replace(' ', '_')}_{number}": (
        str, Field("`" * 400, title=f"{number} " + LONG * 4, description="why " * 100)
    )
    for number in range(23)
}
Large = create_model(
    "Large",
    mineral=(Mineral, Mineral.M3),
    minerals=(list[Mineral], list(Mineral)),
    book=(str, "x" * 5_000),
    **fields,
)

@hookimpl
def register_settings():
    return Large
"""


async def test_a_large_model_keeps_to_discords_limits(folder: PluginFolder, lite: str, on_stage: Any) -> None:
    folder.write("large", LARGE, title="T" * 60)
    async with on_stage(lite, folder.selection("large")) as stage:
        owner = stage.scene.owner
        message = await panel(stage, "large")
        assert "It is too long for a form of Discord's" in text_of(message)
        for page in (1, 2):
            message = (await act(stage, owner.click(message["id"], f"core:set_page:large.{page}"))).message
        assert "Further" in buttons_of(message)
        assert "✅ Saved: 22 a very long" in await entered(
            stage, 5, {key_of(f"a_very_long_name_that_nobody_would_give_to_a_setting_{22}"): "short"}, "large"
        )
        refused = await entered(
            stage, 0, {"mineral": "mineral 99", "minerals": "Mineral 1\nmineral 2"}, "large"
        )
        assert "Mineral: must be one of mineral 0, mineral 1, " in refused
        assert "✅ Saved: Mineral, Minerals." in await entered(
            stage, 0, {"mineral": "mineral 39", "minerals": "Mineral 1\nmineral 2"}, "large"
        )
        settings: Any = stage.runtime.guilds.plugin_settings(stage.scene.guild.id, "large")
        assert (settings.mineral.name, [each.name for each in settings.minerals]) == ("M39", ["M1", "M2"])
        assert settings.book == "x" * 5_000
        overview = text_of((await stage.slash(owner, "setup show")).message)
        assert "`mineral 39`" in overview
