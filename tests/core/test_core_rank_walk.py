"""Every command, autocomplete, component and form, of the core and of every plugin, with every rank.

Who is admitted is what the tables say: `runtime.commands.owners`, `Component.rank`, and docs/commands.md.
Who is admitted may be told what was wrong, but never that something broke.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.component_table import FORM, NONSENSE_KEYS, PARTS, all_components
from support.forging import AUTOCOMPLETE, COMMAND, Answer, answer_to, command_data, forge, press, submit
from support.sunday_evening import Evening, evening

from core.guilds.ranks import Rank
from core.stays.voids import void_session
from core.voice.store import sessions_between
from sandbox.server import Person
from sandbox.stage import Stage, open_stage

DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"
MANAGE_GUILD = 1 << 5
NONSENSE = (
    "-1",
    "9" * 19,
    "9" * 30,
    "'; DROP TABLE jobs; -- <@&1> **_`|| \u202e\U0001f9e8 {0} %s\n\\",
    "x" * 6_000,
)
STRING, INTEGER, BOOLEAN, USER, CHANNEL = 3, 4, 5, 6, 7

People = list[tuple[Person, Rank]]
Options = dict[str, Any]


@pytest.fixture
async def stage(lite: str) -> AsyncIterator[Stage]:
    async with open_stage(lite, members=6, channels=3) as opened:
        await opened.start_bot()
        yield opened


@pytest.fixture(autouse=True)
def _nothing_breaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    broken = [r for r in caplog.get_records("call") if r.levelno >= logging.ERROR]
    assert [(r.getMessage(), r.exc_info and repr(r.exc_info[1])) for r in broken] == []


async def by_permissions(stage: Stage) -> People:
    """People whose rank comes from Discord's permissions; nobody in the guild is a guest then."""
    guild = stage.scene.guild
    manager = guild.add_member("manager", roles=[guild.create_role("Manager", permissions=MANAGE_GUILD)])
    return [
        (stage.scene.members[1], Rank.MEMBER),
        (stage.scene.officer, Rank.OFFICER),
        (manager, Rank.ADMIN),
        (stage.scene.owner, Rank.ADMIN),
    ]


async def by_roles(stage: Stage) -> People:
    """People whose rank comes from roles that the owner has chosen; Manage Events means nothing then."""
    guild, owner = stage.scene.guild, stage.scene.owner
    people: People = [(stage.scene.officer, Rank.GUEST), (stage.scene.members[1], Rank.GUEST)]
    outcome = await stage.slash(owner, "setup ranks")
    assert outcome.message is not None
    for rank in (Rank.MEMBER, Rank.OFFICER, Rank.ADMIN):
        role = guild.create_role(f"Is {rank}")
        people.append((guild.add_member(f"a_{rank}", roles=[role]), rank))
        await owner.choose(outcome.message["id"], f"core:rank_roles:{rank}", [role.id])
        await stage.settle()
    return people


async def void_one(stage: Stage) -> None:
    """Have a session of the first member count for nothing, for whoever takes that back."""
    runtime, guild_id = stage.runtime, stage.scene.guild.id
    now = runtime.clock.now()
    stays = await runtime.db.read(sessions_between, guild_id, now - timedelta(days=1), now)
    session = next(each for each in stays if each.user_id == stage.scene.members[0].id)
    await runtime.db.write(void_session, guild_id, session.id, 1, "a test", now, key=guild_id)


WAYS = {"permissions": by_permissions, "roles": by_roles}


class Walk:
    """Somebody tries everything; afterwards the guild is as it was."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.guild_id = stage.scene.guild.id
        guilds = stage.runtime.guilds
        self.ranks = dict(guilds.ranks(self.guild_id))
        self.on = guilds.active(self.guild_id)
        self.menu = {line["command"]: line["options"] for line in stage.scene.owner.menu}

    async def put_back(self) -> None:
        """Undo what an admin may have switched or mapped."""
        runtime = self.stage.runtime
        for feature in runtime.guilds.features():
            if feature.name in self.on and not runtime.guilds.wanted(self.guild_id, feature.name):
                await runtime.switch(self.guild_id, feature.name, True, 1)
        if dict(runtime.guilds.ranks(self.guild_id)) != self.ranks:
            await runtime.guilds.set_ranks(self.guild_id, self.ranks, 1)
        assert runtime.guilds.active(self.guild_id) == self.on

    async def fillings(self, path: str) -> list[Options]:
        """Return ways to fill a command's options: the least, all that make sense, and nonsense."""
        options = self.menu[path]
        sensible = {each["name"]: await self.sensible(path, each) for each in options}
        least = {each["name"]: sensible[each["name"]] for each in options if each.get("required")}
        found = [least, sensible]
        for number in range(len(NONSENSE)):
            odd = {each["name"]: self.nonsense(each, number) for each in options}
            # Together, and each alone: two wrong ones may hide each other.
            found += [odd, *({**least, name: value} for name, value in odd.items())]
        return [filling for at, filling in enumerate(found) if filling not in found[:at]]

    async def sensible(self, path: str, option: dict[str, Any]) -> Any:
        """Return what a member would give."""
        scene = self.stage.scene
        if option.get("choices"):
            return option["choices"][0]["value"]
        if option.get("autocomplete"):
            given = self.people(path)
            offered = await scene.owner.autocomplete(path, scene.text, given, focused=option["name"])
            await self.stage.settle()
            if offered.choices:
                return offered.choices[0]["value"]
        usual = {STRING: "12.5", INTEGER: 90, BOOLEAN: True, USER: scene.members[2], CHANNEL: scene.lounge}
        return usual[option["type"]]

    def people(self, path: str) -> Options:
        """Return whom a command is about, where it has to be said first."""
        named = (each for each in self.menu[path] if each["type"] == USER and each.get("required"))
        return {each["name"]: self.stage.scene.members[0] for each in named}

    def nonsense(self, option: dict[str, Any], number: int) -> Any:
        """Return what Discord's client would still let through."""
        scene = self.stage.scene
        if option.get("choices"):
            return option["choices"][-1]["value"]
        bot = self.stage.world.bot_user.id
        return {
            STRING: NONSENSE[number][: option.get("max_length", 6_000)],
            INTEGER: min(
                max((-1, 0, 29, 3_651, 2**53 - 1)[number], option.get("min_value", -1)),
                option.get("max_value", 2**53 - 1),
            ),
            BOOLEAN: number % 2 == 0,
            USER: (bot, scene.owner, scene.members[1], scene.officer, bot)[number],
            CHANNEL: (scene.text, scene.afk, scene.hub, scene.general, scene.text)[number],
        }[option["type"]]


def judge(answer: Answer, needed: Rank, held: Rank, what: str) -> None:
    """Check one answer: refused or admitted as the table says, and nothing broken."""
    words = f"This needs the rank {needed}; yours is {held}."
    assert answer.kind != "none", what
    assert "give your admin the reference" not in answer.text, f"{what}: {answer.text}"
    if held.includes(needed):
        assert "This needs the rank" not in answer.text, f"{what} as {held}: {answer.text}"
        assert "is switched off in this server" not in answer.text, f"{what}: {answer.text}"
    else:
        assert answer.text.startswith(words), f"{what} as {held}: {answer.text}"
        assert answer.private, what


@pytest.mark.parametrize("way", WAYS)
async def test_every_command(stage: Stage, way: str) -> None:
    await evening(stage, stage.scene)
    people = await WAYS[way](stage)
    walk = Walk(stage)
    owners = stage.runtime.commands.owners
    assert owners.keys() == walk.menu.keys(), "the menu shows every command to an admin"
    for path, owner in sorted(owners.items()):
        fillings = await walk.fillings(path)
        for person, held in people:
            for filling in fillings if held.includes(owner.rank) else fillings[:2]:
                outcome = await person.slash(path, stage.scene.text, filling, stale=True)
                judge(await answer_to(stage, outcome), owner.rank, held, f"/{path} {filling}")
                await walk.put_back()


@pytest.mark.parametrize("way", WAYS)
async def test_every_autocomplete(stage: Stage, way: str) -> None:
    await evening(stage, stage.scene)
    people = await WAYS[way](stage)
    walk = Walk(stage)
    completed = [(p, o["name"]) for p, options in walk.menu.items() for o in options if o.get("autocomplete")]
    assert ("payroll calculate", "operation") in completed
    text = stage.scene.text
    for path, option in completed:
        needed = stage.runtime.commands.owners[path].rank
        if path == "plugins enable":
            # Only what is off is offered there.
            await stage.runtime.switch(stage.scene.guild.id, "payroll", False, 1)
        if path == "voice unvoid":
            await void_one(stage)
        for person, held in people:
            what = f"/{path} {option} as {held}"
            offered = await person.autocomplete(path, text, walk.people(path), focused=option, stale=True)
            assert offered.kind == "choices", what
            assert bool(offered.choices) is held.includes(needed), f"{what}: {offered.choices}"
            for typed in NONSENSE:
                offered = await person.autocomplete(path, text, {option: typed}, focused=option, stale=True)
                assert offered.kind == "choices", what
                assert held.includes(needed) or offered.choices == [], what
        await walk.put_back()


@pytest.mark.parametrize("way", WAYS)
async def test_every_component_and_form(stage: Stage, way: str) -> None:
    played = await evening(stage, stage.scene)
    people = await WAYS[way](stage)
    walk = Walk(stage)
    needed = all_components(stage.runtime)
    assert PARTS.keys() == needed.keys(), "the table of the test names every component and no other"
    # Whoever may least comes first: the admitted use things up.
    for name, part in PARTS.items():
        for person, held in sorted(people, key=lambda each: each[1].level):
            for key in (part.key(played), *NONSENSE_KEYS):
                answer = await use(stage, person, played, name, key)
                judge(answer, needed[name], held, f"{name}:{key}")
                await walk.put_back()


async def use(  # noqa: PLR0917 - who, where and what belong to every act
    stage: Stage, person: Person, played: Evening, name: str, key: str, channel: Any = None
) -> Answer:
    """Press, choose or send one component."""
    part, channel = PARTS[name], channel or stage.scene.text
    if part.kind == FORM:
        return await submit(stage, person, channel, f"{name}:{key}"[:100], part.fields)
    values = part.values(played)
    return await press(
        stage, person, channel, f"{name}:{key}"[:100], kind=part.kind, values=values, framed=part.framed
    )


async def test_nothing_works_in_a_direct_channel(stage: Stage) -> None:
    played = await evening(stage, stage.scene)
    words = "This works only in a server. Use it in one of its channels."
    for person in (stage.scene.owner, stage.scene.members[1]):
        direct = stage.world.direct_channel(person.id)
        for path in stage.runtime.commands.owners:
            answer = await forge(stage, person, direct, COMMAND, command_data(path))
            assert (answer.text, answer.private) == (words, True), path
        for line in stage.scene.owner.menu:
            for option in (each for each in line["options"] if each.get("autocomplete")):
                typed = {"name": option["name"], "type": STRING, "value": "", "focused": True}
                data = command_data(line["command"], [typed])
                assert await forge(stage, person, direct, AUTOCOMPLETE, data) == Answer("choices", [])
        for name, part in PARTS.items():
            answer = await use(stage, person, played, name, part.key(played), direct)
            assert (answer.text, answer.private) == (words, True), name


async def test_the_document_is_the_live_table(stage: Stage) -> None:
    lines = re.findall(r"^\| `/([^`]+)` \| (\w+) \| (\w+) \|", DOCUMENT.read_text(encoding="utf-8"), re.M)
    live = stage.runtime.commands.owners
    assert sorted(lines) == sorted((path, str(o.rank), o.plugin) for path, o in live.items())
