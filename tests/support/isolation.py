"""A sound plugin that counts on nobody, and what a test needs to see that it stays sound beside a bad one."""

from __future__ import annotations

import asyncio
from typing import Any

from support.plugin_folder import PluginFolder
from support.waiting import until

from core.dispatch import Delivery
from sandbox.server import Person
from sandbox.stage import Stage
from sandbox.stories import Place

#: Listens to voice, writes a row for each event, and has a command, an autocomplete, a button and a hook of
#: its own. `HEARD` is what was committed, in the order of the commits' answers.
SOUND = """
from pathlib import Path
import sys
from redlegion.database import BaseModel, BigAutoField, Guild, Reference, Snowflake, Text

HEARD = []

class Row(BaseModel):
    guild_id = Reference(Guild)
    user_id = Snowflake()
    what = Text()

    class Meta:
        table_name = "sound_row"

def note(guild_id, user_id, what):
    Row.create(guild_id=guild_id, user_id=user_id, what=what)

def rows(guild_id):
    return list(Row.select(Row.user_id, Row.what).where(Row.guild_id == guild_id).order_by(Row.id).tuples())

async def _heard(ctx, session, what):
    await ctx.write(note, ctx.guild_id, session.user_id, what)
    HEARD.append((ctx.guild_id, session.user_id, what))

@hookspec
async def filter_weight(ctx, value, event):
    pass

@hookspec
async def collect_votes(ctx, event):
    pass

@hookspec
async def decide_gate(ctx, event):
    pass

@hookimpl
def register_hookspecs():
    return sys.modules[__name__]

@hookimpl
def register_schema():
    return Schema("sound", [Row], Path(__file__).parent / "migrations")

@hookimpl
async def on_voice_session_started(ctx, event):
    await _heard(ctx, event.session, "came")

@hookimpl
async def on_voice_session_moved(ctx, event):
    await _heard(ctx, event.opened, "moved")

@hookimpl
async def on_voice_session_ended(ctx, event):
    await _heard(ctx, event.session, "left")

sound = app_commands.Group(name="sound", description="x", guild_only=True)

@sound.command(name="count", description="x")
@requires("member")
async def count(interaction: discord.Interaction, tone: str = "low") -> None:
    ctx = Context.of(interaction)
    await ctx.write(note, ctx.guild_id, interaction.user.id, "asked")
    HEARD.append((ctx.guild_id, interaction.user.id, "asked"))
    await reply(interaction, "counted")

@count.autocomplete("tone")
async def tones(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name="low", value="low")]

@hookimpl
def register_commands():
    return [sound]

async def press(interaction, ctx, key):
    await reply(interaction, "pressed")

@hookimpl
def register_components():
    return [Component("press", press, "guest")]
"""
SOUND_MIGRATION = """
from redlegion.database import BigAutoField, Instant, Reference, Snowflake, Text

def _models(db):
    class Guild(db.Model):
        id = Snowflake(primary_key=True)

        class Meta:
            table_name = "guilds"

    class Row(db.Model):
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        guild_id = Reference(Guild)
        user_id = Snowflake()
        what = Text()

        class Meta:
            table_name = "sound_row"

    return [Row]

def up(migrator, db):
    db.create_tables(_models(db), safe=False)

def down(migrator, db):
    db.drop_tables(_models(db), safe=False)
"""
#: What each of the events of `Play` writes.
CAME, MOVED, LEFT, ASKED = "came", "moved", "left", "asked"
#: Real seconds in which the sound plugin must have done its part, on a busy machine too.
SOON = 5.0


def write_sound(folder: PluginFolder) -> None:
    """Write the sound plugin and its migration."""
    folder.write("sound", SOUND, records_voice=True)
    place = folder.path / "sound" / "migrations"
    place.mkdir()
    (place / "0001_initial.py").write_text(SOUND_MIGRATION, encoding="utf-8")


class Play:
    """What members do, and what the sound plugin must have made of it, in both guilds.

    :param stage: with at least six members.
    :param soon: real seconds in which the sound plugin must have done its part.
    """

    def __init__(self, stage: Stage, folder: PluginFolder, soon: float = SOON) -> None:
        self.stage = stage
        self._soon = soon
        self.sound: Any = folder.module("sound")
        self._folder = folder
        self.second: Place = stage.scene.second
        self.expected: dict[int, list[tuple[int, str]]] = {
            stage.scene.guild.id: [],
            stage.scene.second_guild.id: [],
        }

    @property
    def bad(self) -> Any:
        """Return the module of the bad plugin."""
        return self._folder.module("bad")

    async def come(self) -> None:
        """All sit down, one after the other, and the sound plugin hears of it while the bad one is at it."""
        for person, place in self._everybody():
            await person.join(place.voice_channels[0])
            self._expect(person, CAME)
        await self.soon()

    async def go(self) -> None:
        """All move on, and stand up again."""
        for person, place in self._everybody():
            await person.move(place.voice_channels[1])
            self._expect(person, MOVED)
        await self.soon()
        await self.stage.advance(2)
        for person, _place in self._everybody():
            await person.leave()
            self._expect(person, LEFT)
        await self.soon()

    async def ask(self) -> None:
        """Use command, autocomplete and answer of the sound plugin in both guilds."""
        for person, text in (
            (self.stage.scene.members[0], self.stage.scene.text),
            (self.second.members[0], self.second.text),
        ):
            async with asyncio.timeout(self._soon):
                outcome = await person.slash("sound count", text)
                said = await outcome.final()
                typed = await person.autocomplete("sound count", text, focused="tone")
            assert said["content"] == "counted"
            assert typed.choices == [{"name": "low", "value": "low"}]
            self._expect(person, ASKED)

    async def soon(self) -> None:
        """Return once the sound plugin has written all that happened."""
        number = sum(len(each) for each in self.expected.values())
        await until(lambda: len(self.sound.HEARD) >= number, within=self._soon)

    async def check(self) -> None:
        """See that each of its rows is there, in the order in which things happened."""
        for guild_id, expected in self.expected.items():
            assert await self.stage.runtime.db.read(self.sound.rows, guild_id) == expected
            heard = [tuple(rest) for guild, *rest in self.sound.HEARD if guild == guild_id]
            assert heard == expected
        assert not any(
            line.failed for line in self.stage.runtime.dispatcher.figures() if line.plugin == "sound"
        )

    def outcomes(self, plugin: str) -> set[str]:
        """Return how the deliveries to a plugin ended, by the trace."""
        trace: list[Delivery] = self.stage.runtime.dispatcher.trace()
        return {each.outcome for each in trace if each.plugin == plugin}

    def _everybody(self) -> list[tuple[Person, Any]]:
        scene = self.stage.scene
        mine: list[tuple[Person, Any]] = [(person, scene) for person in scene.members[:6]]
        return [*mine, *((person, self.second) for person in self.second.members[:3])]

    def _expect(self, person: Person, what: str) -> None:
        self.expected[person.guild.id].append((person.id, what))
