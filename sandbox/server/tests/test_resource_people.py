"""Members, bans, timeouts and the audit log, through discord.py's own calls."""

from __future__ import annotations

from datetime import timedelta

import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually
from support.resource_stage import ADMINISTRATOR, code_of, grant, guild_of, heard, text_of

from sandbox.server import Refused

KICK, BAN, NICKS, MODERATE, MANAGE_GUILD = 1 << 1, 1 << 2, 1 << 27, 1 << 40, 1 << 5
MUTE, MOVE, VIEW_AUDIT_LOG = 1 << 22, 1 << 24, 1 << 7


async def test_a_timeout_silences_until_it_ends(place: Place, bot: LoopbackBot) -> None:
    grant(place, MODERATE)
    quartz = await guild_of(place, bot).fetch_member(place.quartz.id)
    until = place.world.clock.now() + timedelta(minutes=10)
    await quartz.edit(timed_out_until=until, reason="loud")
    await eventually(lambda: bot.count["member_update"])
    assert (await quartz.guild.fetch_member(quartz.id)).timed_out_until == until
    for act in (place.quartz.send(place.text, "but"), place.quartz.join(place.alpha)):
        with pytest.raises(Refused, match="may not"):
            await act
    await place.world.clock.advance(601)
    await place.quartz.send(place.text, "at last")
    await quartz.edit(timed_out_until=until + timedelta(minutes=10))
    await quartz.edit(timed_out_until=None)
    await place.quartz.join(place.alpha)
    too_long = place.world.clock.now() + timedelta(days=28, minutes=1)
    assert await code_of(quartz.edit(timed_out_until=too_long)) == 50035
    chief = place.guild.create_role("Chief", permissions=ADMINISTRATOR)
    place.guild.set_roles(place.quartz, [chief])
    assert await code_of(quartz.edit(timed_out_until=until + timedelta(days=1))) == 50013


async def test_members_are_listed_searched_changed_and_kicked(place: Place, bot: LoopbackBot) -> None:
    guild = guild_of(place, bot)
    quartz = await guild.fetch_member(place.quartz.id)
    assert len([each async for each in guild.fetch_members(limit=None)]) == 4
    assert [each["user"]["username"] for each in await bot.http.get_members(guild.id, 1, quartz.id - 1)] == [
        "quartz"
    ]
    assert await code_of(bot.http.get_members(guild.id, 1001, None)) == 50035
    route = discord.http.Route("GET", "/guilds/{guild_id}/members/search", guild_id=guild.id)
    found = await bot.http.request(route, params={"query": "QUA", "limit": 5})
    assert [each["user"]["id"] for each in found] == [str(quartz.id)]
    assert await code_of(bot.http.request(route, params={"limit": 5})) == 50035
    assert await code_of(quartz.edit(nick="Q")) == 50013
    await guild.me.edit(nick="Miner")
    await eventually(lambda: guild.me.nick == "Miner")
    grant(place, NICKS, MUTE)
    await quartz.edit(nick="Q")
    assert await code_of(quartz.edit(nick="x" * 33)) == 50035
    assert await code_of(quartz.edit(mute=True)) == 40032
    assert await code_of(quartz.kick()) == 50013
    grant(place, KICK)
    await place.quartz.join(place.alpha)
    await quartz.kick(reason="away")
    await bot.until("member_remove")
    assert quartz.id not in place.guild.voice_states
    assert await code_of(guild.fetch_member(quartz.id)) == 10007
    place.guild.add_member("quartz")


async def test_moving_needs_a_door_that_is_open(place: Place, bot: LoopbackBot) -> None:
    quartz = await guild_of(place, bot).fetch_member(place.quartz.id)
    await place.quartz.join(place.dispatch)
    await eventually(lambda: quartz.guild.get_member(quartz.id) and quartz.guild.get_member(quartz.id).voice)
    await quartz.edit(voice_channel=bot.get_channel(place.alpha.id), reason="to the mine")  # type: ignore[arg-type]
    assert place.quartz.channel_id == place.alpha.id
    assert place.guild.bot_role is not None
    place.guild.bot_role.permissions &= ~MOVE
    assert await code_of(quartz.move_to(None)) == 50013
    entry = place.guild.audit.entries[-1]
    assert (entry.action.name, entry.reason) == ("MEMBER_MOVE", "to the mine")


async def test_bans(place: Place, bot: LoopbackBot) -> None:
    guild = guild_of(place, bot)
    quartz, beryl = [await guild.fetch_member(each.id) for each in (place.quartz, place.beryl)]
    assert await code_of(quartz.ban()) == 50013
    grant(place, BAN)
    early = await place.quartz.send(place.text, "early")
    await place.world.clock.advance(7200)
    for _ in range(2):
        await place.quartz.send(place.text, "spam")
    await quartz.ban(delete_message_seconds=3600, reason="spam")
    await bot.until("member_ban")
    assert [each["id"] for each in place.world.messages(place.text.id)] == [early["id"]]
    with pytest.raises(Refused, match="banned"):
        place.guild.add_member("quartz")
    stranger = place.world.user("stranger")
    await guild.ban(discord.Object(stranger.id))
    assert [each.user.id async for each in guild.bans()] == sorted([quartz.id, stranger.id])
    assert [each.user.id async for each in guild.bans(limit=1, after=discord.Object(1))] == [
        min(quartz.id, stranger.id)
    ]
    assert (await guild.fetch_ban(quartz)).reason == "spam"
    assert await code_of(guild.fetch_ban(beryl)) == 10026
    assert await code_of(guild.unban(beryl)) == 10026
    assert await code_of(guild.ban(discord.Object(5))) == 10013
    assert await code_of(beryl.ban(delete_message_seconds=604_801)) == 50035
    owner = await guild.fetch_member(place.guild.owner_id)
    assert await code_of(owner.ban()) == 50013
    await guild.unban(quartz, reason="sorry")
    await bot.until("member_unban")
    place.guild.add_member("quartz")


async def test_many_are_banned_at_once(place: Place, bot: LoopbackBot) -> None:
    guild = guild_of(place, bot)
    grant(place, BAN, MANAGE_GUILD)
    ids = [place.world.user(f"raider{number}").id for number in range(3)]
    owner = discord.Object(place.guild.owner_id)
    done = await guild.bulk_ban([*map(discord.Object, ids), owner], reason="raid")
    assert [each.id for each in done.banned] == ids
    assert [each.id for each in done.failed] == [owner.id]
    assert await code_of(guild.bulk_ban([owner])) == 500_000
    route = discord.http.Route("POST", "/guilds/{guild_id}/bulk-ban", guild_id=guild.id)
    assert await code_of(bot.http.request(route, json={"user_ids": []})) == 50035
    assert await code_of(bot.http.request(route, json={"user_ids": ["x"]})) == 50035


async def test_the_audit_log_is_read_by_who_may(place: Place, bot: LoopbackBot) -> None:
    guild = guild_of(place, bot)

    async def entries(**how: object) -> list[discord.AuditLogEntry]:
        return [each async for each in guild.audit_logs(**how)]  # type: ignore[arg-type]

    with pytest.raises(discord.Forbidden):
        await entries()
    grant(place, ADMINISTRATOR)
    quartz = await guild.fetch_member(place.quartz.id)
    await quartz.edit(nick="Q", reason="kürzer")
    await quartz.ban(reason="b")
    await guild.unban(quartz)
    channel = await guild.create_text_channel("plans", reason="c")
    await channel.set_permissions(guild.default_role, send_messages=False)
    await channel.edit(topic="t")
    said = await channel.send("x")
    await said.pin()
    await channel.delete()
    await bot.until("audit_log_entry_create", 8)
    names = [each.action.name for each in await entries()]
    assert names == ["channel_delete", "message_pin", "channel_update", "overwrite_create", "channel_create",
                     "unban", "ban", "member_update"]  # fmt: skip
    first = (await entries(oldest_first=True, limit=1))[0]
    assert (first.before.nick, first.after.nick, first.reason) == (None, "Q", "kürzer")
    assert [each.action.name for each in await entries(action=discord.AuditLogAction.ban)] == ["ban"]
    assert len(await entries(user=guild.me, limit=3)) == 3
    assert len(heard(place, "GUILD_AUDIT_LOG_ENTRY_CREATE")) == 8
    assert text_of(place, bot).name == "drill-ops"
