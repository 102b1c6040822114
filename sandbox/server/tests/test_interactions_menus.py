"""What people find in their menus: languages, commands on users and messages, and who is offered what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands
from support.loopback import LoopbackBot, Place, refused

GERMAN = {
    "crew": "mannschaft",
    "pay": "zahlen",
    "Pay the crew": "Die Mannschaft bezahlen",
    "ore": "erz",
    "gold": "Gold auf Deutsch",
    "salute": "Grüßen",
}


class German(app_commands.Translator):
    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: Any
    ) -> str | None:
        return GERMAN.get(string.message) if locale is discord.Locale.german else None


@pytest.fixture
async def menus(place: Place) -> AsyncIterator[LoopbackBot]:
    bot = LoopbackBot(place.server)
    crew = app_commands.Group(name="crew", description="Crew")

    @crew.command(name="pay", description="Pay the crew")
    @app_commands.choices(ore=[app_commands.Choice(name=app_commands.locale_str("gold"), value="au")])
    async def pay(interaction: discord.Interaction, ore: str, share: int = 1) -> None:
        await interaction.response.send_message(f"{interaction.locale} {ore} {share}")

    @crew.command(name="find")
    async def find(interaction: discord.Interaction, ore: str, kind: str = "raw") -> None:
        await interaction.response.send_message(ore)

    @find.autocomplete("ore")
    async def ores(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        kind = interaction.namespace.kind
        return [app_commands.Choice(name=f"{interaction.locale} {current} {kind}", value=current)]

    @bot.tree.context_menu(name="salute")
    async def salute(interaction: discord.Interaction, user: discord.Member) -> None:
        await interaction.response.send_message(f"Hello {user.name}")

    @bot.tree.context_menu(name="Quote it")
    async def quote(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{message.author.name}: {message.content}")

    @bot.tree.command(name="secret", nsfw=True)
    async def secret(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("hush")

    @bot.tree.command(name="manage")
    @app_commands.default_permissions(manage_guild=True)
    async def manage(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("done")

    @bot.tree.command(name="alone")
    @app_commands.allowed_contexts(guilds=False, dms=True)
    async def alone(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("only us")

    bot.tree.add_command(crew)
    await bot.begin(place.world.token)
    await bot.tree.set_translator(German())
    await bot.tree.sync()
    yield bot
    await bot.end()


async def test_a_person_reads_and_types_their_own_language(place: Place, menus: LoopbackBot) -> None:
    place.quartz.set_locale("de")
    entry = next(each for each in place.quartz.menu if each["command"] == "crew pay")
    assert (entry["shown"], entry["description"]) == ("mannschaft zahlen", "Die Mannschaft bezahlen")
    assert entry["options"][0]["shown"] == "erz"
    assert entry["options"][0]["choices"] == [{"name": "gold", "value": "au", "shown": "Gold auf Deutsch"}]
    given = {"erz": "Gold auf Deutsch"}
    answered = await place.quartz.slash("mannschaft zahlen", place.text, given)
    assert answered.message is not None
    assert answered.message["content"] == "de au 1"
    assert answered.message["interaction"]["name"] == "crew pay"
    registered = await place.quartz.slash("crew pay", place.text, {"ore": "au", "share": 2})
    assert registered.message is not None
    assert registered.message["content"] == "de au 2"
    assert "takes one of: Gold auf Deutsch" in await refused(
        place.quartz.slash("crew pay", place.text, {"ore": "iron"})
    )


async def test_translations_are_listed_when_asked_for(place: Place, menus: LoopbackBot) -> None:
    route = discord.http.Route("GET", f"/applications/{menus.application_id}/commands")
    plain = await menus.http.request(route)
    whole = await menus.http.request(route, params={"with_localizations": "true"})
    assert "_localizations" not in str(plain)
    crew = next(each for each in whole if each["name"] == "crew")
    assert crew["name_localizations"] == {"de": "mannschaft"}
    assert crew["options"][0]["options"][0]["name_localizations"] == {"de": "erz"}


async def test_others_do_not_understand_it(place: Place, menus: LoopbackBot) -> None:
    entry = next(each for each in place.beryl.menu if each["command"] == "crew pay")
    assert (entry["shown"], entry["description"]) == ("crew pay", "Pay the crew")
    assert "not in this guild's menu" in await refused(
        place.beryl.slash("mannschaft zahlen", place.text, {"ore": "au"})
    )
    with pytest.raises(Exception, match="Discord has no language 'xx'"):
        place.beryl.set_locale("xx")
    assert place.beryl.locale == "en-US"


async def test_autocomplete_knows_the_other_options_and_the_language(
    place: Place, menus: LoopbackBot
) -> None:
    place.quartz.set_locale("de")
    given = {"erz": "go", "kind": "refined"}
    asked = await place.quartz.autocomplete("mannschaft find", place.text, given, focused="erz")
    assert asked.choices == [{"name": "de go refined", "value": "go"}]
    assert "has no autocomplete" in await refused(
        place.quartz.autocomplete("crew find", place.text, focused="kind")
    )


async def test_a_command_on_a_user(place: Place, menus: LoopbackBot) -> None:
    used = await place.quartz.use_on_user("salute", place.beryl, place.text)
    assert used.message is not None
    assert used.message["content"] == "Hello beryl"
    assert used.message["interaction_metadata"]["target_user"]["id"] == str(place.beryl.id)
    place.quartz.set_locale("de")
    used = await place.quartz.use_on_user("Grüßen", place.quartz, place.text)
    assert used.message is not None
    assert used.message["content"] == "Hello quartz"
    assert "not in the menu there; it has: Grüßen" in await refused(
        place.quartz.use_on_user("Quote it", place.beryl, place.text)
    )
    assert "not a member" in await refused(place.quartz.use_on_user("salute", 1, place.text))


async def test_a_command_on_a_message(place: Place, menus: LoopbackBot) -> None:
    said = await place.beryl.send(place.text, "gold at the ridge")
    used = await place.quartz.use_on_message("Quote it", said["id"])
    assert used.message is not None
    assert used.message["content"] == "beryl: gold at the ridge"
    assert used.message["interaction_metadata"]["target_message_id"] == said["id"]
    assert "sees no message" in await refused(place.quartz.use_on_message("Quote it", 1))


async def test_old_menus_still_hold_them(place: Place, menus: LoopbackBot) -> None:
    menus.tree.remove_command("salute", type=discord.AppCommandType.user)
    await menus.tree.sync()
    assert "not in the menu" in await refused(place.quartz.use_on_user("salute", place.beryl, place.text))
    place.world.interaction_wait = 0.05
    used = await place.quartz.use_on_user("salute", place.beryl, place.text, stale=True)
    assert used.kind == "none"


async def test_each_is_offered_what_they_may_use(place: Place, menus: LoopbackBot) -> None:
    owner = place.world.person(place.guild.id, place.guild.owner_id)
    assert "manage" in {each["command"] for each in owner.menu}
    offered = {each["command"] for each in place.beryl.menu}
    assert "manage" not in offered
    assert offered >= {"crew pay", "crew find", "salute", "Quote it", "secret"}
    assert "alone" not in offered
    assert "lacks the permissions" in await refused(place.beryl.slash("manage", place.text))
    assert "not in this guild's menu" in await refused(owner.slash("alone", place.text))


async def test_places_that_take_no_commands(place: Place, menus: LoopbackBot) -> None:
    category = next(each for each in place.guild.channels.values() if each.type == 4)
    assert "takes no commands" in await refused(place.quartz.slash("crew find", category, {"ore": "x"}))
    assert "age-restricted" in await refused(place.quartz.slash("secret", place.text))
    place.text.nsfw = True
    assert (await place.quartz.slash("secret", place.text)).kind == "message"
    spoken = await place.quartz.slash("crew find", place.dispatch, {"ore": "in voice"})
    assert spoken.kind == "message"


async def test_menus_over_the_control_address(place: Place, menus: LoopbackBot) -> None:
    base = f"{place.server.addresses.control}/guilds/{place.guild.id}/members/{place.quartz.id}"
    async with aiohttp.ClientSession() as session:

        async def post(verb: str, **body: Any) -> Any:
            async with session.post(f"{base}/{verb}", json=body) as answer:
                return await answer.json()

        assert await post("locale", locale="de") == {"locale": "de"}
        async with session.get(f"{base}/menu") as answer:
            told = await answer.json()
        assert told["locale"] == "de"
        assert "Grüßen" in [each["shown"] for each in told["commands"]]
        used = await post("context", command="salute", user_id=place.beryl.id, channel_id=place.text.id)
        assert used["message"]["content"] == "Hello beryl"
        quoted = await post("context", command="Quote it", message_id=used["message"]["id"])
        assert quoted["message"]["content"] == f"{place.world.bot_user.username}: Hello beryl"
        assert "say on what" in (await post("context", command="salute"))["error"]
        assert "nobody else" in (await post("dismiss", message_id=used["message"]["id"]))["error"]
