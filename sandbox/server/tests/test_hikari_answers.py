"""hikari's REST: commands in bulk, interactions in each of the ways there are, files, and rate limits."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import hikari
import pytest
from support.hikari_bot import Rabbit, rabbit
from support.loopback import Place, eventually

MESSAGES = "/channels/{channel_id}/messages"


@pytest.fixture
async def hopper(place: Place) -> AsyncIterator[Rabbit]:
    async with rabbit(place.server) as hopper:
        for kind, listener in (
            (hikari.CommandInteractionCreateEvent, _command),
            (hikari.AutocompleteInteractionCreateEvent, _autocomplete),
            (hikari.ComponentInteractionCreateEvent, _component),
            (hikari.ModalInteractionCreateEvent, _modal),
        ):
            hopper.bot.event_manager.subscribe(kind, listener)
        await hopper.rest.set_application_commands(place.world.application_id, _commands(hopper))
        yield hopper


def _commands(hopper: Rabbit) -> list[hikari.api.CommandBuilder]:
    haul = hopper.rest.slash_command_builder("haul", "Bring ore home")
    kinds = hikari.OptionType
    for kind, name, more in (
        (kinds.STRING, "ore", {"autocomplete": True, "is_required": True}),
        (kinds.INTEGER, "amount", {"min_value": 1, "max_value": 99}),
        (kinds.USER, "pilot", {}),
        (kinds.CHANNEL, "port", {"channel_types": [hikari.ChannelType.GUILD_VOICE]}),
        (kinds.ROLE, "crew", {}),
        (kinds.ATTACHMENT, "receipt", {}),
    ):
        option = hikari.CommandOption(type=kind, name=name, description=name, **more)
        haul.add_option(option)
    return [haul, hopper.rest.slash_command_builder("report", "A file, later")]


async def _command(event: hikari.CommandInteractionCreateEvent) -> None:
    interaction = event.interaction
    if interaction.command_name == "report":
        await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
        report = hikari.Bytes(b"ore;1\n", "report.csv")
        embed = hikari.Embed(title="Report").set_image(hikari.Bytes(b"png", "chart.png"))
        await interaction.edit_initial_response("Here it is", attachment=report, embed=embed)
        await interaction.execute("That is all", flags=hikari.MessageFlag.EPHEMERAL)
        return
    resolved = interaction.resolved
    given = {option.name: option.value for option in interaction.options or ()}
    words = [str(given["ore"]), str(given.get("amount"))]
    if resolved is not None:
        words += [user.username for user in resolved.users.values()]
        words += [str(channel.name) for channel in resolved.channels.values()]
        words += [role.name for role in resolved.roles.values()]
        words += [file.filename for file in resolved.attachments.values()]
    rest = interaction.app.rest
    row = rest.build_message_action_row().add_interactive_button(
        hikari.ButtonStyle.PRIMARY, "form", label="Fill in"
    )
    menu = rest.build_message_action_row().add_text_menu("ore").add_option("Gold", "gold")
    await interaction.create_initial_response(
        hikari.ResponseType.MESSAGE_CREATE, ", ".join(words), components=[row, menu.parent]
    )


async def _autocomplete(event: hikari.AutocompleteInteractionCreateEvent) -> None:
    typed = next(option.value for option in event.interaction.options if option.is_focused)
    await event.interaction.create_response(
        [hikari.impl.AutocompleteChoiceBuilder(f"{typed} ore", f"{typed} ore")]
    )


async def _component(event: hikari.ComponentInteractionCreateEvent) -> None:
    interaction = event.interaction
    if interaction.custom_id == "form":
        row = interaction.app.rest.build_modal_action_row().add_text_input("amount", "Amount", max_length=5)
        await interaction.create_modal_response("Haul", "haul", components=[row])
    else:
        await interaction.create_initial_response(
            hikari.ResponseType.MESSAGE_UPDATE, f"{interaction.values[0]} it is", components=[]
        )


async def _modal(event: hikari.ModalInteractionCreateEvent) -> None:
    field = event.interaction.components[0][0]
    await event.interaction.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, f"{field.value} SCU")


async def test_commands_are_overwritten_in_bulk_and_told_back(hopper: Rabbit, place: Place) -> None:
    mine = place.world.application_id
    there = await hopper.rest.fetch_application_commands(mine)
    assert {one.name for one in there} == {"haul", "report"}
    here = hopper.rest.slash_command_builder("here", "Only here").set_name_localizations({"de": "hier"})
    [made] = await hopper.rest.set_application_commands(mine, [here], guild=place.guild.id)
    assert isinstance(made, hikari.SlashCommand)
    assert (made.guild_id, made.name_localizations) == (place.guild.id, {"de": "hier"})
    await hopper.rest.set_application_commands(mine, [], guild=place.guild.id)
    assert list(await hopper.rest.fetch_application_commands(mine, guild=place.guild.id)) == []


async def test_a_slash_command_with_every_kind_of_option(hopper: Rabbit, place: Place) -> None:
    typed = await place.quartz.autocomplete("haul", place.text, {"ore": "raw"}, focused="ore")
    assert typed.choices == [{"name": "raw ore", "value": "raw ore"}]
    role = next(one for one in place.guild.roles.values() if one.name == "Officer")
    options = {
        "ore": "gold",
        "amount": 7,
        "pilot": str(place.beryl.id),
        "port": str(place.alpha.id),
        "crew": str(role.id),
        "receipt": {"filename": "receipt.txt", "data": "MTI="},
    }
    outcome = await place.quartz.slash("haul", place.text, options)
    assert outcome.message is not None
    assert outcome.message["content"] == "gold, 7, beryl, Alpha, Officer, receipt.txt"


async def test_a_button_a_modal_and_a_menu(hopper: Rabbit, place: Place) -> None:
    shown = (await place.quartz.slash("haul", place.text, {"ore": "gold"})).message
    assert shown is not None
    opened = await place.quartz.click(shown["id"], "form")
    assert (opened.kind, opened.interaction_id is not None) == ("modal", True)
    sent = await place.quartz.submit(str(opened.interaction_id), {"amount": "12"})
    assert sent.message is not None
    assert sent.message["content"] == "12 SCU"
    picked = await place.quartz.choose(shown["id"], "ore", ["gold"])
    assert picked.message is not None
    assert (picked.kind, picked.message["content"]) == ("update", "gold it is")


async def test_a_deferred_answer_with_files_and_an_ephemeral_follow_up(hopper: Rabbit, place: Place) -> None:
    outcome = await place.quartz.slash("report", place.text)
    assert outcome.kind == "deferred"
    report = await outcome.final()
    assert {one["filename"] for one in report["attachments"]} == {"report.csv", "chart.png"}
    assert place.world.attachment(int(report["id"]), "report.csv") == b"ore;1\n"
    seen = await eventually(
        lambda: [
            one
            for one in place.world.messages(place.text.id, as_user=place.quartz.id)
            if one["content"] == "That is all"
        ]
    )
    assert seen[0]["flags"] & hikari.MessageFlag.EPHEMERAL


async def test_messages_with_files_are_sent_edited_fetched_and_deleted(hopper: Rabbit, place: Place) -> None:
    prices = hikari.Bytes(b"gold 6", "prices.txt")
    sent = await hopper.rest.create_message(place.text.id, "Prices", attachment=prices)
    assert place.world.attachment(sent.id, "prices.txt") == b"gold 6"
    edited = await sent.edit("New prices", attachment=None)
    assert (edited.content, len(edited.attachments)) == ("New prices", 0)
    reply = await sent.respond("Thanks", reply=True)
    assert reply.referenced_message is not None
    assert reply.referenced_message.id == sent.id
    history = await hopper.rest.fetch_messages(place.text.id).limit(2)
    assert [one.id for one in history] == [reply.id, sent.id]
    gone = await hopper.hears(hikari.GuildMessageDeleteEvent, reply.delete)
    assert gone.message_id == reply.id
    said = await hopper.hears(
        hikari.GuildMessageCreateEvent, lambda: place.quartz.send(place.text, "Ready"), lambda e: e.is_human
    )
    assert said.content == "Ready"
    with pytest.raises(hikari.NotFoundError):
        await hopper.rest.fetch_message(place.text.id, reply.id)
    with pytest.raises(hikari.BadRequestError, match="2000"):
        await hopper.rest.create_message(place.text.id, "a" * 2001)


@pytest.mark.parametrize("scope", ["user", "global", "shared"])
async def test_a_429_is_waited_for(hopper: Rabbit, place: Place, scope: str) -> None:
    if scope != "user":
        # hikari asks its global limit only for buckets that it knows, and trusts its own count of those.
        await hopper.rest.create_message(place.text.id, "Hello")
    fault = place.world.faults.http.rate_limit(route=f"POST {MESSAGES}", retry_after=0.3, scope=scope)
    before = time.monotonic()
    await hopper.rest.create_message(place.text.id, "Patience")
    assert time.monotonic() - before >= 0.3
    assert fault.hits == 1
    said = [one["content"] for one in place.world.messages(place.text.id)]
    assert said.count("Patience") == 1


async def test_buckets_are_kept_without_a_429(hopper: Rabbit, place: Place) -> None:
    place.world.rate_limits.limit("POST", MESSAGES, 3, 0.4)
    before = time.monotonic()
    for number in range(7):
        await hopper.rest.create_message(place.text.id, f"Message {number}")
    assert time.monotonic() - before >= 0.8
    answers = [one["status"] for one in place.world.log if one.get("route") == MESSAGES]
    assert answers == [200] * 7
