"""The bot's answers: at once, later, changed, taken back, too late; and who sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import discord
import pytest
from discord.http import Route
from support.loopback import LoopbackBot, Place, eventually, refused

from sandbox.server.interactions import Interaction

EPHEMERAL, LOADING = 64, 128
Act = Callable[[discord.Interaction], Awaitable[Any]]


async def answering(place: Place, bot: LoopbackBot, act: Act) -> Any:
    """Let the bot answer one slash command by `act`; return what the person saw."""

    @bot.tree.command(name="do", guild=bot.guilds[0])
    async def do(interaction: discord.Interaction) -> None:
        await act(interaction)

    await bot.tree.sync(guild=bot.guilds[0])
    return await place.quartz.slash("do", place.text)


def interaction_of(place: Place, outcome: Any) -> Interaction:
    return place.world.interactions.by_id[outcome.interaction_id]


def hook(bot: LoopbackBot, one: Interaction, rest: str = "", method: str = "GET") -> Route:
    return Route(method, f"/webhooks/{bot.application_id}/{one.token}{rest}")


def callback(one: Interaction) -> Route:
    return Route("POST", f"/interactions/{one.id}/{one.token}/callback")


class Panel(discord.ui.View):
    def __init__(self, act: Act) -> None:
        super().__init__(timeout=None)
        button = discord.ui.Button[Any](label="Go", custom_id="go")
        button.callback = act  # type: ignore[assignment]
        self.add_item(button)


async def test_the_dots_of_a_deferral_become_the_answer(place: Place, bot: LoopbackBot) -> None:
    go = asyncio.Event()

    async def later(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await go.wait()
        await interaction.followup.send("here")

    waiting = await answering(place, bot, later)
    assert waiting.kind == "deferred"
    assert waiting.message["flags"] == EPHEMERAL | LOADING
    go.set()
    final = await waiting.final()
    assert (final["id"], final["content"], final["flags"]) == (waiting.message["id"], "here", EPHEMERAL)
    assert final["edited_timestamp"] is None


async def test_a_silent_deferral_changes_the_message_it_came_from(place: Place, bot: LoopbackBot) -> None:
    async def pressed(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        original = await interaction.original_response()
        assert interaction.message is not None
        assert original.id == interaction.message.id
        await interaction.edit_original_response(content="pressed", view=None)

    shown = await answering(place, bot, lambda one: one.response.send_message("press", view=Panel(pressed)))
    outcome = await place.quartz.click(shown.message["id"], "go")
    assert (outcome.kind, outcome.message) == ("deferred", None)
    final = await outcome.final()
    assert (final["id"], final["content"], final["components"]) == (shown.message["id"], "pressed", [])
    assert final["edited_timestamp"] is not None


async def test_an_update_that_deletes_its_message(place: Place, bot: LoopbackBot) -> None:
    async def pressed(interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content="going", view=None)
        await interaction.delete_original_response()

    shown = await answering(place, bot, lambda one: one.response.send_message("press", view=Panel(pressed)))
    outcome = await place.quartz.click(shown.message["id"], "go")
    assert outcome.kind == "update"
    await eventually(lambda: not place.world.messages(place.text.id))
    assert "sees no message" in await refused(place.quartz.click(shown.message["id"], "go"))


async def test_the_first_answer_is_edited_and_taken_back(place: Place, bot: LoopbackBot) -> None:
    outcome = await answering(place, bot, lambda one: one.response.send_message("first", ephemeral=True))
    one = interaction_of(place, outcome)
    edited = await bot.http.request(hook(bot, one, "/messages/@original", "PATCH"), json={"content": "new"})
    assert edited["content"] == "new"
    await bot.http.request(hook(bot, one, "/messages/@original", "DELETE"))
    with pytest.raises(discord.NotFound) as gone:
        await bot.http.request(hook(bot, one, "/messages/@original"))
    assert gone.value.code == 10008
    assert place.world.messages(place.text.id, place.quartz.id) == []


async def test_follow_ups_tell_where_they_come_from_and_may_be_limited(
    place: Place, bot: LoopbackBot
) -> None:
    place.world.interactions.most_follow_ups = 5
    outcome = await answering(place, bot, lambda one: one.response.send_message("first"))
    one = interaction_of(place, outcome)
    for number in range(5):
        sent = await bot.http.request(hook(bot, one, method="POST"), json={"content": str(number)})
        assert sent["interaction_metadata"]["original_response_message_id"] == outcome.message["id"]
    with pytest.raises(discord.HTTPException) as enough:
        await bot.http.request(hook(bot, one, method="POST"), json={"content": "6"})
    assert enough.value.code == 40094
    assert len(place.world.messages(place.text.id)) == 6


async def test_a_request_to_buy_premium(place: Place, bot: LoopbackBot) -> None:
    place.world.interaction_wait = 0.05
    outcome = await answering(place, bot, lambda one: asyncio.sleep(0))
    one = interaction_of(place, outcome)
    place.world.log.enabled = False  # the description no longer knows this kind; the service still takes it
    await bot.http.request(callback(one), json={"type": 10, "data": {}})
    assert one.kind == "premium"
    for kind in (1, 6, 8, 12):
        other = await place.quartz.slash("do", place.text)
        body = {"type": kind, "data": {"choices": []} if kind == 8 else {}}
        with pytest.raises(discord.HTTPException) as wrong:
            await bot.http.request(callback(interaction_of(place, other)), json=body)
        assert wrong.value.code == 50035


async def test_an_ephemeral_answer_is_for_one_person_alone(place: Place, bot: LoopbackBot) -> None:
    panel = Panel(lambda one: one.response.defer())
    outcome = await answering(
        place,
        bot,
        lambda one: one.response.send_message("psst", ephemeral=True, view=panel),
    )
    message_id = outcome.message["id"]
    assert outcome.message["flags"] == EPHEMERAL
    assert [each["id"] for each in place.world.messages(place.text.id, place.quartz.id)] == [message_id]
    assert place.world.messages(place.text.id, place.beryl.id) == place.world.messages(place.text.id) == []
    assert "sees no message" in await refused(place.beryl.click(message_id, "go"))
    assert bot.count["message"] == 0
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    assert [each async for each in channel.history()] == []
    partial = channel.get_partial_message(int(message_id))
    for act in (partial.fetch, partial.delete, partial.pin, lambda: partial.add_reaction("👍")):
        with pytest.raises(discord.NotFound):
            await act()
    with pytest.raises(discord.NotFound):
        await partial.edit(content="seen")
    with pytest.raises(discord.NotFound):
        await partial.create_thread(name="seen")
    said = await place.beryl.send(place.text, "for all")
    await channel.delete_messages([discord.Object(int(message_id)), discord.Object(int(said["id"]))])
    assert len(place.world.messages(place.text.id, place.quartz.id)) == 1


async def test_dismissed_is_gone_for_the_person_and_not_for_the_bot(place: Place, bot: LoopbackBot) -> None:
    panel = Panel(lambda one: one.response.defer())
    outcome = await answering(
        place, bot, lambda one: one.response.send_message("psst", ephemeral=True, view=panel)
    )
    await place.quartz.dismiss(outcome.message["id"])
    assert place.world.messages(place.text.id, place.quartz.id) == []
    assert "sees no message" in await refused(place.quartz.click(outcome.message["id"], "go"))
    route = hook(bot, interaction_of(place, outcome), "/messages/@original", "PATCH")
    assert (await bot.http.request(route, json={"content": "still"}))["content"] == "still"
    assert place.world.messages(place.text.id, place.quartz.id) == []
    said = await place.beryl.send(place.text, "for all")
    assert "nobody else sees" in await refused(place.quartz.dismiss(said["id"]))


async def test_deadlines_are_of_sandbox_time(place: Place, bot: LoopbackBot) -> None:
    place.world.interaction_wait = 0.05
    first = interaction_of(place, await answering(place, bot, lambda one: asyncio.sleep(0)))
    await place.world.clock.advance(3.0)
    await bot.http.request(callback(first), json={"type": 5})
    second = interaction_of(place, await place.quartz.slash("do", place.text))
    await place.world.clock.advance(3.001)
    with pytest.raises(discord.NotFound) as late:
        await bot.http.request(callback(second), json={"type": 5})
    assert late.value.code == 10062
    with pytest.raises(discord.NotFound) as never:
        await bot.http.request(hook(bot, second, method="POST"), json={"content": "x"})
    assert never.value.code == 10015
    with pytest.raises(discord.HTTPException) as twice:
        await bot.http.request(callback(first), json={"type": 5})
    assert twice.value.code == 40060
    await place.world.clock.advance(15 * 60 - 6.002)
    await bot.http.request(hook(bot, first, "/messages/@original", "PATCH"), json={"content": "just"})
    await place.world.clock.advance(0.002)
    for method, path in (("PATCH", "/messages/@original"), ("POST", ""), ("GET", "/messages/@original")):
        with pytest.raises(discord.HTTPException) as expired:
            await bot.http.request(
                hook(bot, first, path, method), **({} if method == "GET" else {"json": {"content": "x"}})
            )
        assert (expired.value.status, expired.value.code) == (401, 50027)


async def test_a_token_of_nobody(place: Place, bot: LoopbackBot) -> None:
    for path, code in (("/interactions/1/x/callback", 10062), (f"/webhooks/{bot.application_id}/x", 10015)):
        with pytest.raises(discord.NotFound) as unknown:
            await bot.http.request(Route("POST", path), json={"type": 5, "content": "x"})
        assert unknown.value.code == code


async def test_messages_of_another_interaction_are_out_of_reach(place: Place, bot: LoopbackBot) -> None:
    first = await answering(place, bot, lambda one: one.response.send_message("mine"))
    second = await place.quartz.slash("do", place.text)
    one = interaction_of(place, second)
    with pytest.raises(discord.NotFound) as other:
        await bot.http.request(hook(bot, one, f"/messages/{first.message['id']}"))
    assert other.value.code == 10008
