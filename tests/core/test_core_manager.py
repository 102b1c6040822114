"""Plugins are checked one by one: a broken one is named with hook and reason, and the others start."""

from __future__ import annotations

import pytest
from support.plugin_folder import PluginFolder

from core.plugins import PluginManager

GOOD = """
@hookimpl
async def on_resync(ctx):
    pass
"""


def load(folder: PluginFolder, *names: str) -> PluginManager:
    return PluginManager(names or folder.names, [folder.path])


def reasons(manager: PluginManager) -> dict[str, str]:
    return {each.name: f"{each.hook}: {each.reason}" for each in manager.quarantined}


HANDLER = "async def handler(interaction, ctx, key): ...\n"
COMMAND = """
@app_commands.command(name="{name}", description="x")
{rank}
async def {name}(interaction: discord.Interaction) -> None: ...

@hookimpl
def register_commands():
    return {answer}
"""

BROKEN = {
    "unknown_hook": ("@hookimpl\nasync def on_nothing(ctx): ...", "on_nothing: there is no hook"),
    "unknown_register": ("@hookimpl\ndef register_nothing(): ...", "register_nothing: there is no hook"),
    "wrong_argument": ("@hookimpl\nasync def on_resync(context): ...", "it takes 'context', but this hook"),
    "keyword_only": ("@hookimpl\nasync def on_resync(ctx, *, event): ...", "must be a plain positional one"),
    "star_args": ("@hookimpl\nasync def on_resync(*args): ...", "must be a plain positional one"),
    "sync_on": ("@hookimpl\ndef on_resync(ctx): ...", "on_resync: an on_* hook must be `async def`"),
    "async_register": (
        "@hookimpl\nasync def register_jobs(): ...",
        "register_jobs: a register_* hook must be",
    ),
    "wrapper": ("@hookimpl(wrapper=True)\ndef register_jobs():\n    return (yield)", "cannot be a wrapper"),
    "async_wrapper": (
        "@hookimpl(wrapper=True)\nasync def on_resync(ctx): yield",
        "on_resync: an on_* hook must",
    ),
    "try_first": ("@hookimpl(tryfirst=True)\nasync def on_resync(ctx): ...", "tryfirst has no meaning"),
    "ends_the_loop": ("raise asyncio.CancelledError('now')", "None: CancelledError: now"),
    "own_base": ("class Bang(BaseException): ...\nraise Bang('boo')", "None: Bang: boo"),
    "register_bang": (
        "@hookimpl\ndef register_jobs():\n    raise GeneratorExit('x')",
        "register_jobs: GeneratorExit: x",
    ),
    "leaves_python": ("raise SystemExit(3)", "None: SystemExit: 3"),
    "fails_to_import": ("import no_such_module_anywhere", "None: ModuleNotFoundError"),
    "not_python": ("def broken(:", "None: SyntaxError"),
    "register_raises": (
        "@hookimpl\ndef register_jobs():\n    raise KeyError('x')",
        "register_jobs: KeyError",
    ),
    "register_exits": ("@hookimpl\ndef register_jobs():\n    raise SystemExit", "register_jobs: SystemExit"),
    "no_list": (
        "@hookimpl\ndef register_components():\n    return 3",
        "a list of Component objects, not int",
    ),
    "nothing": ("@hookimpl\ndef register_jobs():\n    return None", "a list of Job objects, not NoneType"),
    "odd_item": ("@hookimpl\ndef register_jobs():\n    return [7]", "a list of Job objects; int is none"),
    "bad_rank": (
        "@hookimpl\ndef register_components():\n    return [Component('a', print, 'king')]",
        "register_components: ValueError: 'king'",
    ),
    "two_actions": (
        f"{HANDLER}@hookimpl\ndef register_components():\n    return [Component('a', handler, 'guest')] * 2",
        "register_components: the component action 'a' is there twice",
    ),
    "two_jobs": (
        "async def pay(ctx, payload): ...\n@hookimpl\ndef register_jobs():\n    return [Job('pay', pay)] * 2",
        "register_jobs: the job 'pay' is there twice",
    ),
    "bad_schema": ("@hookimpl\ndef register_schema():\n    return []", "it must return Schema('bad_schema'"),
    "bad_settings": (
        (
            "from pydantic import BaseModel\n@hookimpl\ndef register_settings():\n"
            "    return type('S', (BaseModel,), {'__annotations__': {'needed': int}})"
        ),
        "register_settings: its defaults are not usable: needed: this key is missing",
    ),
    "no_rank": (COMMAND.format(name="dig", rank="", answer="[dig]"), "/dig states no rank; add @requires"),
    "twice": (
        COMMAND.format(name="dig", rank="@requires('guest')", answer="[dig, dig]"),
        "register_commands: /dig is there twice",
    ),
    "core_name": (
        COMMAND.format(name="plugins", rank="@requires('guest')", answer="[plugins]"),
        "register_commands: /plugins belongs to the core",
    ),
    "no_command": (
        COMMAND.format(name="dig", rank="@requires('guest')", answer="['dig']"),
        "a list of slash commands and groups; str is none",
    ),
    "own_permissions": (
        COMMAND.format(
            name="dig", rank="@requires('guest')\n@app_commands.default_permissions()", answer="[dig]"
        ),
        "/dig has permissions of its own",
    ),
    "bad_specs": (
        (
            "class Specs:\n    @hookspec\n    def ask_all(): ...\n@hookimpl\n"
            "def register_hookspecs():\n    return Specs"
        ),
        "ask_all: a plugin's own hook is named register_*, on_*, decide_*, filter_* or collect_*",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_the_others_start(folder: PluginFolder, name: str) -> None:
    code, words = BROKEN[name]
    folder.write("before_it", GOOD)
    folder.write(name, code)
    folder.write("after_it", GOOD, requires=["before_it"])
    manager = load(folder)
    assert list(manager.loaded) == ["before_it", "after_it"]
    assert list(reasons(manager)) == [name]
    assert words in reasons(manager)[name]
    assert str(manager.quarantined[0]).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (None, "there is no manifest.toml beside the plugin's code"),
        ("name = ", "manifest.toml is not valid TOML"),
        ('name = "odd"', "manifest.toml: title: this key is missing; add it"),
    ],
)
def test_a_manifest_that_cannot_be_read(folder: PluginFolder, manifest: str | None, words: str) -> None:
    folder.write("sound")
    folder.write_raw("odd", "raise AssertionError('its code must not run')", manifest)
    manager = load(folder)
    assert list(manager.loaded) == ["sound"]
    assert words in reasons(manager)["odd"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "other", "its manifest.toml says it is 'other'"),
        ("name", "Odd!", "manifest.toml: name: a name is 2 to 32 characters"),
        ("name", "core", "manifest.toml: name: core is what the bot itself is called; use another name"),
        ("api", ">=2", "this version of Red Legion offers plugin API 1.0, the plugin asks for >=2"),
        ("api", "1.x", "cannot read the range '1.x'; write it like \">=1,<2\""),
        ("api", ">=1,<1", "offers plugin API 1.0"),
        ("kind", "gadget", "manifest.toml: kind: must be 'feature' or 'library', not 'gadget'"),
        ("permissions", ["fly"], "Discord has no permission fly"),
        ("intents", ["mind_reading"], "Discord has no intent mind_reading"),
        ("ranks", ["king"], "ranks: must be 'guest', 'member', 'officer' or 'admin', not 'king'"),
        ("colour", "red", "manifest.toml: colour: there is no key of this name; remove it"),
        ("personal_data", None, "manifest.toml: personal_data: this key is missing; add it"),
    ],
)
def test_a_field_that_cannot_be_used(folder: PluginFolder, field: str, value: object, words: str) -> None:
    folder.write("odd", "raise AssertionError('its code must not run')", **{field: value})
    folder.write("sound")
    manager = load(folder)
    assert list(manager.loaded) == ["sound"]
    assert words in reasons(manager)["odd"]


@pytest.mark.parametrize("wanted", [">=1,<2", "==1.0", ">0.9", "<=1.0", ">= 1.0 , < 1.1"])
def test_ranges_that_hold_this_version(folder: PluginFolder, wanted: str) -> None:
    folder.write("sound", api=wanted)
    assert list(load(folder).loaded) == ["sound"]


def test_a_name_that_nobody_has(folder: PluginFolder) -> None:
    folder.write("sound")
    manager = load(folder, "sound", "no_such_plugin", "sound")
    assert list(manager.loaded) == ["sound"]
    assert "there is no plugin of this name; check its spelling" in reasons(manager)["no_such_plugin"]


def test_only_allowed_names_are_imported(folder: PluginFolder) -> None:
    folder.write("sound")
    folder.write("waiting", "raise AssertionError('nobody allowed it')")
    assert reasons(load(folder, "sound")) == {}


@pytest.mark.parametrize("name", ["calendar", "pydantic"])
def test_a_name_that_python_has_already(folder: PluginFolder, name: str) -> None:
    folder.write(name, "raise AssertionError('it must not take the place of the other')")
    folder.names.remove(name)
    folder.write("sound")
    manager = load(folder, name, "sound")
    assert list(manager.loaded) == ["sound"]
    assert f"another Python module is called {name} already" in reasons(manager)[name]


def test_requirements_are_loaded_first_and_after_is_a_wish(folder: PluginFolder) -> None:
    folder.write("last_one", after=["first_one", "not_there"])
    folder.write("middle", requires=["first_one"])
    folder.write("top", requires=["middle"], after=["last_one"])
    folder.write("first_one", kind="library")
    manager = load(folder)
    order = list(manager.loaded)
    assert reasons(manager) == {}
    assert order.index("first_one") < order.index("last_one") < order.index("top")
    assert order.index("first_one") < order.index("middle") < order.index("top")
    assert manager.needs("top") == {"middle", "first_one"}


def test_quarantine_cascades(folder: PluginFolder) -> None:
    folder.write("base", "raise RuntimeError('no')")
    folder.write("middle", requires=["base"])
    folder.write("top", requires=["middle"])
    folder.write("friend", after=["base"])
    manager = load(folder)
    assert list(manager.loaded) == ["friend"]
    found = reasons(manager)
    assert found["middle"] == "None: it requires base, which is not loaded"
    assert found["top"] == "None: it requires middle, which is not loaded"


def test_quarantine_of_a_loaded_plugin_cascades(folder: PluginFolder) -> None:
    folder.write("base")
    folder.write("middle", requires=["base"])
    folder.write("top", requires=["middle"])
    folder.write("friend")
    manager = load(folder)
    manager.quarantine("base", None, "for a reason")
    assert list(manager.loaded) == ["friend"]
    assert list(reasons(manager)) == ["base", "middle", "top"]


def test_a_circle_is_named_and_the_others_start(folder: PluginFolder) -> None:
    folder.write("one", requires=["two"])
    folder.write("two", requires=["three"])
    folder.write("three", requires=["one"])
    folder.write("narcissus", requires=["narcissus"])
    folder.write("onlooker", requires=["one"])
    folder.write("sound")
    manager = load(folder)
    assert list(manager.loaded) == ["sound"]
    found = reasons(manager)
    assert all(name in found["one"] for name in ("one", "two", "three"))
    assert "require each other: narcissus" in found["narcissus"]
    assert "it requires one" in found["onlooker"]


GROUP = """
mining = app_commands.Group(name="mining", description="x")

@mining.command(name="{leaf}", description="x")
@requires("member")
async def leaf(interaction: discord.Interaction) -> None: ...

@hookimpl
def register_commands():
    return [mining]
"""


def test_two_owners_of_one_path_are_both_named(folder: PluginFolder) -> None:
    folder.write("digger", GROUP.format(leaf="start"))
    folder.write("delver", GROUP.format(leaf="start"))
    folder.write("hauler", GROUP.format(leaf="stop"))
    manager = load(folder)
    assert list(manager.loaded) == ["digger", "hauler"]
    assert reasons(manager)["delver"] == (
        "register_commands: /mining start belongs to both digger and delver"
    )


@pytest.mark.parametrize("command_first", [True, False])
def test_a_command_cannot_stand_beside_a_group_of_its_name(folder: PluginFolder, command_first: bool) -> None:
    command = COMMAND.format(name="mining", rank="@requires('guest')", answer="[mining]")
    plugins = [("lone", command), ("grouped", GROUP.format(leaf="start"))]
    for name, code in plugins if command_first else reversed(plugins):
        folder.write(name, code)
    manager = load(folder)
    first, second = ("lone", "grouped") if command_first else ("grouped", "lone")
    assert list(manager.loaded) == [first]
    assert "cannot stand beside" in reasons(manager)[second]
    assert first in reasons(manager)[second]


SPECS = """
from redlegion import hookspec

@hookspec
def register_crews(): ...

@hookspec
async def on_crew_left(ctx, event): ...
"""
OWNER = """
from crews import hookspecs

@hookimpl
def register_hookspecs():
    return hookspecs

@hookimpl
def register_crews():
    return ["own"]
"""


def write_crews(folder: PluginFolder, more: str = "") -> None:
    folder.write("crews", OWNER + more)
    (folder.path / "crews" / "hookspecs.py").write_text(SPECS, encoding="utf-8")


def test_hooks_of_a_plugins_own_are_collected_in_order(folder: PluginFolder) -> None:
    folder.write("joiner", "@hookimpl\ndef register_crews():\n    return ['joined']", requires=["crews"])
    write_crews(folder)
    folder.write("bad_joiner", "@hookimpl\ndef register_crews(what): ...", requires=["crews"])
    folder.write("hearer", "@hookimpl\nasync def on_crew_left(event): ...", requires=["crews"])
    manager = load(folder)
    assert list(reasons(manager)) == ["bad_joiner"]
    assert manager.declared("register_crews", list(manager.loaded)) == [
        ("crews", ["own"]),
        ("joiner", ["joined"]),
    ]
    assert manager.declared("register_crews", ["joiner"]) == [("joiner", ["joined"])]
    assert manager.loaded["hearer"].targets["on_crew_left"].arguments == ("event",)


def test_a_late_failure_takes_the_whole_plugin(folder: PluginFolder) -> None:
    write_crews(folder, "\n@hookimpl\ndef register_jobs():\n    raise ValueError('late')")
    folder.write("joiner", "@hookimpl\ndef register_crews():\n    return []", requires=["crews"])
    folder.write("sound")
    manager = load(folder)
    assert list(manager.loaded) == ["sound"]
    assert reasons(manager)["crews"] == "register_jobs: ValueError: late"
    assert manager.declared("register_crews", ["crews", "joiner"]) == []
