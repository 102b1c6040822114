"""An evening in one guild, through the real client: a paid event, one with a draft, one that still runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from support.forging import Answer, answer_to

from plugins.operations import payable_operations, running_operations
from sandbox.server import Outcome, Person
from sandbox.stage import Stage
from sandbox.stories import Place, Scene

GOLD = "33"
HALF_AN_HOUR = 1800


@dataclass(frozen=True, slots=True)
class Evening:
    """What there is afterwards.

    :param paid, drafted, running: ids of operations; the first two have ended.
    :param payroll, draft: ids of payrolls, the first one locked.
    """

    paid: int
    drafted: int
    running: int
    payroll: int
    draft: int


async def evening(stage: Stage, place: Place | Scene, scu: str = "1234,5") -> Evening:
    """Play it; everybody has left voice but the first member, who sits in the operation that runs.

    :param scu: quantity of gold of the paid event.
    """
    officer, crew = place.officer, place.members

    async def run(command: str, **options: Any) -> Answer:
        return await answer_to(stage, await officer.slash(command, place.text, options))

    for channel in place.voice_channels[:2]:
        await run("mining channels add", channel=channel)
    paid = await _held(stage, place, crew[:3])
    payroll = await _valued(stage, place, paid, scu)
    done = await answer_to(stage, await _click(officer, payroll, "confirm"))
    assert "is locked" in done.text, done.text
    drafted = await _held(stage, place, crew[:2])
    draft = await _valued(stage, place, drafted, "7")
    started = await run("mining start")
    assert started.kind == "message", started.text
    await crew[0].join(place.voice_channels[0])
    await stage.advance(60)
    [running] = await stage.runtime.db.read(running_operations, place.guild.id)
    return Evening(paid, drafted, running.id, _id_of(payroll), _id_of(draft))


async def _held(stage: Stage, place: Place | Scene, crew: list[Person]) -> int:
    """Hold a Sunday and return its id."""
    await stage.slash(place.officer, "mining start", channel=place.text)
    for number, person in enumerate(crew):
        await person.join(place.voice_channels[number % 2])
        await stage.advance(HALF_AN_HOUR // (number + 1))
    await stage.advance(HALF_AN_HOUR)
    for person in crew:
        await person.leave()
    stopped = await answer_to(stage, await stage.slash(place.officer, "mining stop", channel=place.text))
    assert stopped.kind == "message", stopped.text
    ended = await stage.runtime.db.read(payable_operations, place.guild.id)
    return int(max(each.id for each in ended))


async def _valued(stage: Stage, place: Place | Scene, operation: int, scu: str) -> dict[str, Any]:
    """Make a draft with gold in it; return its message."""
    officer = place.officer
    begun = await officer.slash("payroll calculate", place.text, {"operation": str(operation)})
    panel = begun.message
    assert panel is not None, begun.kind
    await stage.settle()
    await officer.choose(panel["id"], _part(panel, "ores"), [GOLD])
    await stage.settle()
    form = await officer.click(panel["id"], f"payroll:quantities:{_id_of(panel)}.0")
    assert form.interaction_id is not None, form
    filled = await answer_to(stage, await officer.submit(form.interaction_id, {GOLD: scu}))
    assert isinstance(filled.body, dict), filled
    return filled.body


async def _click(officer: Person, panel: dict[str, Any], action: str) -> Outcome:
    return await officer.click(panel["id"], _part(panel, action))


def _part(panel: dict[str, Any], action: str) -> str:
    [found] = [each for each in custom_ids(panel) if each.startswith(f"payroll:{action}:")]
    return found


def _id_of(panel: dict[str, Any]) -> int:
    """The payroll that a panel is about."""
    key = next(each for each in custom_ids(panel) if each.startswith("payroll:")).split(":", 2)[2]
    return int(key.partition(".")[0])


def custom_ids(part: Any) -> list[str]:
    """Return every custom id in a message or a form, in order."""
    if isinstance(part, dict):
        own = [str(part["custom_id"])] if part.get("custom_id") else []
        return own + [found for value in part.values() for found in custom_ids(value)]
    if isinstance(part, list):
        return [found for each in part for found in custom_ids(each)]
    return []
