"""Roles and the hierarchy, through discord.py's own calls."""

from __future__ import annotations

import discord
from support.loopback import LoopbackBot, Place, eventually
from support.resource_stage import ADMINISTRATOR, code_of, grant, guild_of, heard

MANAGE_ROLES, MANAGE_GUILD = 1 << 28, 1 << 5


async def test_roles_are_made_at_the_bottom_changed_moved_and_removed(place: Place, bot: LoopbackBot) -> None:
    grant(place, ADMINISTRATOR)
    guild = guild_of(place, bot)
    pilot = await guild.create_role(
        name="Pilot", colour=discord.Colour(0xFF8800), hoist=True, mentionable=True
    )
    assert (pilot.position, pilot.hoist, pilot.mentionable) == (1, True, True)
    scout = await guild.create_role(name="Scout", permissions=discord.Permissions(8))
    await eventually(lambda: getattr(guild.get_role(pilot.id), "position", 0) == 2)
    await scout.edit(name="Ranger", colour=discord.Colour(5))
    await scout.edit(position=2)
    ranked = [each.name for each in sorted(await guild.fetch_roles())]
    assert ranked == ["@everyone", "Pilot", "Ranger", "Officer", place.world.bot_user.username]
    assert (await guild.fetch_role(scout.id)).colour.value == 5
    await scout.delete()
    assert [each["role_id"] for each in heard(place, "GUILD_ROLE_DELETE")] == [str(scout.id)]
    assert [each.position for each in place.guild.ranked_roles()] == [0, 1, 2, 3]


async def test_nobody_reaches_above_themselves(place: Place, bot: LoopbackBot) -> None:
    grant(place, ADMINISTRATOR)
    guild = guild_of(place, bot)
    officer = discord.utils.get(guild.roles, name="Officer")
    own = guild.self_role
    assert officer is not None
    assert own is not None
    beryl = await guild.fetch_member(place.beryl.id)
    await beryl.add_roles(officer, reason="promoted")
    assert officer.id in place.beryl.member.roles
    chief = place.guild.create_role("Chief")
    assert place.guild.bot_role is not None
    place.guild.place_roles({chief.id: 3})
    assert place.guild.bot_role.position < chief.position
    above = await guild.fetch_role(chief.id)
    assert await code_of(beryl.add_roles(above)) == 50013
    assert await code_of(above.edit(name="Mine")) == 50013
    assert await code_of(above.delete()) == 50013
    assert await code_of(officer.edit(position=5)) == 50013
    assert await code_of(beryl.add_roles(own)) == 50013
    place.guild.set_roles(place.beryl, [chief])
    assert await code_of(beryl.edit(nick="B")) == 50013
    assert await code_of(beryl.kick()) == 50013
    assert await code_of(beryl.ban()) == 50013
    owner = await guild.fetch_member(place.guild.owner_id)
    assert await code_of(owner.edit(nick="boss")) == 50013


async def test_a_role_gets_no_permission_that_the_bot_lacks(place: Place, bot: LoopbackBot) -> None:
    grant(place, MANAGE_ROLES)
    guild = guild_of(place, bot)
    assert await code_of(guild.create_role(permissions=discord.Permissions(MANAGE_GUILD))) == 50013
    made = await guild.create_role()
    assert (made.name, made.permissions.value) == ("new role", 0)
    assert await code_of(made.edit(permissions=discord.Permissions(MANAGE_GUILD))) == 50013
    await made.edit(permissions=discord.Permissions(1 << 13))


async def test_roles_have_limits(place: Place, bot: LoopbackBot) -> None:
    grant(place, ADMINISTRATOR)
    guild = guild_of(place, bot)
    assert await code_of(guild.create_role(name="x" * 101)) == 50035
    assert await code_of(guild.fetch_role(1)) == 10011
    assert await code_of(guild.default_role.delete()) == 50028
    for number in range(250 - len(place.guild.roles)):
        place.guild.create_role(f"r{number}")
    assert await code_of(guild.create_role(name="one more")) == 30005


async def test_roles_given_and_taken_are_logged(place: Place, bot: LoopbackBot) -> None:
    grant(place, ADMINISTRATOR)
    guild = guild_of(place, bot)
    pilot = await guild.create_role(name="Pilot", reason="new ships")
    beryl = await guild.fetch_member(place.beryl.id)
    await beryl.add_roles(pilot, reason="flies well")
    await beryl.remove_roles(pilot)
    entries = [each async for each in guild.audit_logs(limit=10)]
    assert [each.action.name for each in entries] == ["member_role_update"] * 2 + ["role_create"]
    assert [each.reason for each in entries] == [None, "flies well", "new ships"]
    assert entries[1].target == beryl
    assert [each.id for each in entries[1].after.roles] == [pilot.id]
    assert entries[0].user == guild.me
