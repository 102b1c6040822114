"""A real discord.py bot on the sandbox, everything both sides say judged by Discord's API description."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from support.openapi_judge import Findings, Judge, attach
from support.sample_bot import running_bot

from sandbox.server import Outcome, SandboxServer, World, WorldClock
from sandbox.stories import Scene, sunday


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
    try:
        async with running_bot(
            str(server.addresses.socket), server.addresses.token, scene.guild.id
        ) as client:
            yield Bench(scene, client, findings)
    finally:
        await server.close()


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
