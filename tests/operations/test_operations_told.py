"""What members and officers are told of their voice where it is not plain, through the real client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mining import add, run, said

from plugins.operations.rules.credit import Stay, TrackedSpan, Window
from plugins.operations.rules.statistics import Step, apportioned, evenings
from plugins.operations.voice.picture import legend_of
from plugins.operations.voice.timeline import Look, Row, Timeline
from sandbox.server import Outcome, Person
from sandbox.stage import OWN_PLUGINS, Stage, open_stage

EVENING = datetime(2026, 9, 6, 18, tzinfo=UTC)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, plugins=OWN_PLUGINS, start=EVENING, members=4) as stage:
        await stage.start_bot()
        yield stage


async def told(outcome: Outcome) -> dict[str, Any]:
    (embed,) = (await outcome.final())["embeds"]
    return dict(embed)


def fields(embed: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in embed.get("fields", ())}


def clock(seconds: float) -> str:
    return f"<t:{int((EVENING + timedelta(seconds=seconds)).timestamp())}:t>"


async def newest_session(stage: Stage, person: Person) -> str:
    options = {"member": str(person.id), "session": ""}
    officer, text = stage.scene.officer, stage.scene.text
    outcome = await officer.autocomplete("voice void", text, options, focused="session")
    assert outcome.choices
    return str(outcome.choices[0]["value"])


async def void(stage: Stage, person: Person, session: str, reason: str) -> None:
    officer = stage.scene.officer
    asked = await (
        await run(stage, officer, "voice void", member=str(person.id), session=session, reason=reason)
    ).final()
    pressed = await officer.click(asked["id"], asked["components"][0]["components"][0]["custom_id"])
    await stage.settle()
    assert "Voided" in str((await pressed.final())["content"])


async def test_who_sits_there_with_a_voided_session_is_there(stage: Stage) -> None:
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    alpha, bravo = scene.voice_channels[:2]
    await add(stage, alpha, bravo)
    await quartz.join(alpha)
    await run(stage, scene.officer, "mining start")
    await stage.advance(120)
    await void(stage, quartz, await newest_session(stage, quartz), "asleep *all* evening")
    await beryl.join(bravo)
    await stage.advance(60)

    mine = await told(await run(stage, quartz, "voice me"))
    stay = f"{clock(0)}–{clock(180)} <#{alpha.id}> · 3 min · voided: asleep \\*all\\* evening"
    assert mine["description"].splitlines()[1:] == [stay]
    assert (fields(mine)["Credited"], fields(mine)["Last seen"]) == ("0 s", f"is in <#{alpha.id}> now")
    theirs = await told(await run(stage, scene.officer, "voice member", member=str(quartz.id)))
    assert theirs["description"] == mine["description"]
    status = await told(await run(stage, beryl, "mining status"))
    assert "2 in voice now" in status["description"]
    assert f"<#{alpha.id}> (1): Quartz" in status["description"]
    assert "Quartz ·" not in status["description"]
    whole = await told(await run(stage, scene.officer, "voice operation"))
    assert whole["description"].splitlines() == [
        "1. Beryl · 1 min · 33 %",
        "2. Quartz · no time: voided: asleep \\*all\\* evening",
    ]
    # What comes after it counts, and what was voided stays in sight once it has ended.
    await quartz.move(bravo)
    await stage.advance(60)
    await run(stage, scene.officer, "mining stop")
    mine = await told(await run(stage, quartz, "voice me"))
    assert mine["description"].splitlines()[1:] == [
        stay,
        f"{clock(180)}–{clock(240)} <#{bravo.id}> · 1 min",
    ]
    assert fields(mine)["Credited"] == "1 min"
    assert fields(mine)["Last seen"] == f"is in <#{bravo.id}> now"


async def test_the_hub_that_was_passed_through_is_named(stage: Stage) -> None:
    scene = stage.scene
    quartz = scene.members[0]
    scene.guild.create_hub(scene.hub)
    await add(stage, scene.hub)
    await run(stage, scene.officer, "mining start")
    await stage.advance(50)
    await quartz.join(scene.hub)
    await stage.advance(1)
    crew = quartz.channel_id
    assert crew is not None
    assert crew != scene.hub.id
    await add(stage, scene.guild.channels[crew])
    await stage.advance(20)
    mine = await told(await run(stage, quartz, "voice me"))
    [line] = mine["description"].splitlines()[1:]
    assert f"<#{crew}>" in line
    assert line.endswith(f"(through <#{scene.hub.id}>)")


async def test_operations_of_one_title_are_told_apart(stage: Stage) -> None:
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    alpha = scene.voice_channels[0]
    await add(stage, alpha)
    await run(stage, scene.officer, "mining start")
    running = await told(await run(stage, scene.officer, "voice operation"))
    assert running["title"] == "📅 Sunday Mining - 2026-09-06"
    assert running["description"] == "Nobody has sat in a tracked channel yet."
    await stage.advance(60)
    await run(stage, scene.officer, "mining stop")
    for person, words in (
        (scene.officer, "Nobody sat in a tracked channel."),
        (beryl, "Nobody has any credited time."),
    ):
        assert (await told(await run(stage, person, "voice operation")))["description"] == words

    await quartz.join(alpha)
    await run(stage, scene.officer, "mining start")
    await stage.advance(61)
    title = "Sunday Mining - 2026-09-06"
    for wanted in (None, title, "#2", f"📅 {title} · #2"):
        options = {} if wanted is None else {"operation": wanted}
        mine = await told(await run(stage, quartz, "voice me", **options))
        assert mine["title"] == f"📅 {title} · #2"
        assert mine["description"].splitlines()[1] == (
            "This is #2; #1 has the same title: pick it with `operation`."
        )
    first = await told(await run(stage, quartz, "voice operation", operation=f"{title} · #1"))
    assert first["title"] == f"📅 {title} · #1"
    why = await told(await run(stage, scene.officer, "voice why", member=str(quartz.id)))
    assert why["title"] == f"📅 {title} · #2"
    windows = await told(await run(stage, beryl, "operation windows", operation="#1"))
    assert windows["title"] == f"📅 {title} · #1"
    asked = await told(await run(stage, scene.officer, "operation edit", start="30 s ago"))
    assert asked["title"] == f"📅 {title} · #2"
    assert "Quartz · 1 min 1 s → 30 s (−31 s)" in asked["description"]
    absent = said(await run(stage, beryl, "voice me", operation="1"))
    assert f"during {title} · #1." in absent
    offered = await quartz.autocomplete("voice me", scene.text, {"operation": "#1"}, focused="operation")
    assert [each["value"] for each in offered.choices or []] == ["1"]


async def test_a_session_of_somebody_else_is_said_to_be(stage: Stage) -> None:
    scene = stage.scene
    quartz, beryl = scene.members[:2]
    await quartz.join(scene.voice_channels[0])
    await stage.advance(60)
    session = await newest_session(stage, quartz)
    for command, more in (("voice void", {"reason": "no"}), ("voice unvoid", {})):
        wrong = said(await run(stage, scene.officer, command, member=str(beryl.id), session=session, **more))
        assert f"This voice session is <@{quartz.id}>'s, not <@{beryl.id}>'s." in wrong
        assert f"Choose <@{quartz.id}> as the member" in wrong
        unknown = said(await run(stage, scene.officer, command, member=str(beryl.id), session="5", **more))
        assert "There is no such voice session here." in unknown


async def test_parts_add_up_to_the_second(stage: Stage) -> None:
    scene = stage.scene
    quartz = scene.members[0]
    places = scene.voice_channels[:3]
    await add(stage, *places)
    await run(stage, scene.officer, "mining start")
    for place in places:
        await (quartz.move(place) if quartz.channel_id else quartz.join(place))
        await stage.advance(80.5)
    await quartz.leave()
    mine = await told(await run(stage, quartz, "voice me"))
    assert fields(mine)["Credited"] == "4 min 2 s"
    lengths = [line.rsplit(" · ", 1)[1] for line in mine["description"].splitlines()[1:]]
    assert sorted(lengths) == ["1 min 20 s", "1 min 21 s", "1 min 21 s"]
    by_channel = [line.rsplit(" · ", 1)[1] for line in fields(mine)["By channel"].splitlines()]
    assert sorted(by_channel) == sorted(lengths)


cuts = st.lists(st.integers(1, 3_000_000_000), min_size=1, max_size=40)


@given(cuts, st.data())
def test_steps_and_channels_make_up_the_credit(lengths: list[int], data: st.DataObject) -> None:
    """However short and many the stays are: each figure within a second, the sums exact."""
    stays, at = [], EVENING
    for length in lengths:
        end = at + timedelta(microseconds=length)
        stays.append(Stay(1, data.draw(st.integers(1, 3)), at, end))
        at = end
    tracked = [TrackedSpan(channel, EVENING, at) for channel in (1, 2, 3)]
    [member] = evenings(stays, [Window(EVENING, at)], tracked).values()
    assert sum(member.channels.values()) == member.seconds == (sum(lengths) + 500_000) // 1_000_000
    for channel, told_seconds in member.channels.items():
        steps = [step for step in member.steps if step.channel_id == channel]
        assert sum(step.seconds for step in steps) == told_seconds
        assert abs(sum(step.lasted for step in steps) - told_seconds * 1_000_000) < 1_000_000
        assert all(abs(step.lasted - step.seconds * 1_000_000) < 1_000_000 for step in steps)


def test_stays_that_overlap_are_told_as_they_are() -> None:
    stays = [
        Stay(1, 1, EVENING, EVENING + timedelta(seconds=100)),
        Stay(1, 2, EVENING + timedelta(seconds=50), EVENING + timedelta(seconds=150)),
    ]
    end = EVENING + timedelta(seconds=200)
    tracked = [TrackedSpan(channel, EVENING, end) for channel in (1, 2)]
    [member] = evenings(stays, [Window(EVENING, end)], tracked).values()
    assert (member.seconds, dict(member.channels)) == (150, {1: 100, 2: 100})
    assert apportioned([], 0) == []


@pytest.mark.parametrize(
    ("reasons", "label"), [([None], "role"), (["asleep"], "voided"), (["asleep", None], "either")]
)
def test_the_legend_says_why_a_bar_does_not_count(reasons: list[str | None], label: str) -> None:
    end = EVENING + timedelta(hours=1)
    steps = tuple(Step(1, EVENING, end, counted=False, void_reason=reason) for reason in reasons)
    words = {"running": "running", "uncounted": "role", "voided": "voided", "either": "either"}
    timeline = Timeline(
        "", "", ((EVENING, end),), {1: "Alpha"}, {1: Look("#0072B2")}, (Row("", "", steps),), UTC, words
    )
    assert [name for _kind, name in legend_of(timeline)] == ["Alpha", label, "running"]
