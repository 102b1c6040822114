"""/help, /plugins info and /plugins why: what is said agrees with what can be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.mining import said
from support.plugin_folder import PluginFolder

from core.commands.overrides import ROLE
from sandbox.server import Outcome, Person
from sandbox.server.command_permissions import Rule
from sandbox.stage import Stage

DIG = """
dig = app_commands.Group(name="dig", description="x", guild_only=True)

def add(name, rank):
    @dig.command(name=name, description="Dig for " + name)
    @requires(rank)
    @app_commands.describe(depth="How deep")
    async def leaf(interaction: discord.Interaction, depth: int = 1) -> None:
        await reply(interaction, "dug " + name)

add("ore", "member")
add("gold", "officer")
add("core", "admin")
add("sand", "guest")

@hookimpl
def register_commands():
    return [dig]

@hookimpl
def register_help():
    return [
        HelpTopic("safety", "Safety below", "Wear a **helmet**."),
        HelpTopic("prices", "What ore brings", "It depends.", rank="officer"),
    ]

@hookimpl
async def on_guild_enabled(ctx):
    if ctx.guild_id in TROUBLED:
        raise RuntimeError("the shaft is flooded")

@hookimpl
async def on_channel_deleted(ctx, event):
    raise RuntimeError("the shaft is flooded")

TROUBLED = set()
"""


@pytest.fixture
async def stage(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("ground", kind="library")
    folder.write(
        "dig",
        DIG,
        requires=["ground"],
        permissions=["view_channel", "manage_channels", "kick_members"],
        personal_data="Who dug how deep.",
    )
    folder.write("house", requires=["dig"])
    folder.write("tower", requires=["house"])
    folder.write("broken", "raise RuntimeError('no such file: /srv/bot/secret/place.toml')")
    async with on_stage(lite, folder.selection("dig")) as opened:
        yield opened


def shown(outcome: Outcome) -> dict[str, Any]:
    assert outcome.message is not None
    assert outcome.message["flags"] & 64, "only the member who asked reads this"
    (embed,) = outcome.message["embeds"]
    return dict(embed)


def fields(embed: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in embed.get("fields", [])}


async def ask(stage: Stage, person: Person, topic: str | None = None) -> str:
    options = {} if topic is None else {"topic": topic}
    return str(shown(await stage.slash(person, "help", options))["description"])


async def switch(stage: Stage, word: str, plugin: str) -> Outcome:
    return await stage.slash(stage.scene.owner, f"plugins {word}", {"plugin": plugin})


async def test_help_shows_what_the_member_can_run(stage: Stage) -> None:
    scene = stage.scene
    member, officer, admin = [
        await ask(stage, person) for person in (scene.members[0], scene.officer, scene.owner)
    ]
    for text, may, may_not in (
        (member, ("dig ore", "dig sand", "plugins list", "help"), ("dig gold", "dig core", "plugins enable")),
        (officer, ("dig ore", "dig gold"), ("dig core", "plugins enable")),
        (admin, ("dig ore", "dig gold", "dig core", "plugins enable"), ()),
    ):
        assert "**Dig**" in text
        assert all(f"`/{path}`" in text for path in may)
        assert not any(f"`/{path}`" in text for path in may_not)
    assert "`/dig ore` — Dig for ore" in member
    assert "`/help topic:dig.safety` — Safety below" in member
    assert "dig.prices" not in member
    assert "dig.prices" in officer


async def test_every_line_of_help_can_be_run(stage: Stage) -> None:
    """And every command that is not there is refused."""
    for person in (stage.scene.members[0], stage.scene.officer):
        text = await ask(stage, person)
        for name in ("ore", "gold", "core", "sand"):
            outcome = await stage.slash(person, f"dig {name}")
            assert outcome.message is not None
            refused = "This needs the rank" in outcome.message["content"]
            assert refused is (f"`/dig {name}`" not in text)


async def test_help_in_a_server_with_nothing_on(stage: Stage) -> None:
    quartz = stage.scene.members[0]
    await switch(stage, "disable", "dig")
    embed = shown(await stage.slash(quartz, "help"))
    assert "/dig" not in embed["description"]
    assert "`/plugins list`" in embed["description"]
    assert fields(embed) == {
        "No feature is on in this server": "An admin switches features on with /plugins enable; "
        "/plugins list shows which there are."
    }
    for topic in ("dig", "dig.safety", "dig ore"):
        refused = said(await stage.slash(quartz, "help", {"topic": topic}))
        assert refused.startswith(f"There is no help on {topic} for you here.")
    other = stage.scene.second.members[0]
    assert "`/dig ore`" in await ask(stage, other)


async def test_topics_and_single_commands(stage: Stage) -> None:
    quartz, officer = stage.scene.members[0], stage.scene.officer
    embed = shown(await stage.slash(quartz, "help", {"topic": "dig.safety"}))
    assert (embed["title"], embed["description"]) == ("Safety below", "Wear a **helmet**.")
    assert "There is no help on dig.prices for you here." in said(
        await stage.slash(quartz, "help", {"topic": "dig.prices"})
    )
    assert await ask(stage, officer, "dig.prices") == "It depends."
    whole = await ask(stage, quartz, "Dig")
    assert "`/dig ore`" in whole
    assert "/plugins" not in whole
    one = await ask(stage, quartz, "/dig ore")
    assert "Dig for ore" in one
    assert "`depth` (may be left out) — How deep" in one
    assert "Part of Dig; for the rank member and above." in one
    typed = await quartz.autocomplete("help", stage.scene.text, {"topic": "dig"}, focused="topic")
    offered = {choice["value"] for choice in typed.choices or []}
    assert offered == {"dig.safety", "dig ore", "dig sand"}


async def test_pages_are_turned_for_who_presses(folder: PluginFolder, lite: str, on_stage: Any) -> None:
    for number in range(6):
        code = DIG.replace('name="dig"', f'name="dig{number}"').replace(
            '"Dig for " + name', '"Dig for " + name + " " * 3 + "x" * 80'
        )
        more = "\n".join(f'add("more{n}", "member")' for n in range(18))
        folder.write(f"plug{number}", code.replace('add("sand", "guest")', more))
    async with on_stage(lite, folder.selection(*folder.names)) as stage:
        quartz = stage.scene.members[0]
        outcome = await stage.slash(quartz, "help")
        message = outcome.message
        assert message is not None
        seen = [message["embeds"][0]["description"]]
        total = int(message["embeds"][0]["footer"]["text"].rpartition(" ")[2])
        assert total > 3
        back, after = message["components"][0]["components"]
        assert back["disabled"]
        # Buttons find their way after a restart too.
        await stage.stop_bot()
        await stage.start_bot()
        for page in range(1, total):
            await quartz.click(message["id"], after["custom_id"])
            await stage.settle()
            message = seen_by(stage, quartz, message["id"])
            embed = message["embeds"][0]
            assert embed["footer"]["text"] == f"Page {page + 1} of {total}"
            seen.append(embed["description"])
            _back, after = message["components"][0]["components"]
        assert after["disabled"]
        whole = "\n".join(seen)
        assert all(f"`/dig{n} more{m}`" in whole for n in range(6) for m in range(18))


def seen_by(stage: Stage, person: Person, message_id: str) -> dict[str, Any]:
    messages = stage.world.messages(stage.scene.text.id, person.id)
    return next(each for each in messages if each["id"] == message_id)


async def test_info_tells_three_facts(stage: Stage, folder: PluginFolder) -> None:
    owner, quartz = stage.scene.owner, stage.scene.members[0]
    embed = shown(await stage.slash(quartz, "plugins info", {"plugin": "dig"}))
    told = fields(embed)
    assert told["State"] == "✅ Wanted: yes\n✅ Loaded: yes, version 1.0.0\n✅ Healthy: yes"
    assert told["Needs"] == "Ground (on)"
    assert told["Personal data"] == "Who dug how deep."
    assert (
        told["Commands"]
        == "`/dig core` (admin)\n`/dig gold` (officer)\n`/dig ore` (member)\n`/dig sand` (guest)"
    )
    assert told["Menu at Discord"] == "It is up to date."
    assert "Kick Members" in told["My permissions"]
    assert (
        "New commands in the last 24 hours: 1 of 180."
        in fields(shown(await stage.slash(owner, "plugins info", {"plugin": "dig"})))["Menu at Discord"]
    )
    # Its events fail until it is left alone; its commands still work.
    for _ in range(5):
        stage.runtime.dispatcher.deliver(stage.scene.guild.id, "on_channel_deleted")
    await stage.settle()
    told = fields(shown(await stage.slash(quartz, "plugins info", {"plugin": "dig"})))
    assert (
        "❌ Healthy: no, it failed 5 times in a row and gets no events; it is tried again <t:"
        in told["State"]
    )
    listed = str((await stage.slash(quartz, "plugins list")).message)
    assert "🟠 **Dig**" in listed
    assert "🟢" not in listed
    assert (await stage.slash(quartz, "dig ore")).message is not None
    why = shown(await stage.slash(quartz, "plugins why", {"command": "dig ore"}))["description"]
    assert "can run it here" in why
    assert "❔ It is not well: it failed 5 times in a row" in why
    elsewhere = shown(await stage.slash(stage.scene.second.members[0], "plugins info", {"plugin": "dig"}))
    assert "✅ Healthy: yes" in fields(elsewhere)["State"], "one guild's trouble is not another's"
    # Off and on again is a fresh start.
    await switch(stage, "disable", "dig")
    told = fields(shown(await stage.slash(quartz, "plugins info", {"plugin": "dig"})))
    assert told["State"].startswith("❌ Wanted: no")
    await switch(stage, "enable", "dig")
    told = fields(shown(await stage.slash(quartz, "plugins info", {"plugin": "dig"})))
    assert "✅ Healthy: yes" in told["State"]


async def test_info_of_what_is_broken_or_unknown(stage: Stage) -> None:
    owner, quartz = stage.scene.owner, stage.scene.members[0]
    told = fields(shown(await stage.slash(quartz, "plugins info", {"plugin": "broken"})))
    assert told["State"] == "❌ Wanted: no\n❌ Loaded: no, it was left out when I started"
    assert told["Why"] == "Admins are shown the reason here."
    told = fields(shown(await stage.slash(owner, "plugins info", {"plugin": "broken"})))
    assert "no such file" in told["Why"]
    assert "place.toml" in told["Why"]
    assert "/srv/bot/secret" not in told["Why"]
    assert said(await stage.slash(quartz, "plugins info", {"plugin": "no*thing*"})) == (
        r"There is no plugin called no\*thing\*. /plugins list shows them all."
    )


async def test_a_fault_while_switching_on_is_told(
    stage: Stage, folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    await switch(stage, "disable", "dig")
    folder.module("dig").TROUBLED.add(stage.scene.guild.id)
    text = said(await switch(stage, "enable", "dig"))
    assert "**Dig** is on." in text
    assert "Dig had a fault when it was switched on: whoever runs me finds it in the log." in text
    assert "the shaft is flooded" in caplog.text
    await stage.advance(20)
    assert (await stage.slash(stage.scene.members[0], "dig ore")).message is not None


async def test_missing_permissions_are_said_in_words(stage: Stage) -> None:
    guild = stage.scene.guild
    role = guild.bot_role
    assert role is not None
    await switch(stage, "disable", "dig")
    text = said(await switch(stage, "enable", "dig"))
    lacking = [
        words
        for words, bit in (("Manage Channels", 1 << 4), ("Kick Members", 1 << 1))
        if not role.permissions & bit
    ]
    assert lacking, "the sandbox's bot comes without some of them"
    assert f"It needs permissions that I do not have in this server: {', '.join(lacking)}." in text
    assert "View Channels" not in text
    assert stage.runtime.guilds.wanted(guild.id, "dig")


async def test_what_is_needed_is_switched_on_by_a_button(stage: Stage) -> None:
    owner, guild = stage.scene.owner, stage.scene.guild.id
    await switch(stage, "disable", "dig")
    await stage.advance(20)
    outcome = await switch(stage, "enable", "tower")
    assert said(outcome) == "**Tower** will be on as soon as what it needs is on too: Dig, House."
    assert outcome.message is not None
    (button,) = outcome.message["components"][0]["components"]
    assert button["label"] == "Switch on Dig, House too"
    assert stage.runtime.guilds.active(guild) == frozenset()
    pressed = await owner.click(outcome.message["id"], button["custom_id"])
    await stage.settle()
    assert "**Tower** is on. So is what it needs: Dig, House." in said(pressed)
    assert stage.runtime.guilds.active(guild) == {"ground", "dig", "house", "tower"}
    again = await owner.click(outcome.message["id"], button["custom_id"])
    assert said(again) == "**Tower** is already on here."
    # There is nothing to say of a menu that the feature has no part in.
    assert said(await switch(stage, "disable", "tower")) == "**Tower** is off. Its data stays."
    assert said(await switch(stage, "enable", "tower")) == "**Tower** is on."
    for word, words in (("info", "No plugin was named."), ("enable", "No feature was named.")):
        assert words in said(await switch(stage, word, "  "))
    # Off takes along what rests on it, and says so; it all comes back with it.
    text = said(await switch(stage, "disable", "dig"))
    assert "What needs it is off too, until it is on again: House, Tower." in text
    assert stage.runtime.guilds.active(guild) == frozenset()
    assert "**Dig** is on." in said(await switch(stage, "enable", "dig"))
    assert stage.runtime.guilds.active(guild) == {"ground", "dig", "house", "tower"}


async def test_why_goes_check_by_check(stage: Stage) -> None:
    scene = stage.scene
    quartz, officer = scene.members[0], scene.officer

    async def why(person: Person, command: str, **more: Any) -> str:
        outcome = await stage.slash(person, "plugins why", {"command": command, **more})
        message = await outcome.final()
        return str(message["embeds"][0]["description"]) if message["embeds"] else str(message["content"])

    text = await why(quartz, "/dig ore")
    assert text.splitlines()[0].endswith("can run it here.")
    assert "❌" not in text
    text = await why(quartz, "dig gold")
    assert text.splitlines()[0].endswith("cannot run it here.")
    assert "❌ It needs the rank officer; the member's is member." in text
    assert "✅ It needs the rank officer; the member's is officer." in await why(officer, "dig gold")
    text = await why(officer, "dig gold", member=str(quartz.id))
    assert "❌ It needs the rank officer; the member's is member." in text
    assert "Only officers may ask about somebody else." in await why(
        quartz, "dig gold", member=str(officer.id)
    )
    assert "is on in every server" in await why(quartz, "plugins list")
    assert "No command was named." in await why(quartz, " / ")
    text = await why(quartz, "dig orr")
    assert "/dig orr is not a command of mine. Did you mean" in text
    assert "/dig ore" in text
    # The server's own settings at Discord hide it from everyone.
    guild = scene.guild
    command = next(each for each in stage.world.commands.all(guild.id) if each["name"] == "dig")
    stage.world.command_permissions.set(guild, int(command["id"]), (Rule(guild.id, ROLE, False),))
    text = await why(quartz, "dig ore")
    assert "❌ The server's settings for integrations hide it from everyone else." in text
    assert "can run it here" in await why(scene.owner, "dig ore"), "administrators see everything"
    await switch(stage, "disable", "dig")
    text = await why(quartz, "dig ore")
    assert "❌ It is off here; an admin switches it on with /plugins enable." in text
    assert "✅ The menu at Discord is up to date." in text
    assert "Discord has no /dig" not in text, "it is as it should be"
    typed = await quartz.autocomplete("plugins why", scene.text, {"command": "dig"}, focused="command")
    assert {choice["value"] for choice in typed.choices or []} == {
        "dig ore",
        "dig gold",
        "dig core",
        "dig sand",
    }
