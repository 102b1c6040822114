"""Nonsense in what a plugin declares is named with its hook, and all of it at once."""

from __future__ import annotations

import pytest
from support.plugin_folder import PluginFolder

from core.plugins import PluginManager

GOOD = "@hookimpl\nasync def on_resync(ctx): ..."


def problems(manager: PluginManager, name: str) -> list[str]:
    return [str(each) for each in manager.problems[name]]


def declares(hook: str, answer: str, before: str = "") -> str:
    return f"{before}\n@hookimpl\ndef {hook}():\n    return {answer}"


SYNC = "def handler(interaction, ctx, key): ..."
SHORT = "async def handler(interaction): ..."
NONSENSE = {
    "sync_handler": (
        declares("register_components", "[Component('a', handler, 'guest')]", SYNC),
        "register_components: the handler of component 'a' must be `async def handler(interaction, ctx, ",
    ),
    "short_handler": (
        declares("register_components", "[Component('a', handler, 'guest')]", SHORT),
        "register_components: the handler of component 'a' cannot be called as `async def handler(",
    ),
    "foreign_action": (
        declares("register_components", "[Component('bank:pay', print, 'guest')]"),
        "register_components: ValueError: component action 'bank:pay' is not made of a-z, 0-9 and _",
    ),
    "sync_job": (
        declares("register_jobs", "[Job('pay', print)]"),
        "register_jobs: the handler of job 'pay' must be `async def handler(ctx, payload)`",
    ),
    "no_time": (
        declares("register_jobs", "[Job('pay', pay, float('nan'))]", "async def pay(ctx, payload): ..."),
        "register_jobs: the deadline of job 'pay' must be a number of seconds above 0",
    ),
    "sync_probe": (
        declares("register_health_checks", "[HealthCheck('prices', print)]"),
        "register_health_checks: the handler of health check 'prices' must be `async def handler(runtime)`",
    ),
    "odd_probe_name": (
        declares(
            "register_health_checks", "[HealthCheck('Prices!', probe)]", "async def probe(runtime): ..."
        ),
        "register_health_checks: the health check 'Prices!' needs a name of at most 32 characters",
    ),
    "two_probes": (
        declares("register_health_checks", "[HealthCheck('up', probe)] * 2", "async def probe(runtime): ..."),
        "register_health_checks: the health check 'up' is there twice",
    ),
    "no_checks": (
        declares("register_health_checks", "None"),
        "register_health_checks: it must return a list of HealthCheck objects, not NoneType",
    ),
    "two_topics": (
        declares("register_help", "[HelpTopic('start', 'Start', 'Text')] * 2"),
        "register_help: the help topic 'start' is there twice",
    ),
    "empty_topic": (
        declares("register_help", "[HelpTopic('start', ' ', 'Text')]"),
        "register_help: the title of help topic 'start' must be text, and not empty",
    ),
    "long_topic": (
        declares("register_help", "[HelpTopic('start', 'Start', 'x' * 4097)]"),
        "register_help: the text of help topic 'start' has 4097 characters of 4096",
    ),
    "topic_rank": (
        declares("register_help", "[HelpTopic('start', 'Start', 'Text', 'king')]"),
        "register_help: ValueError: 'king' is not a valid Rank",
    ),
    "lossy_settings": (
        declares(
            "register_settings",
            "Settings",
            "from pydantic import BaseModel, SecretStr as S\nclass Settings(BaseModel):\n    key: S = S('x')",
        ),
        "register_settings: its defaults come back from JSON changed; use types that JSON keeps",
    ),
    "own_shadow": (
        declares(
            "register_commands",
            "[dig, digs]",
            """
@app_commands.command(name="dig", description="x")
@requires("guest")
async def dig(interaction: discord.Interaction) -> None: ...

digs = app_commands.Group(name="dig", description="x")

@digs.command(name="deep", description="x")
@requires("guest")
async def deep(interaction: discord.Interaction) -> None: ...
""",
        ),
        "register_commands: /dig deep cannot stand beside /dig",
    ),
    "two_hooks": (
        "@hookimpl\nasync def on_resync(ctx): ...\n@hookimpl(specname='on_resync')\nasync def b(ctx): ...",
        "on_resync: there are two implementations; one plugin has one",
    ),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_named_and_the_others_start(folder: PluginFolder, name: str) -> None:
    code, words = NONSENSE[name]
    folder.write("before_it", GOOD)
    folder.write(name, code)
    folder.write("after_it", GOOD)
    manager = PluginManager(folder.names, [folder.path])
    assert list(manager.loaded) == ["before_it", "after_it"]
    (said,) = problems(manager, name)
    assert said.startswith(words)


def test_every_problem_is_kept_and_the_first_one_is_said(folder: PluginFolder) -> None:
    folder.write(
        "odd",
        """
        @hookimpl
        def on_resync(ctx): ...

        @hookimpl
        def register_jobs():
            return [7, Job("pay", print)]

        @hookimpl
        async def on_nothing(ctx): ...
        """,
    )
    manager = PluginManager(["odd"], [folder.path])
    assert [str(each) for each in manager.quarantined] == ["odd: on_resync: an on_* hook must be `async def`"]
    first, unknown, seven, sync = problems(manager, "odd")
    assert first == "on_resync: an on_* hook must be `async def`"
    assert unknown.startswith("on_nothing: there is no hook of this name")
    assert seven == "register_jobs: it must return a list of Job objects; int is none"
    assert sync == "register_jobs: the handler of job 'pay' must be `async def handler(ctx, payload)`"


def test_what_is_right_is_kept(folder: PluginFolder) -> None:
    folder.write(
        "sound",
        """
        from functools import partial
        from redlegion.database import fn  # has every attribute that it is asked for

        async def probe(runtime): ...

        class Paying:
            async def __call__(self, ctx, payload): ...

        async def answer(kind, interaction, ctx, key): ...

        @hookimpl
        def register_health_checks():
            return (each for each in [HealthCheck("prices", probe, vital=True)])

        @hookimpl
        def register_help():
            return [HelpTopic("start", "How to start", "Press **Start**.", "officer")]

        @hookimpl
        def register_jobs():
            return {Job("pay", Paying()): None}

        @hookimpl
        def register_components():
            return [Component("go", partial(answer, "go"), "member")]
        """,
    )
    manager = PluginManager(["sound"], [folder.path])
    assert manager.quarantined == []
    sound = manager.loaded["sound"]
    assert [(each.name, each.vital) for each in sound.health_checks] == [("prices", True)]
    assert sound.help_topics["start"].rank == "officer"
    assert list(sound.jobs) == ["pay"]
    assert list(sound.components) == ["go"]
