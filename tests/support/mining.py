"""Short ways to act on the Sunday scene and to read what the bot answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from core.database import Database
from plugins.operations import ParticipantView, participants_of, payable_operations
from sandbox.server import Outcome, Person
from sandbox.server.channels import Channel
from sandbox.stage import Stage

TITLE = "Sunday Mining - 2026-09-06"


async def run(stage: Stage, person: Person, command: str, **options: Any) -> Outcome:
    """Run a command in the mining channel of the person's guild, and let everything settle."""
    text = stage.scene.text if person.guild.id == stage.scene.guild.id else stage.scene.second.text
    outcome = await person.slash(command, channel=text, options=options)
    await stage.settle()
    return outcome


async def add(stage: Stage, *channels: Channel) -> str:
    """Add channels one by one; what the last answer says."""
    for channel in channels:
        outcome = await run(stage, stage.scene.officer, "mining channels add", channel=str(channel.id))
    return said(outcome)


def said(outcome: Outcome) -> str:
    """What a private text answer says."""
    assert outcome.message is not None
    assert outcome.message["flags"] & 64, "only the member who asked reads this"
    text: str = outcome.message["content"]
    return text


async def shown(outcome: Outcome) -> dict[str, Any]:
    """The embed of a public answer, which comes at once."""
    assert outcome.kind == "message"
    message = await outcome.final()
    assert not message["flags"] & 64
    (embed,) = message["embeds"]
    return dict(embed)


def field(embed: dict[str, Any], name: str) -> str:
    return next(each["value"] for each in embed["fields"] if each["name"] == name)


async def until(stage: Stage, true: Callable[[], bool]) -> None:
    """Wait until something is so, looking again whenever the bot and Discord exchange a word."""
    word = asyncio.Event()
    stage.world.log.on_entry(lambda _entry: word.set())
    async with asyncio.timeout(60):
        while not true():
            await word.wait()
            word.clear()


def seat_of_the_bot(stage: Stage) -> int | None:
    """The voice channel in which the sandbox sees the bot."""
    state = stage.scene.guild.voice_states.get(int(stage.server.addresses.application_id))
    return state.channel_id if state else None


def database(stage: Stage) -> Database:
    return stage.runtime.db


async def participants(stage: Stage) -> list[ParticipantView]:
    guild = stage.scene.guild.id
    (operation,) = await database(stage).read(payable_operations, guild)
    return await database(stage).read(participants_of, guild, operation.id)
