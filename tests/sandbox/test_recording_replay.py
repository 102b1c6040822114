"""A recording is written, read and played again: against the same bot nothing differs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import discord
import pytest
from support.loopback import LoopbackBot, Panel, drill, refused

from sandbox.server import Refused, SandboxServer, World, WorldClock
from sandbox.server.channels import Overwrite
from sandbox.server.recording import Filter, Recording, RecordingError
from sandbox.server.replay import Replay, Report
from sandbox.stories import sunday

START = datetime(2026, 3, 1, 18, tzinfo=UTC)


class Crew(LoopbackBot):
    """A bot with commands, which counts who comes into voice aloud."""

    def __init__(self, server: SandboxServer, *, greeting: str = "Welcome") -> None:
        super().__init__(server)
        self.greeting = greeting
        self.tree.add_command(drill())
        self.tree.command(name="panel", description="A panel in sight of all")(self.panel)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def panel(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message("panel", view=Panel())

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        if before.channel is None:
            channel = discord.utils.get(member.guild.text_channels, name="general")
            assert channel is not None
            await channel.send(f"{self.greeting}, {member.name}")


async def session(path: Path) -> World:
    """Play an evening with a bot on it, write its recording, and return the world."""
    world = World(WorldClock(START), seed=11, bot_name="crew-bot")
    scene = sunday(world, members=3)
    server = SandboxServer(world)
    await server.start()
    bot = Crew(server)
    await bot.begin(world.token)
    quartz, beryl, garnet = scene.members
    await quartz.join(scene.hub)
    await world.clock.advance(60)
    assert quartz.channel_id not in {None, scene.hub.id}
    outcome = await quartz.slash("panel", channel=scene.text)
    assert outcome.message is not None
    opened = await beryl.click(outcome.message["id"], "enter")
    assert opened.interaction_id is not None
    await beryl.submit(opened.interaction_id, {"quantity": "12"})
    chosen = await beryl.choose(outcome.message["id"], "ore", ["gold"])
    await chosen.final()
    await refused(garnet.click(outcome.message["id"], "never"))
    extra = scene.guild.create_channel("Late", 2, overwrites={scene.guild.id: (0, 1 << 20)})
    extra.user_limit = 3
    scene.guild.update_channel(extra)
    await refused(garnet.join(extra))

    async def later() -> None:
        await garnet.join(scene.voice_channels[0])

    world.clock.call_later(30, later)
    await world.clock.advance(90)
    await beryl.slash("drill start", channel=scene.text, options={"crew": 2, "pilot": garnet.id})
    await garnet.leave()
    await world.clock.advance(5)
    await bot.until("voice_state_update", 4)
    world.log.export(path)
    await bot.end()
    await server.close()
    return world


async def replay(path: Path, *, greeting: str = "Welcome") -> tuple[World, Report]:
    played = Replay(Recording.load(path), patience=1.0, connect_within=5.0)
    world = await played.set_scene()
    server = SandboxServer(world)
    await server.start()
    bot = Crew(server, greeting=greeting)
    await bot.begin(world.token)
    report = await played.run()
    await bot.end()
    await server.close()
    return world, report


def stays(world: World) -> list[tuple[str, float, float | None]]:
    return [
        (
            world.users[each.user_id].username,
            (each.since - START).total_seconds(),
            (each.until - START).total_seconds() if each.until else None,
        )
        for each in world.truth
    ]


async def test_the_same_bot_does_the_same_again(tmp_path: Path) -> None:
    path = tmp_path / "evening" / "first.jsonl"
    first = await session(path)
    second, report = await replay(path)
    assert [str(each) for each in report.differences] == []
    assert report.compared
    assert report.requests == len(Recording.of(first).requests)
    assert stays(second) == stays(first)
    assert second.token == first.token
    assert second.bot_user.username == "crew-bot"
    late = next(each for each in second.channels.values() if each.name == "Late")
    assert late.user_limit == 3
    assert second.clock.now() == first.clock.now()
    said = [
        [each["content"] for channel in world.channels for each in world.messages(channel)]
        for world in (first, second)
    ]
    assert said[0] == said[1]
    assert "got 12" in said[0]


async def test_another_bot_is_told_what_it_does_differently(tmp_path: Path) -> None:
    path = tmp_path / "first.jsonl"
    await session(path)
    _, report = await replay(path, greeting="Hello")
    words = [each.words for each in report.differences]
    assert len(words) == 2
    assert all("POST /channels/{channel_id}/messages" in each for each in words)
    assert any('content was "Welcome, quartz", now "Hello, quartz"' in each for each in words)
    assert [each.kind for each in report.differences] == ["changed", "changed"]
    assert json.dumps(report.as_dict())


async def test_header_tells_what_the_world_is_made_of(tmp_path: Path) -> None:
    world = World(WorldClock(START), seed=3)
    sunday(world, members=2)
    await world.clock.advance(1.5)
    rows = [json.loads(line) for line in world.log.export(tmp_path / "a.jsonl").read_text().splitlines()]
    head = rows[0]
    assert (head["seed"], head["bot"], head["complete"]) == (3, "robot", True)
    assert head["end"] == (START + timedelta(seconds=1.5)).isoformat()
    assert head["scene"][0]["name"] == "Ember Prospectors"
    assert [row["number"] for row in rows[1:]] == list(range(len(rows) - 1))
    assert rows[-1]["kind"] == "clock"
    again = await Replay(Recording.load(tmp_path / "a.jsonl")).set_scene()
    assert list(again.guilds) == list(world.guilds)
    assert list(again.channels) == list(world.channels)
    assert list(again.users) == list(world.users)


async def test_filter_keeps_some_and_such_a_recording_is_not_played(tmp_path: Path) -> None:
    world = World(WorldClock(START), seed=3)
    scene = sunday(world, members=2)
    await world.clock.advance(10)
    await scene.members[0].join(scene.voice_channels[0])
    await scene.second.members[0].join(scene.second.voice_channels[0])
    chosen = Filter(kinds=["act"], guild_id=scene.guild.id, since=START + timedelta(seconds=5))
    path = world.log.export(tmp_path / "some.jsonl", chosen)
    recording = Recording.load(path)
    assert [(each["verb"], each["user_id"]) for each in recording.entries] == [
        ("join", str(scene.members[0].id))
    ]
    with pytest.raises(RecordingError, match="only a part"):
        Replay(recording)
    with pytest.raises(Refused, match="kind is one of act, clock"):
        Filter(kinds=["acts"])
    with pytest.raises(Refused, match="zone"):
        Filter(since=datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first line must be the header"),
        ('{"at": 1}\n', "first line must be the header"),
        ("{}\nno", "line 2 is not JSON"),
        ('{"recording": 1}\n[]', "line 2 is no entry"),
        ('{"recording": 99}\n', "format 99"),
    ],
)
def test_what_is_no_recording_is_said_in_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(RecordingError, match=words):
        Recording.load(path)
    with pytest.raises(RecordingError, match="cannot be read"):
        Recording.load(tmp_path / "none.jsonl")


async def test_settings_and_moderators_come_again() -> None:
    world = World(WorldClock(START), seed=3)
    world.gateway.shards, world.keep.messages = 2, 500
    guild = world.create_guild("Ember")
    opal = world.person(guild.id, guild.owner_id)
    quartz = guild.add_member("quartz")
    await world.clock.advance(5)
    late = await opal.create_channel("Late Night", 2)
    crew = await opal.create_role("Crew")
    await opal.give_role(quartz, crew)
    event = await opal.create_event("Trip", START + timedelta(hours=1), channel=late)
    await quartz.interest(event)
    text = await opal.create_channel("talk")
    said = await quartz.send(text, f"<@{opal.id}> in <#{late.id}>")
    await opal.pin(said["id"])
    newcomer = guild.add_member("beryl")
    await newcomer.join(late)
    await opal.move_member(newcomer.id, str(late.id))
    await opal.ban(newcomer, "spam")
    # In the replay these ids are others, as a bot's own messages and answers would make them.
    recording = Recording.of(world)
    shifted = Replay(recording)
    for _ in range(10_000):
        shifted.world.mint.next()
    again = await shifted.set_scene()
    assert (again.gateway.shards, again.keep.messages) == (2, 500)
    assert [each for each in shifted.world.log if each.get("refused")] == []
    there = again.guilds[guild.id]
    assert there.channel_named("Late Night").id not in guild.channels
    assert [each.name for each in there.events.values()] == ["Trip"]
    assert next(iter(there.events.values())).interested.keys() == event.interested.keys()
    [message] = [each for each in again.messages(there.channel_named("talk").id) if each["pinned"]]
    assert message["content"] == f"<@{opal.id}> in <#{there.channel_named('Late Night').id}>"
    assert [each.user.username for each in there.bans.values()] == ["beryl"]
    assert [each.action for each in there.audit.entries] == [each.action for each in guild.audit.entries]


async def test_what_follows_from_an_act_is_no_act() -> None:
    world = World(WorldClock(START), seed=3)
    guild = world.create_guild("Ember")
    hub = guild.create_channel("Create", 2)
    guild.create_hub(hub)
    quartz = guild.add_member("quartz", roles=iter([guild.create_role("Miner")]))
    guild.create_channel("x", overwrites=[Overwrite(quartz.id, 1, 1024, 0)])
    await quartz.join(hub)
    await quartz.move(hub)
    await world.clock.advance(2)
    await quartz.leave()
    await world.clock.advance(2)
    verbs = [each["verb"] for each in world.log if each["kind"] == "act"]
    assert verbs == [
        "create_guild", "create_channel", "create_hub", "create_role", "add_member", "create_channel", "join",
        "move", "leave",
    ]  # fmt: skip
    again = await Replay(Recording.of(world)).set_scene()
    assert stays(again) == stays(world)
    assert list(again.channels) == list(world.channels)
    role = next(iter(again.guilds[guild.id].members[quartz.id].roles))
    assert again.guilds[guild.id].roles[role].name == "Miner"


async def test_a_bot_that_never_comes_ends_the_replay(tmp_path: Path) -> None:
    await session(tmp_path / "a.jsonl")
    played = Replay(Recording.load(tmp_path / "a.jsonl"), connect_within=0.1)
    await played.set_scene()
    with pytest.raises(RecordingError, match=r"no bot connected within 0\.1 s"):
        await played.run()


def test_nothing_is_written_while_the_log_is_off() -> None:
    world = World(WorldClock(START))
    world.log.enabled = False
    world.create_guild("Ember").add_member("quartz")
    assert len(world.log) == 0
