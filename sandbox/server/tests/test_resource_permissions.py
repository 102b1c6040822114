"""Who may do what where: the sandbox and discord.py, each by its own code, come to the same."""

from __future__ import annotations

import random
from datetime import timedelta

import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually
from support.resource_stage import code_of, grant, guild_of, text_of

from sandbox.server import permissions
from sandbox.server.channels import Overwrite

_COMPARED = (
    permissions.VIEW_CHANNEL,
    permissions.SEND_MESSAGES,
    permissions.MANAGE_MESSAGES,
    permissions.READ_HISTORY,
    permissions.MANAGE_WEBHOOKS,
    permissions.CREATE_PUBLIC_THREADS,
    permissions.ADMINISTRATOR,
)


@pytest.mark.parametrize("seed", range(4))
async def test_discord_py_computes_the_same_permissions(place: Place, bot: LoopbackBot, seed: int) -> None:
    draw, guild = random.Random(seed), place.guild
    bits = sum(_COMPARED[:-1])

    def some() -> int:
        return draw.getrandbits(52) & bits

    guild.roles[guild.id].permissions = some()
    guild.update_role(guild.roles[guild.id])
    roles = [guild.create_role(f"r{n}", permissions=some()) for n in range(6)]
    roles.append(guild.create_role("admin", permissions=permissions.ADMINISTRATOR))
    people = [guild.add_member(f"p{n}", draw.sample(roles, draw.randint(0, 3))) for n in range(8)]
    owner = place.world.person(guild.id, guild.owner_id)
    for number in range(12):
        chosen = [guild.id, *draw.sample([each.id for each in (*roles, *people)], 4)]
        overwrites = [Overwrite(each, int(each not in guild.roles), some(), some()) for each in chosen]
        guild.create_channel(f"c{number}", overwrites=overwrites)
    known = guild_of(place, bot)
    await eventually(lambda: len(known.channels) == len(guild.channels))
    await eventually(lambda: len(known.members) == len(guild.members))
    compared = 0
    for channel in guild.channels.values():
        theirs = known.get_channel(channel.id)
        if not isinstance(theirs, discord.TextChannel):
            continue
        for person in (*people, owner):
            member = known.get_member(person.id)
            assert member is not None
            ours = permissions.in_channel(guild, person.member, channel)
            for bit in _COMPARED:
                said = bool(theirs.permissions_for(member).value & bit)
                assert bool(ours & bit) == said, (channel, person, bit)
                compared += 1
    assert compared == 13 * 9 * len(_COMPARED)


async def test_a_voice_channel_closed_to_the_bot_is_hidden_from_it(place: Place, bot: LoopbackBot) -> None:
    grant(place, permissions.MANAGE_CHANNELS)
    alpha = bot.get_channel(place.alpha.id)
    assert isinstance(alpha, discord.VoiceChannel)
    await alpha.edit(user_limit=5)
    place.alpha.overwrites[place.guild.id] = Overwrite(place.guild.id, 0, 0, permissions.CONNECT)
    assert await code_of(alpha.edit(user_limit=6)) == 50001


async def test_what_the_bot_owns_nobody_keeps_from_it(place: Place, bot: LoopbackBot) -> None:
    place.text.overwrites[place.world.bot_user.id] = Overwrite(place.world.bot_user.id, 1, 0, permissions.ALL)
    channel = text_of(place, bot)
    assert await code_of(channel.send("x")) == 50001
    grant(place, permissions.ADMINISTRATOR)
    await channel.send("x")
    place.guild.roles[place.guild.id].permissions = 0
    role = place.guild.bot_role
    assert role is not None
    role.permissions = 0
    place.guild.owner_id = place.world.bot_user.id
    await channel.send("mine")


async def test_a_bot_that_is_timed_out_reads_on_in_silence(place: Place, bot: LoopbackBot) -> None:
    me = place.guild.members[place.world.bot_user.id]
    me.timed_out_until = place.world.clock.now() + timedelta(minutes=5)
    channel = text_of(place, bot)
    assert await code_of(channel.send("x")) == 50013
    assert [each async for each in channel.history()] == []
    await place.world.clock.advance(301)
    await channel.send("x")


async def test_nobody_writes_to_strangers(place: Place, bot: LoopbackBot) -> None:
    quartz = await guild_of(place, bot).fetch_member(place.quartz.id)
    await quartz.send("hello")
    place.guild.remove_member(place.quartz)
    assert await code_of(quartz.send("are you there?")) == 50007
