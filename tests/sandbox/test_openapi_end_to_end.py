"""A real discord.py bot on the sandbox, everything both sides say judged by Discord's API description."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands
from support.openapi_judge import Findings, Judge, attach

from sandbox.server import Outcome, SandboxServer, World, WorldClock
from sandbox.stories import Scene, sunday

WAIT = 10.0


class Form(discord.ui.Modal, title="Haul"):
    ore = discord.ui.Label(
        text="Ore",
        description="Which one",
        component=discord.ui.Select(options=[discord.SelectOption(label=one) for one in ("Gold", "Tin")]),
    )
    amount = discord.ui.Label(text="Amount", component=discord.ui.TextInput(default="5", max_length=6))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.ore.component, discord.ui.Select)
        assert isinstance(self.amount.component, discord.ui.TextInput)
        words = f"{self.amount.component.value} {self.ore.component.values[0]}"
        await interaction.response.send_message(words, ephemeral=True)


class Buttons(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.add_item(discord.ui.Button(label="More", url="https://example.org/"))

    @discord.ui.button(label="Fill in", custom_id="form", style=discord.ButtonStyle.primary)
    async def form(self, interaction: discord.Interaction, button: Any) -> None:
        await interaction.response.send_modal(Form())

    @discord.ui.button(label="Change", custom_id="change")
    async def change(self, interaction: discord.Interaction, button: Any) -> None:
        button.disabled = True
        await interaction.response.edit_message(content="Changed", view=self)

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction: discord.Interaction, button: Any) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="Later")

    @discord.ui.select(
        custom_id="ore", options=[discord.SelectOption(label=one) for one in ("Gold", "Tin")], max_values=2
    )
    async def ore(self, interaction: discord.Interaction, select: Any) -> None:
        await interaction.response.send_message(", ".join(select.values), ephemeral=True)

    @discord.ui.select(cls=discord.ui.ChannelSelect, custom_id="where")
    async def where(self, interaction: discord.Interaction, select: Any) -> None:
        await interaction.response.edit_message(embed=discord.Embed(title=select.values[0].name), view=None)


class Page(discord.ui.LayoutView):
    card = discord.ui.Container(
        discord.ui.TextDisplay("# Payroll"),
        discord.ui.Separator(),
        discord.ui.Section("Split", accessory=discord.ui.Button(label="Do", custom_id="do")),
        discord.ui.File("attachment://payroll.csv"),
        accent_colour=discord.Colour.red(),
    )


def build(client: discord.Client) -> app_commands.CommandTree:
    """Register commands with every kind of option and answer."""
    tree = app_commands.CommandTree(client)
    mining = app_commands.Group(name="mining", description="Mining")

    @mining.command(description="Start")
    @app_commands.describe(title="Its name", hours="How long")
    async def start(
        interaction: discord.Interaction,
        *,
        title: app_commands.Range[str, 1, 50],
        hours: app_commands.Range[int, 1, 12] = 2,
        share: float = 0.5,
        quiet: bool = False,
        channel: discord.VoiceChannel | None = None,
        member: discord.Member | None = None,
        role: discord.Role | None = None,
        report: discord.Attachment | None = None,
    ) -> None:
        await interaction.response.send_message(title, view=Buttons())

    @start.autocomplete("title")
    async def titles(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current} run", value="run")]

    @tree.command(description="Payroll")
    async def payroll(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        embed = discord.Embed(title="Payroll", description="Paid", colour=5, timestamp=datetime.now(UTC))
        embed.add_field(name="quartz", value="1,000").set_footer(text="aUEC")
        files = [
            discord.File(io.BytesIO(b"a;b"), "payroll.csv"),
            discord.File(io.BytesIO(b"%PDF"), "payroll.pdf"),
        ]
        await interaction.edit_original_response(embed=embed, attachments=files)
        await interaction.followup.send("Only you", ephemeral=True)
        more = await interaction.followup.send("All", wait=True)
        await more.edit(content="All of you")
        await more.delete()

    @tree.command(description="Page")
    async def page(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(
            view=Page(timeout=None), file=discord.File(io.BytesIO(b"a;b"), "payroll.csv")
        )

    tree.add_command(mining)
    return tree


class Bench:
    """A bot that is ready on a sandbox, with what the judge has found so far."""

    def __init__(self, scene: Scene, client: discord.Client, findings: Findings) -> None:
        self.scene, self.client, self.findings = scene, client, findings
        self.quartz = scene.members[0]

    async def slash(self, command: str, **options: Any) -> Outcome:
        return await self.quartz.slash(command, channel=self.scene.text, options=options)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    if Judge.load() is None:
        pytest.skip("Discord's API description is not there")
    scene = sunday(World(clock=WorldClock()), members=3)
    findings = attach(scene.world)
    server = SandboxServer(scene.world)
    await server.start()
    connector = aiohttp.UnixConnector(path=str(server.addresses.socket), limit=0)
    client = discord.Client(intents=discord.Intents.all(), connector=connector, guild_ready_timeout=0.1)
    tree = build(client)
    running = asyncio.create_task(client.start(server.addresses.token))
    try:
        await asyncio.wait_for(_ready(client, running), WAIT)
        guild = discord.Object(scene.guild.id)
        tree.copy_global_to(guild=guild)
        await tree.sync(guild=guild)
        yield Bench(scene, client, findings)
    finally:
        await client.close()
        await asyncio.wait([running], timeout=WAIT)
        await server.close()


async def _ready(client: discord.Client, running: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(_until_ready(client))
    await asyncio.wait([waiting, running], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        waiting.cancel()
        running.result()


async def _until_ready(client: discord.Client) -> None:
    ready = asyncio.Event()

    @client.event
    async def on_ready() -> None:
        ready.set()

    await ready.wait()


def check(bench: Bench, *events: str) -> None:
    """Nothing was found, and these events were among what was judged."""
    assert bench.findings == []
    for what in ("request", "answer", "READY", "GUILD_CREATE", *events):
        assert bench.findings.judged[what] > 0, what


async def test_commands_and_autocomplete(bench: Bench) -> None:
    scene = bench.scene
    typed = await bench.quartz.autocomplete(
        "mining start", channel=scene.text, options={"title": "Sun"}, focused="title"
    )
    assert typed.choices == [{"name": "Sun run", "value": "run"}]
    outcome = await bench.slash(
        "mining start",
        title="run",
        hours=3,
        share=0.25,
        quiet=True,
        channel=str(scene.voice_channels[0].id),
        member=str(scene.officer.id),
        role=str(next(iter(scene.guild.roles.values())).id),
        report=("haul.txt", b"gold"),
    )
    assert outcome.kind == "message"
    check(bench, "INTERACTION_CREATE", "MESSAGE_CREATE")


async def test_components_and_modals(bench: Bench) -> None:
    quartz = bench.quartz
    shown = (await bench.slash("mining start", title="run")).message
    assert shown is not None
    message = int(shown["id"])
    opened = await quartz.click(message, "form")
    assert opened.kind == "modal"
    assert opened.modal is not None
    assert opened.interaction_id is not None
    fields = [part["component"]["custom_id"] for part in opened.modal["components"]]
    sent = await quartz.submit(opened.interaction_id, {fields[0]: "Gold", fields[1]: "12"})
    assert sent.message is not None
    assert sent.message["content"] == "12 Gold"
    assert (await quartz.choose(message, "ore", ["Gold", "Tin"])).kind == "message"
    later = await quartz.click(message, "later")
    assert (await later.final())["content"] == "Later"
    assert (await quartz.click(message, "change")).kind == "update"
    assert (await quartz.choose(message, "where", [str(bench.scene.text.id)])).kind == "update"
    check(bench, "INTERACTION_CREATE", "MESSAGE_CREATE")


async def test_deferred_answers_files_and_follow_ups(bench: Bench) -> None:
    outcome = await bench.slash("payroll")
    assert outcome.kind == "deferred"
    final = await outcome.final()
    assert [one["filename"] for one in final["attachments"]] == ["payroll.csv", "payroll.pdf"]
    page = await bench.slash("page")
    assert page.kind == "message"
    check(bench, "INTERACTION_CREATE", "MESSAGE_CREATE")


async def test_plain_messages_and_lookups(bench: Bench) -> None:
    client, scene = bench.client, bench.scene
    channel = client.get_channel(scene.text.id)
    assert isinstance(channel, discord.TextChannel)
    file = discord.File(io.BytesIO(b"x"), "a.png")
    embed = discord.Embed(title="Seen").set_image(url="attachment://a.png")
    sent = await channel.send(
        "Hello", embed=embed, file=file, allowed_mentions=discord.AllowedMentions.none()
    )
    await sent.edit(content="Hello again")
    answer = await sent.reply("And you", mention_author=False)
    await (await channel.fetch_message(answer.id)).delete()
    async with channel.typing():
        pass
    with pytest.raises(discord.NotFound):
        await channel.fetch_message(5)
    with pytest.raises(discord.HTTPException, match="2000 or fewer"):
        await channel.send("x" * 2001)
    with pytest.raises(discord.HTTPException, match="Cannot send an empty message"):
        await channel.send("")
    direct = await client.get_guild(scene.guild.id).get_member(bench.quartz.id).create_dm()  # type: ignore[union-attr]
    await direct.send("Psst")
    guild = await client.fetch_guild(scene.guild.id)
    await guild.fetch_member(bench.quartz.id)
    await guild.fetch_roles()
    await guild.fetch_channels()
    await client.fetch_user(bench.quartz.id)
    await client.application_info()
    await bench.quartz.send(scene.text, "Good morning")
    await bench.quartz.join(scene.voice_channels[0])
    await bench.quartz.join(scene.hub)
    await scene.world.clock.advance(5)
    await bench.quartz.leave()
    await scene.world.clock.advance(5)
    check(bench, "VOICE_STATE_UPDATE", "CHANNEL_CREATE", "CHANNEL_DELETE", "MESSAGE_UPDATE")
