"""Ranks by role: who holds which, set from Discord, in effect at once, and nobody locked out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mining import said
from support.panels import buttons_of, text_of
from support.plugin_folder import PluginFolder

from core.database import GuildRank
from core.errors import UserError
from core.guilds.ranks import Rank, rank_of, whom_to_ask
from core.guilds.store import rank_rows
from sandbox.server import Outcome, Person
from sandbox.stage import Stage

CREW = """
crew = app_commands.Group(name="crew", description="x", guild_only=True)

async def answer(interaction: discord.Interaction) -> None:
    await reply(interaction, "done")

for rank in ("guest", "member", "officer"):
    crew.add_command(requires(rank)(app_commands.Command(name=rank, description="x", callback=answer)))

@hookimpl
def register_commands():
    return [crew]
"""
RANKS = st.sampled_from([Rank.MEMBER, Rank.OFFICER, Rank.ADMIN])
ROLES = st.integers(min_value=1, max_value=8)


class Held(discord.Member):
    """A member with these roles, and nothing else of Discord's."""

    def __init__(self, role_ids: list[int]) -> None:
        self._held = [SimpleNamespace(id=role_id) for role_id in role_ids]

    @property
    def roles(self) -> Any:
        return self._held


@given(st.dictionaries(ROLES, RANKS), st.lists(ROLES, unique=True), st.booleans(), st.booleans(), RANKS)
def test_the_rank_of_a_member(
    mapping: dict[int, Rank], roles: list[int], manages: bool, events: bool, other: Rank
) -> None:
    permissions = discord.Permissions(manage_guild=manages, manage_events=events)
    held = rank_of(Held(roles), permissions, mapping)
    given_ranks = [mapping[role] for role in roles if role in mapping]
    if manages:
        assert held is Rank.ADMIN
    elif not mapping:
        assert held is (Rank.OFFICER if events else Rank.MEMBER)
    elif given_ranks:
        assert all(held.includes(rank) for rank in given_ranks)
        assert held in {*given_ranks, Rank.MEMBER}
    else:
        assert held is (Rank.GUEST if Rank.MEMBER in mapping.values() else Rank.MEMBER)
    # Another role never takes a rank away.
    if mapping:
        richer = rank_of(Held([*roles, 99]), permissions, {**mapping, 99: other})
        assert richer.includes(other)
        if Rank.MEMBER in mapping.values() or other is not Rank.MEMBER:
            assert richer.includes(held)
    assert rank_of(object.__new__(discord.User), permissions, mapping) is Rank.GUEST


@given(st.dictionaries(ROLES, RANKS), RANKS)
def test_who_lacks_a_rank_is_told_whom_to_ask(mapping: dict[int, Rank], needed: Rank) -> None:
    words = whom_to_ask(needed, mapping)
    named = {role for role in mapping if f"<@&{role}>" in words}
    assert named == {role for role, rank in mapping.items() if rank.includes(needed)}
    assert "Manage" in words


@pytest.fixture
async def stage(folder: PluginFolder, database_url: str, on_stage: Any) -> AsyncIterator[Stage]:
    folder.write("crew", CREW)
    async with on_stage(database_url, folder.selection("crew")) as opened:
        yield opened


def roles_of(stage: Stage) -> tuple[int, int]:
    """The roles Member and Officer of the main guild."""
    names = {role.name: role.id for role in stage.scene.guild.roles.values()}
    return names["Member"], names["Officer"]


async def reach(stage: Stage, person: Person) -> list[str]:
    """Which of the three commands somebody can run."""
    ranks = ("guest", "member", "officer")
    answers = [(await stage.slash(person, f"crew {rank}")).message for rank in ranks]
    return [
        rank for rank, answer in zip(ranks, answers, strict=True) if answer and answer["content"] == "done"
    ]


async def open_panel(stage: Stage, person: Person | None = None) -> Any:
    return (await stage.slash(person or stage.scene.owner, "setup ranks")).message


async def choose(stage: Stage, message: Any, rank: str, role_ids: list[int]) -> Outcome:
    outcome = await stage.scene.owner.choose(message["id"], f"core:rank_roles:{rank}", role_ids)
    await stage.settle()
    return outcome


async def test_roles_get_ranks_from_a_panel(stage: Stage) -> None:
    scene = stage.scene
    member, officer = roles_of(stage)
    outsider = scene.guild.add_member("drifter")
    await stage.settle()
    assert await reach(stage, outsider) == ["guest", "member"]
    message = await open_panel(stage)
    assert "No role gives a rank: who may Manage Server is an admin" in text_of(message)
    done = await choose(stage, message, "officer", [officer])
    assert f"**Officer**: <@&{officer}>" in text_of(done.message)
    assert "Everybody else is a member." in text_of(done.message)
    assert await reach(stage, outsider) == ["guest", "member"]
    done = await choose(stage, message, "member", [member])
    assert "Everybody else is a guest." in text_of(done.message)
    # In effect at once, without a restart.
    assert await reach(stage, outsider) == ["guest"]
    assert await reach(stage, scene.members[0]) == ["guest", "member"]
    assert await reach(stage, scene.officer) == ["guest", "member", "officer"]
    refused = said(await stage.slash(outsider, "crew member"))
    assert "This needs the rank member; yours is guest." in refused
    assert f"It comes with <@&{member}>, <@&{officer}>; ask somebody who may Manage Server" in refused
    refused = said(await stage.slash(scene.members[0], "crew officer"))
    assert f"It comes with <@&{officer}>; ask" in refused
    # A role gives one rank only.
    done = await choose(stage, message, "officer", [officer, member])
    assert f"so <@&{member}> moved to officer." in text_of(done.message)
    assert await reach(stage, scene.members[0]) == ["guest", "member", "officer"]
    # Nothing of it in the other guild, and all of it after a restart.
    assert stage.runtime.guilds.ranks(scene.second_guild.id) == {}
    await stage.stop_bot()
    await stage.start_bot()
    assert stage.runtime.guilds.ranks(scene.guild.id) == {member: Rank.OFFICER, officer: Rank.OFFICER}
    # The panel of before still works, and takes everything back.
    cleared = await scene.owner.click(done.message["id"], "core:rank_clear:")  # type: ignore[index]
    await stage.settle()
    assert "No role gives a rank" in text_of(cleared.message)
    assert "Go by Discord's permissions again" not in buttons_of(cleared.message)
    assert await stage.runtime.db.read(rank_rows, [scene.guild.id]) == []
    assert await reach(stage, scene.members[0]) == ["guest", "member"]


async def test_an_admin_by_role_and_nobody_locked_out(stage: Stage) -> None:
    scene = stage.scene
    member, officer = roles_of(stage)
    refused = said(await stage.slash(scene.members[0], "setup ranks"))
    assert "This needs the rank admin; yours is member." in refused
    await stage.runtime.guilds.set_ranks(scene.guild.id, {member: Rank.ADMIN}, scene.owner.id)
    message = await open_panel(stage, scene.members[0])
    assert f"**Admin**: <@&{member}>" in text_of(message)
    await choose(stage, await open_panel(stage), "admin", [officer])
    late = await scene.members[0].choose(message["id"], "core:rank_roles:admin", [member])
    await stage.settle()
    assert "This needs the rank admin; yours is member." in said(late)
    # The owner holds no role at all.
    assert "Ranks in this server" in text_of(await open_panel(stage))


async def test_everybody_cannot_be_an_officer(stage: Stage) -> None:
    guild = stage.scene.guild
    message = await open_panel(stage)
    refused = said(await choose(stage, message, "admin", [guild.id]))
    assert "Everybody here would be admin with @everyone." in refused
    assert stage.runtime.guilds.ranks(guild.id) == {}
    await choose(stage, message, "member", [guild.id])
    assert await reach(stage, guild.add_member("drifter")) == ["guest", "member"]
    with pytest.raises(UserError, match="26 roles cannot all be member"):
        await stage.runtime.guilds.set_ranks(guild.id, dict.fromkeys(range(1, 27), Rank.MEMBER), None)


async def test_a_deleted_role_leaves_the_mapping(stage: Stage) -> None:
    scene = stage.scene
    member, officer = roles_of(stage)
    mapping = {member: Rank.MEMBER, officer: Rank.OFFICER}
    await stage.runtime.guilds.set_ranks(scene.guild.id, mapping, scene.owner.id)
    await scene.owner.delete_role(member)
    await stage.settle()
    assert stage.runtime.guilds.ranks(scene.guild.id) == {officer: Rank.OFFICER}
    # And while the bot is away.
    await stage.stop_bot()
    await scene.owner.delete_role(officer)
    await stage.start_bot()
    assert stage.runtime.guilds.ranks(scene.guild.id) == {}
    assert await stage.runtime.db.read(rank_rows, [scene.guild.id]) == []
    log = text_of((await stage.slash(scene.owner, "setup audit")).message)
    assert f"A role was deleted: <@&{officer}> officer → no rank" in log
    assert f"A role was deleted: <@&{member}> member → no rank" in log


async def test_a_rank_that_this_version_does_not_know(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    guild, (member, officer) = stage.scene.guild.id, roles_of(stage)
    await stage.runtime.guilds.set_ranks(guild, {member: Rank.ADMIN, officer: Rank.OFFICER}, None)
    await stage.runtime.db.write(crown, guild, member)
    await stage.stop_bot()
    await stage.start_bot()
    assert stage.runtime.guilds.ranks(guild) == {officer: Rank.OFFICER}
    assert "has roles with ranks that this version does not know" in caplog.text


def crown(guild_id: int, role_id: int) -> None:
    wanted = (GuildRank.guild_id == guild_id) & (GuildRank.role_id == role_id)
    GuildRank.update(rank="king").where(wanted).execute()
