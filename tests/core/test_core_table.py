"""Groups of one name from several plugins become one; each guild's menu holds what is on there."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import Any

import discord
import pytest
from discord import app_commands
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.plugin_folder import PluginFolder

from core.commands.own import own_commands
from core.commands.payload import problem_of
from core.commands.table import CommandTable, menu_hash, path_of
from core.plugins import PluginManager
from sandbox.server.limits import check_commands

GROUP = """
{group} = app_commands.Group(name="{group}", description="By {plugin}", guild_only=True)

def add(to, name):
    @to.command(name=name, description="x")
    @requires("{rank}")
    async def leaf(interaction: discord.Interaction, amount: int) -> None: ...

{body}

@hookimpl
def register_commands():
    return [{group}]
"""


def grouped(
    folder: PluginFolder, plugin: str, *paths: str, group: str = "mining", rank: str = "member"
) -> None:
    """Write a plugin with commands under one group, such as "start" or "channels add"."""
    lines = []
    nested: set[str] = set()
    for path in paths:
        first, _, second = path.partition(" ")
        if second and first not in nested:
            nested.add(first)
            lines.append(f"{first} = app_commands.Group(name='{first}', description='x', parent={group})")
        lines.append(f"add({first}, '{second}')" if second else f"add({group}, '{first}')")
    folder.write(plugin, GROUP.format(group=group, plugin=plugin, rank=rank, body="\n".join(lines)))


def table_of(folder: PluginFolder) -> tuple[CommandTable, app_commands.CommandTree[Any], PluginManager]:
    manager = PluginManager(folder.names, [folder.path])
    table = CommandTable(manager, own_commands())
    tree: app_commands.CommandTree[Any] = app_commands.CommandTree(discord.Client(intents=discord.Intents()))
    table.install(tree)
    return table, tree, manager


def paths(menu: list[dict[str, Any]]) -> list[str]:
    found = []
    for command in menu:
        inner = [each for each in command.get("options", []) if each["type"] in (1, 2)]
        found += [f"{command['name']} {path}" for path in paths(inner)] if inner else [command["name"]]
    return found


@pytest.fixture
def mining(folder: PluginFolder) -> PluginFolder:
    grouped(folder, "sunday", "start", "channels add", "channels list")
    grouped(folder, "crews", "stop", "channels sort", "crew split", rank="officer")
    grouped(folder, "trade", "sell", group="market")
    return folder


def test_groups_of_one_name_become_one(mining: PluginFolder) -> None:
    table, tree, manager = table_of(mining)
    assert manager.quarantined == []
    everything = frozenset(manager.loaded)
    menu = table.guild_menu(tree, everything)
    assert [each["name"] for each in menu] == ["market", "mining"]
    assert paths(menu) == [
        "market sell",
        "mining start",
        "mining channels add",
        "mining channels list",
        "mining channels sort",
        "mining stop",
        "mining crew split",
    ]
    assert menu[1]["description"] == "By sunday"
    assert table.owners["mining channels sort"].plugin == "crews"
    assert table.owners["mining channels sort"].rank == "officer"
    assert table.owners["mining start"].rank == "member"
    leaf = tree.get_command("mining")
    assert isinstance(leaf, app_commands.Group)
    channels = leaf.get_command("channels")
    assert isinstance(channels, app_commands.Group)
    sort = channels.get_command("sort")
    assert sort is not None
    assert sort.qualified_name == "mining channels sort"


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ([], []),
        (["core"], []),
        (["trade"], ["market sell"]),
        (["sunday"], ["mining start", "mining channels add", "mining channels list"]),
        (["crews", "trade"], ["market sell", "mining channels sort", "mining stop", "mining crew split"]),
    ],
)
def test_a_menu_holds_what_is_on(mining: PluginFolder, active: list[str], expected: list[str]) -> None:
    table, tree, _manager = table_of(mining)
    assert paths(table.guild_menu(tree, frozenset(active))) == expected


def test_the_cores_own_commands_are_global(mining: PluginFolder) -> None:
    table, tree, manager = table_of(mining)
    own = [path for path, owner in table.owners.items() if owner.plugin == "core"]
    assert sorted(paths(table.global_menu(tree))) == sorted(own)
    assert {"help", "plugins list", "plugins info", "plugins why", "plugins enable"} <= set(own)
    assert not any(
        path.startswith("plugins") for path in paths(table.guild_menu(tree, frozenset(manager.loaded)))
    )


def test_the_same_plugins_have_the_same_hash_after_a_restart(mining: PluginFolder) -> None:
    hashes = []
    for _ in range(2):
        table, tree, manager = table_of(mining)
        hashes.append(menu_hash(7, table.guild_menu(tree, frozenset(manager.loaded))))
        mining.forget()
    assert hashes[0] == hashes[1]
    assert menu_hash(8, table.guild_menu(tree, frozenset(manager.loaded))) != hashes[0]
    assert menu_hash(7, table.guild_menu(tree, frozenset({"sunday"}))) != hashes[0]


def test_the_hash_does_not_depend_on_the_process() -> None:
    """Our own plugins' menu in processes that order their sets differently."""
    code = (
        "import discord; from discord import app_commands; from pathlib import Path;"
        "from core.commands.own import own_commands;"
        "from core.commands.table import CommandTable, menu_hash; from core.plugins import PluginManager;"
        "m = PluginManager(('market', 'operations', 'sunday_mining', 'payroll'));"
        "t = CommandTable(m, own_commands());"
        "tree = app_commands.CommandTree(discord.Client(intents=discord.Intents()));"
        "print(len(m.loaded), menu_hash(1, t.guild_menu(tree, frozenset(m.loaded)) + t.global_menu(tree)))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert said.pop().startswith("4 ")


def test_too_many_together_take_the_last_one_out(
    folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "core.plugins.manager")
    grouped(folder, "first_half", *(f"a{n}" for n in range(20)))
    grouped(folder, "second_half", *(f"b{n}" for n in range(6)))
    folder.write("leaning", requires=["second_half"])
    grouped(folder, "small_one", "c1")
    table, tree, manager = table_of(folder)
    assert list(manager.loaded) == ["first_half", "small_one"]
    assert [each.name for each in manager.quarantined] == ["second_half", "leaning"]
    assert manager.quarantined[0].hook == "register_commands"
    assert len(paths(table.guild_menu(tree, frozenset(manager.loaded)))) == 21


def test_more_commands_than_a_menu_holds(folder: PluginFolder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "core.plugins.manager")
    code = """
    def make(name):
        @app_commands.command(name=name, description="x")
        @requires("member")
        async def leaf(interaction: discord.Interaction) -> None: ...
        return leaf

    @hookimpl
    def register_commands():
        return [make("{prefix}" + str(n)) for n in range({count})]
    """
    folder.write("first_half", code.format(prefix="a", count=60))
    folder.write("second_half", code.format(prefix="b", count=60))
    folder.write("small_one", code.format(prefix="c", count=1))
    _table, _tree, manager = table_of(folder)
    assert list(manager.loaded) == ["first_half", "small_one"]
    (entry,) = manager.quarantined
    assert (entry.name, entry.hook) == ("second_half", "register_commands")
    assert "there are 101 commands and groups, and Discord takes 100" in entry.reason


def test_a_group_and_a_command_of_one_name(folder: PluginFolder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "core.plugins.manager")
    grouped(folder, "sunday", "start")
    folder.write(
        "bare",
        """
        @app_commands.command(name="mining", description="x")
        @requires("member")
        async def mining(interaction: discord.Interaction) -> None: ...

        @hookimpl
        def register_commands():
            return [mining]
        """,
    )
    grouped(folder, "deeper", "start now")
    table, _tree, manager = table_of(folder)
    assert list(manager.loaded) == ["sunday"]
    for entry in manager.quarantined:
        assert entry.name in ("bare", "deeper")
        assert "sunday" in entry.reason
    assert table.owners["mining start"].plugin == "sunday"


LIMITS = """
@app_commands.command(name="big", description={description!r})
@app_commands.describe(way={option!r})
@requires("member")
async def big(interaction: discord.Interaction, way: str) -> None: ...

@big.autocomplete("way")
async def ways(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    return []

@hookimpl
def register_commands():
    return [big]
"""


@pytest.mark.parametrize(
    ("description", "option", "words"),
    [
        ("x" * 101, "x", "the description of /big has 101 characters, and Discord takes 100"),
        ("  ", "x", "the description of /big is empty"),
    ],
)
def test_what_discord_would_refuse_is_refused_first(
    folder: PluginFolder, caplog: pytest.LogCaptureFixture, description: str, option: str, words: str
) -> None:
    caplog.set_level(logging.CRITICAL, "core.plugins.manager")
    folder.write("big", LIMITS.format(description=description, option=option))
    _table, _tree, manager = table_of(folder)
    assert manager.loaded == {}
    assert words in manager.quarantined[0].reason


TEXT = st.text("xy ", max_size=130)
CHOICE = st.fixed_dictionaries({"name": TEXT, "value": TEXT})
OPTION = st.fixed_dictionaries(
    {
        "type": st.just(3),
        "name": st.just("way"),
        "description": TEXT,
        "required": st.booleans(),
        "choices": st.lists(CHOICE, max_size=27),
        "autocomplete": st.booleans(),
    }
)
LEAF = st.fixed_dictionaries(
    {"type": st.just(1), "name": st.just("go"), "description": TEXT, "options": st.lists(OPTION, max_size=3)}
)
GROUP_PAYLOAD = st.fixed_dictionaries(
    {"type": st.just(1), "name": st.just("dig"), "description": TEXT, "options": st.lists(LEAF, max_size=27)}
)


def numbered(payload: dict[str, Any]) -> dict[str, Any]:
    """Give each option and choice a name of its own, as discord.py sees to it."""
    options = [numbered({**o, "name": f"{o['name']}{n}"}) for n, o in enumerate(payload.get("options", ()))]
    return {**payload, "options": options} if options else payload


@given(GROUP_PAYLOAD)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_what_passes_is_taken_by_discord(payload: dict[str, Any]) -> None:
    """Held against the sandbox's own limits, which know nothing of ours."""
    payload = numbered(payload)
    if problem_of(payload) is None:
        assert check_commands([payload]) == []


def test_a_command_of_more_than_8000_characters(
    folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "core.plugins.manager")
    code = """
    great = app_commands.Group(name="great", description="x")

    def add(name):
        @great.command(name=name, description="y" * 100)
        @requires("member")
        @app_commands.describe(a="z" * 100, b="z" * 100, c="z" * 100)
        async def leaf(interaction: discord.Interaction, a: str, b: str, c: str) -> None: ...

    for n in range({count}):
        add("{prefix}" + str(n))

    @hookimpl
    def register_commands():
        return [great]
    """
    folder.write("first_half", code.format(prefix="a", count=12))
    folder.write("second_half", code.format(prefix="b", count=12))
    table, tree, manager = table_of(folder)
    assert list(manager.loaded) == ["first_half"]
    assert "characters in its names, descriptions and choices, and Discord takes 8,000" in (
        manager.quarantined[0].reason
    )
    assert check_commands(table.guild_menu(tree, frozenset(manager.loaded))) == []


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"name": "dig"}, "dig"),
        ({"name": "dig", "options": [{"type": 4, "name": "amount", "value": 1}]}, "dig"),
        ({"name": "mining", "options": [{"type": 1, "name": "start", "options": []}]}, "mining start"),
        (
            {
                "name": "mining",
                "options": [{"type": 2, "name": "channels", "options": [{"type": 1, "name": "add"}]}],
            },
            "mining channels add",
        ),
        ({}, ""),
    ],
)
def test_the_path_of_an_interaction(data: dict[str, Any], path: str) -> None:
    assert path_of(data) == path
