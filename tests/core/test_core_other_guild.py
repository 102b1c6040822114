"""Everything that one guild's people have seen, tried by the people of another: nothing comes of it.

An evening is played in guild A and one in guild B. Every custom id, every choice and every id that the bot
said in A is then used in B, by every rank. Whatever is A's must be answered like what never was, nothing of A
may stand in any answer or file, and no row of A may change.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pypdf
import pytest
from support.forging import (
    COMMAND,
    STRING,
    STRING_SELECT,
    USER,
    Answer,
    Ears,
    answer_to,
    command_data,
    forge,
    press,
    submit,
)
from support.guild_rows import rows_of_guild
from support.harvest import Used, harvested
from support.sunday_evening import Evening, evening

from core.guilds.ranks import Rank
from plugins.payroll import payroll_report
from plugins.payroll.words import auec
from sandbox.server import Person
from sandbox.server.payloads import people
from sandbox.stage import Stage, open_stage

#: A's evening is over before midnight, so the titles of B's events bear another date.
START = datetime(2026, 9, 6, 20, tzinfo=UTC)
UNTIL_MIDNIGHT = 6_000
UNKNOWN_NUMBER, UNKNOWN_ID = "987654", "1428000000000000001"
TEXT_INPUT = 4


class TwoGuilds:
    """A with its secrets, and B with its people of every rank."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.a, self.b = stage.scene, stage.scene.second
        self.ears = Ears(stage)
        self.harvest: list[Used] = []
        self.secrets: set[str] = set()
        self.people: list[tuple[Person, Rank]] = []
        self.before: dict[str, list[dict[str, Any]]] = {}

    async def play(self) -> None:
        """Let both evenings happen, and look at all that A's admin can look at."""
        stage = self.stage
        self.evening: Evening = await evening(stage, self.a)
        await self._administer()
        self.harvest = harvested(self.ears.take())
        await stage.advance(UNTIL_MIDNIGHT)
        self.other: Evening = await evening(stage, self.b, "55")
        await self._make_ranks()
        await self._find_secrets()
        self.before = await self.rows_of_a()
        self.ears.take()

    async def rows_of_a(self) -> dict[str, list[dict[str, Any]]]:
        return await self.stage.runtime.db.read(rows_of_guild, self.a.guild.id)

    async def rows_of_b(self) -> dict[str, list[dict[str, Any]]]:
        """What the plugins keep of B."""
        rows = await self.stage.runtime.db.read(rows_of_guild, self.b.guild.id)
        return {table: rows[table] for table in rows if table.startswith(("operations", "payroll", "sunday"))}

    async def _administer(self) -> None:
        """See and change A's settings, ranks and log, and everything that is offered while typing."""
        stage, owner, text = self.stage, self.a.owner, self.a.text

        async def ask(command: str, **options: Any) -> dict[str, Any]:
            outcome = await owner.slash(command, text, options)
            found = (await answer_to(stage, outcome)).body
            assert isinstance(found, dict)
            return found

        settings = await ask("plugins settings", plugin="payroll")
        for typed in ("many", "13.57 %"):
            form = await owner.click(settings["id"], "core:set_edit:payroll.0")
            assert form.interaction_id is not None
            fields = {"org_cut_bp": typed, "fee_bp": "50"}
            await answer_to(stage, await owner.submit(form.interaction_id, fields))
        ranks = await ask("setup ranks")
        lead = self.a.guild.create_role("Ember Lead")
        await owner.choose(ranks["id"], "core:rank_roles:officer", [lead.id])
        await ask("plugins settings", plugin="payroll")
        for number in range(12):
            await ask("plugins disable" if number % 2 == 0 else "plugins enable", plugin="payroll")
        await ask("setup audit")
        await ask("setup audit", member=owner, plugin="payroll")
        await ask("setup show")
        await ask("help")
        await ask("privacy forget", member=self.a.members[1])
        for line in owner.menu:
            for option in (each for each in line["options"] if each.get("autocomplete")):
                await owner.autocomplete(line["command"], text, {}, focused=option["name"])
        await stage.advance(30)

    async def _make_ranks(self) -> None:
        guild = self.b.guild
        crew, lead = guild.create_role("Crew"), guild.create_role("Lead")
        self.mapping = {crew.id: Rank.MEMBER, lead.id: Rank.OFFICER}
        self.people = [
            (self.b.members[2], Rank.GUEST),
            (guild.add_member("basalt_crew", roles=[crew]), Rank.MEMBER),
            (guild.add_member("basalt_lead", roles=[lead]), Rank.OFFICER),
            (self.b.owner, Rank.ADMIN),
        ]
        self.on = self.stage.runtime.guilds.active(guild.id)
        await self.put_back()

    async def put_back(self) -> None:
        """Undo what B's admin may have done to B."""
        runtime, guild_id = self.stage.runtime, self.b.guild.id
        for feature in runtime.guilds.features():
            if feature.name in self.on and not runtime.guilds.wanted(guild_id, feature.name):
                await runtime.switch(guild_id, feature.name, True, self.b.owner.id)
        if dict(runtime.guilds.ranks(guild_id)) != self.mapping:
            await runtime.guilds.set_ranks(guild_id, self.mapping, self.b.owner.id)

    async def _find_secrets(self) -> None:
        guild = self.a.guild
        ids = {guild.id, *guild.members, *guild.channels, *guild.roles}
        ids -= {self.stage.world.bot_user.id}
        self.secrets = {str(each) for each in ids} | {
            "of Ember",
            "Ember Prospectors",
            "Ember Lead",
            "Sunday Mining - 2026-09-06",
            "13.57",
            "1357",
        }
        paid = await self.stage.runtime.db.read(payroll_report, guild.id, self.evening.paid)
        own = await self.stage.runtime.db.read(payroll_report, self.b.guild.id, self.other.paid)
        assert paid is not None
        assert own is not None
        amounts = _amounts(paid) - _amounts(own)
        assert paid.gross in amounts
        self.secrets |= {str(each) for each in amounts} | {auec(each) for each in amounts}

    def judge(self, answer: Answer, given: Any, what: str) -> None:
        """Check that an answer breaks nothing and tells nothing of A that was not in the question."""
        assert answer.kind != "none", what
        assert "give your admin the reference" not in answer.text, f"{what}: {answer.text}"
        asked = json.dumps(given, ensure_ascii=False, default=str)
        told = json.dumps([self.ears.take(), answer.text], ensure_ascii=False)
        assert self.leaked(told, asked) == [], f"{what}: {told}"

    def leaked(self, told: str, asked: str = "") -> list[str]:
        """Return A's secrets in a text, apart from those in the question."""
        return sorted(
            each
            for each in self.secrets
            if re.search(rf"(?<![\d,]){re.escape(each)}(?![\d,]*\d)", told) and each not in asked
        )


def _amounts(report: Any) -> set[int]:
    sums = [report.gross, report.expenses, report.org_cut, report.fees, report.payouts_total]
    slips = [amount for slip in report.payslips for amount in (slip.gross, slip.fee, slip.net)]
    return {amount for amount in (*sums, *slips) if amount >= 10_000}


def masked(text: str, *values: str) -> str:
    """Return an answer without the words that it repeats of the questions."""
    for value in values:
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "?", text, flags=re.IGNORECASE)
    # What is quoted may be cut.
    return re.sub("“[^”]*…”", "“?”", text)


@pytest.fixture
async def guilds(lite: str) -> AsyncIterator[TwoGuilds]:
    async with open_stage(lite, members=4, channels=3, start=START) as stage:
        scene = stage.scene
        for person in (scene.owner, scene.officer, *scene.members):
            person.member.nick = f"{person.username} of Ember"
        await stage.start_bot()
        two = TwoGuilds(stage)
        await two.play()
        yield two
        check_files(two)
        assert await two.rows_of_a() == two.before


def check_files(two: TwoGuilds) -> None:
    """Look into every file that was sent in B."""
    messages = two.stage.world.messages_room.by_id.values()
    for message in [each for each in messages if each.channel_id in two.b.guild.channels]:
        for file in message.attachments:
            assert file.data is not None
            text = (
                "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file.data)).pages)
                if file.filename.endswith(".pdf")
                else file.data.decode("utf-8-sig")
            )
            # The export of somebody says whom it is about.
            assert two.leaked(text, file.filename) == [], f"{file.filename}: {text}"


async def test_components_and_forms_of_another_guild(guilds: TwoGuilds) -> None:
    stage = guilds.stage
    names = {used.custom_id.rpartition(":")[0] for used in guilds.harvest}
    assert {
        "payroll:confirm",
        "payroll:enter",
        "core:set_again",
        "core:set_save",
        "core:audit_older",
    } <= names
    own = await guilds.rows_of_b()
    for used in guilds.harvest:
        for person, held in guilds.people:
            answers = []
            for custom_id, choices in _as_seen_and_unknown(used):
                values = list(choices)[:1]
                if used.kind == 0:
                    fields = dict.fromkeys(used.inputs, "5")
                    answer = await submit(stage, person, guilds.b.text, custom_id, fields)
                else:
                    framed = not custom_id.startswith(("core:help", "core:enable_needed"))
                    answer = await press(
                        stage, person, guilds.b.text, custom_id, kind=used.kind, values=values, framed=framed
                    )
                guilds.judge(answer, [custom_id, values], f"{custom_id} {values} as {held}")
                answers.append(answer)
                await guilds.put_back()
            seen, unknown = answers
            assert (seen.kind, seen.text) == (unknown.kind, unknown.text), used
            assert await guilds.rows_of_a() == guilds.before, used
            if used.custom_id.startswith("payroll:"):
                assert await guilds.rows_of_b() == own, used


def _as_seen_and_unknown(used: Used) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return the component as A saw it, and the same about something that never was."""
    yield used.custom_id, used.choices
    plugin, action, key = used.custom_id.split(":", 2)
    if plugin == "payroll" and action != "event":
        _first, dot, rest = key.partition(".")
        key = f"{UNKNOWN_NUMBER}{dot}{rest}"
    elif action == "set_again":
        key = f"{key.partition('.')[0]}.{UNKNOWN_ID}"
    choices = (UNKNOWN_NUMBER,) if used.kind == STRING_SELECT and action == "event" else used.choices
    yield f"{plugin}:{action}:{key}", choices


def beside(line: Any, option: Any, user_id: int) -> dict[str, str]:
    """What the other required options of a command are given: a member of B, or a word."""
    return {
        each["name"]: str(user_id) if each["type"] == USER else "word"
        for each in line["options"]
        if each.get("required") and each["name"] != option["name"]
    }


async def test_options_with_what_is_another_guilds(guilds: TwoGuilds) -> None:
    stage, a = guilds.stage, guilds.a
    played = guilds.evening
    numbers = [
        str(each) for each in (played.paid, played.drafted, played.running, played.payroll, played.draft)
    ]
    ids = [str(each) for each in (a.guild.id, a.voice_channels[0].id, a.members[1].id, a.owner.id)]
    # Each has an unknown one of its own: both are asked for equally often, which B's own log tells.
    pairs = [(each, str(int(each) + 40)) for each in dict.fromkeys(numbers)]
    pairs += [(each, str(int(UNKNOWN_ID) + at)) for at, each in enumerate(ids)]
    pairs += [
        ("Sunday Mining - 2026-09-06", "Sunday Mining - 1999-01-03"),
        (f"{a.members[1].username} of Ember Prospectors", "nobody of Nowhere"),
    ]
    b_payrolls = {str(each) for each in (guilds.other.payroll, guilds.other.draft)}
    own = await guilds.rows_of_b()
    tried = 0
    for line in guilds.b.owner.menu:
        for option in (
            each for each in line["options"] if each["type"] == STRING and not each.get("choices")
        ):
            for person, held in guilds.people:
                for value, unknown in pairs:
                    what = f"/{line['command']} {option['name']}={value} as {held}"
                    if option["name"] == "payroll" and value in b_payrolls:
                        # The number of an event of A can be that of a payroll of B.
                        continue
                    texts = []
                    for each in (value, unknown):
                        given = {**beside(line, option, guilds.b.members[0].id), option["name"]: each}
                        outcome = await person.slash(line["command"], guilds.b.text, given, stale=True)
                        answer = await answer_to(stage, outcome)
                        guilds.judge(answer, each, what)
                        texts.append((answer.kind, masked(answer.text, value, unknown)))
                    assert texts[0] == texts[1], what
                    tried += 1
            assert await guilds.rows_of_a() == guilds.before, line["command"]
            await guilds.put_back()
    assert tried
    assert await guilds.rows_of_b() == own


async def test_nothing_of_another_guild_is_offered(guilds: TwoGuilds) -> None:
    stage, a = guilds.stage, guilds.a
    words = [
        "",
        "Sunday",
        "Ember",
        "1",
        str(guilds.evening.paid),
        str(a.guild.id),
        a.members[0].username,
        "2026-09-06",
    ]
    for line in guilds.b.owner.menu:
        for option in (each for each in line["options"] if each.get("autocomplete")):
            for person, held in guilds.people:
                for word in words:
                    outcome = await person.autocomplete(
                        line["command"], guilds.b.text, {option["name"]: word}, focused=option["name"]
                    )
                    await stage.settle()
                    answer = Answer(outcome.kind, outcome.choices)
                    guilds.judge(answer, "", f"/{line['command']} {option['name']} “{word}” as {held}")


async def test_members_of_another_guild(guilds: TwoGuilds) -> None:
    stage = guilds.stage
    stranger = guilds.a.members[1].user
    shape = people.user(stranger)
    asked = 0
    for line in guilds.b.owner.menu:
        for option in (each for each in line["options"] if each["type"] == USER):
            for person, held in guilds.people:
                typed = [{"name": option["name"], "type": USER, "value": str(stranger.id)}]
                typed += [
                    {"name": each["name"], "type": STRING, "value": "plugins list"}
                    for each in line["options"]
                    if each.get("required") and each["type"] == STRING
                ]
                data = command_data(line["command"], typed, resolved={"users": {str(stranger.id): shape}})
                answer = await forge(stage, person, guilds.b.text, COMMAND, data)
                guilds.judge(answer, data, f"/{line['command']} as {held}")
                asked += 1
            assert await guilds.rows_of_a() == guilds.before, line["command"]
    assert asked


async def test_looking_at_all_that_is_ones_own(guilds: TwoGuilds) -> None:
    """Every command without options, by everybody: only B's own things are there."""
    for line in guilds.b.owner.menu:
        if any(each.get("required") for each in line["options"]):
            continue
        for person, held in guilds.people:
            outcome = await person.slash(line["command"], guilds.b.text, {}, stale=True)
            guilds.judge(await answer_to(guilds.stage, outcome), "", f"/{line['command']} as {held}")
            await guilds.put_back()
