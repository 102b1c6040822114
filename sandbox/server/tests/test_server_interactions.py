"""People and a real discord.py bot talk in every way there is."""

from __future__ import annotations

import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually, refused


async def test_slash_command_with_resolved_options_is_answered_for_one_person(
    place: Place, bot: LoopbackBot
) -> None:
    options = {"crew": 3, "channel": str(place.alpha.id), "pilot": place.beryl}
    outcome = await place.quartz.slash("drill start", place.text, options)
    assert outcome.kind == "message"
    assert outcome.message is not None
    assert outcome.message["content"] == "3 in Alpha with beryl"
    assert outcome.message["flags"] & 64
    assert len(place.world.messages(place.text.id, place.quartz.id)) == 1
    assert place.world.messages(place.text.id, place.beryl.id) == []
    assert "sees no message" in await refused(place.beryl.click(outcome.message["id"], "enter"))


async def test_button_opens_a_modal_whose_answer_edits_the_message(place: Place, bot: LoopbackBot) -> None:
    shown = await place.quartz.slash("drill start", place.text, {"crew": 1})
    assert shown.message is not None
    opened = await place.quartz.click(shown.message["id"], "enter")
    assert opened.kind == "modal"
    assert opened.modal is not None
    assert opened.modal["title"] == "Quantities"
    modal = opened.interaction_id
    assert modal is not None
    assert "required" in await refused(place.quartz.submit(modal, {}))
    assert "0 to 5 characters" in await refused(place.quartz.submit(modal, {"quantity": "123456"}))
    assert "no field" in await refused(place.quartz.submit(modal, {"amount": "1"}))
    assert "opened no modal" in await refused(place.beryl.submit(modal, {"quantity": "1"}))
    sent = await place.quartz.submit(modal, {"quantity": "250"})
    assert sent.kind == "update"
    assert sent.message is not None
    assert sent.message["content"] == "got 250"
    assert sent.message["id"] == shown.message["id"]
    assert "sent already" in await refused(place.quartz.submit(modal, {"quantity": "1"}))


async def test_modal_of_a_command_is_answered_by_a_message(place: Place, bot: LoopbackBot) -> None:
    opened = await place.quartz.slash("drill form", place.text)
    assert opened.interaction_id is not None
    sent = await place.quartz.submit(opened.interaction_id, {"quantity": "9"})
    assert sent.kind == "message"
    assert sent.message is not None
    assert sent.message["content"] == "noted 9"


async def test_select_is_deferred_and_followed_up(place: Place, bot: LoopbackBot) -> None:
    shown = await place.quartz.slash("drill start", place.text, {"crew": 1})
    assert shown.message is not None
    assert "no choice" in await refused(place.quartz.choose(shown.message["id"], "ore", ["iron"]))
    assert "1 to 1 choices" in await refused(
        place.quartz.choose(shown.message["id"], "ore", ["gold", "quantanium"])
    )
    assert "disabled" in await refused(place.quartz.click(shown.message["id"], "never"))
    assert "no component" in await refused(place.quartz.click(shown.message["id"], "gone"))
    chosen = await place.quartz.choose(shown.message["id"], "ore", ["gold"])
    assert chosen.kind == "deferred"
    assert (await chosen.final())["content"] == "chose gold"


async def test_deferred_answer_brings_files_and_a_follow_up(place: Place, bot: LoopbackBot) -> None:
    outcome = await place.quartz.slash("drill report", place.text, {"ore": "gold"})
    assert outcome.kind == "deferred"
    message = await outcome.final()
    assert message["content"] == "gold"
    assert [each["filename"] for each in message["attachments"]] == ["a.csv", "a.png"]
    assert message["embeds"][0]["image"]["url"] == message["attachments"][1]["url"]
    assert place.world.attachment(int(message["id"]), "a.csv") == b"ore;1"
    both = await eventually(lambda: len(seen := place.world.messages(place.text.id)) == 2 and seen)
    assert both[1]["content"] == "that is all"
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    fetched = await channel.fetch_message(int(message["id"]))
    assert await fetched.attachments[0].read() == b"ore;1"


async def test_autocomplete_gives_choices(place: Place, bot: LoopbackBot) -> None:
    outcome = await place.quartz.autocomplete("drill report", place.text, {"ore": "g"}, focused="ore")
    assert outcome.kind == "choices"
    assert outcome.choices == [{"name": "g1", "value": "g1"}, {"name": "g2", "value": "g2"}]


async def test_components_v2_keep_their_shape(place: Place, bot: LoopbackBot) -> None:
    outcome = await place.quartz.slash("drill panel", place.text)
    assert outcome.message is not None
    assert outcome.message["flags"] & (1 << 15)
    assert outcome.message["components"][0]["components"][0]["content"] == "Ore"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "option crew is required"),
        ({"crew": "three"}, "takes a whole number"),
        ({"crew": True}, "takes a whole number"),
        ({"crew": 11}, "takes at most 10"),
        ({"crew": 0}, "takes at least 1"),
        ({"crew": 1, "channel": "1"}, "is not a channel"),
        ({"crew": 1, "pilot": "nobody"}, "takes an id"),
        ({"crew": 1, "speed": 2}, "no option speed"),
    ],
)
async def test_options_are_checked_as_the_client_does(
    place: Place, bot: LoopbackBot, options: dict[str, object], words: str
) -> None:
    assert words in await refused(place.quartz.slash("drill start", place.text, options))


async def test_a_command_that_left_the_menu_is_only_for_old_menus(place: Place, bot: LoopbackBot) -> None:
    bot.tree.clear_commands(guild=bot.guilds[0])
    await bot.tree.sync(guild=bot.guilds[0])
    assert place.world.commands.menu(place.guild.id) == []
    assert "not in this guild's menu" in await refused(
        place.quartz.slash("drill start", place.text, {"crew": 1})
    )
    outcome = await place.quartz.slash("drill start", place.text, {"crew": 1}, stale=True)
    assert outcome.kind == "message"


async def test_silence_and_late_answers(place: Place, bot: LoopbackBot) -> None:
    place.world.interaction_wait = 0.05
    outcome = await place.quartz.slash("drill silent", place.text)
    assert outcome.kind == "none"
    assert outcome.interaction_id is not None
    one = place.world.interactions.by_id[outcome.interaction_id]
    await place.world.clock.advance(3.5)
    body = {"type": 4, "data": {"content": "late"}}
    route = discord.http.Route("POST", f"/interactions/{one.id}/{one.token}/callback")
    with pytest.raises(discord.NotFound) as late:
        await bot.http.request(route, json=body)
    assert late.value.code == 10062


async def test_second_answer_and_expired_token_are_refused(place: Place, bot: LoopbackBot) -> None:
    outcome = await place.quartz.slash("drill start", place.text, {"crew": 1})
    assert outcome.interaction_id is not None
    one = place.world.interactions.by_id[outcome.interaction_id]
    again = discord.http.Route("POST", f"/interactions/{one.id}/{one.token}/callback")
    with pytest.raises(discord.HTTPException) as twice:
        await bot.http.request(again, json={"type": 4, "data": {"content": "again"}})
    assert twice.value.code == 40060
    await place.world.clock.advance(15 * 60 + 1)
    original = discord.http.Route("GET", f"/webhooks/{bot.application_id}/{one.token}/messages/@original")
    with pytest.raises(discord.HTTPException) as expired:
        await bot.http.request(original)
    assert expired.value.code == 50027


async def test_limits_are_discords(place: Place, bot: LoopbackBot) -> None:
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    with pytest.raises(discord.HTTPException) as long:
        await channel.send("x" * 2001)
    assert long.value.code == 50035
    with pytest.raises(discord.HTTPException) as empty:
        await channel.send("")
    assert empty.value.code == 50006


async def test_permissions_stop_the_bot(place: Place, bot: LoopbackBot) -> None:
    role = next(role for role in place.guild.roles.values() if role.managed)
    silent = place.guild.create_channel("silent", overwrites={role.id: (0, 1 << 11)})
    hidden = place.guild.create_channel("hidden", overwrites={place.guild.id: (0, 1 << 10)})
    await eventually(lambda: bot.get_channel(hidden.id))
    for channel_id, code in ((silent.id, 50013), (hidden.id, 50001)):
        channel = bot.get_channel(channel_id)
        assert isinstance(channel, discord.TextChannel)
        with pytest.raises(discord.Forbidden) as forbidden:
            await channel.send("hello")
        assert forbidden.value.code == code
