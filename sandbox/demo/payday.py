"""The officer shares the pay: picks the event, enters the ore, reads the preview, confirms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from plugins.operations import OperationView, get_operation
from plugins.payroll import Payroll, payroll_report
from sandbox.demo.narrator import Narrator
from sandbox.server import Outcome, Person
from sandbox.stage import Stage

#: What a mining crew comes home with; gems, at millions each, would make every other figure look small.
HAUL = ("Quantanium", "Gold", "Bexalite", "Taranite", "Laranite", "Borase", "Beryl", "Agricium", "Titanium")
#: Different ores that the crew sells.
ORES = 5


@dataclass(frozen=True, slots=True)
class Paid:
    """What came out.

    :param sheet: the payroll as the database holds it.
    """

    payroll_id: str
    operation: OperationView
    sheet: Payroll
    pdf: bytes
    csv: bytes


class DemoBroken(RuntimeError):
    """The bot did something that the story does not know; the message says what."""


class Payday:
    """Goes through `/payroll calculate` as an officer does, by its messages alone."""

    def __init__(self, stage: Stage, told: Narrator, officer: Person) -> None:
        self.stage = stage
        self.told = told
        self.officer = officer

    async def run(self, seed: int) -> Paid:
        """Play the payroll.

        :param seed: of the haul.
        :raises DemoBroken: a step was refused.
        """
        random = Random(seed * 7 + 3)
        self._say("Topaz runs the payroll: the event, the ore, the quantities.")
        panel = await self._answer(await self.stage.slash(self.officer, "payroll calculate"))
        select = part(panel, "payroll:event:")
        operation_id = select["options"][0]["value"]
        panel = await self._choose(panel, select, [operation_id])
        ores = part(panel, "payroll:ores:")
        offered = [option["value"] for option in ores["options"] if option["label"] in HAUL]
        picked = random.sample(offered, min(ORES, len(offered)))
        panel = await self._choose(panel, ores, picked)
        panel = await self._quantities(panel, random)
        for line in plain_text(panel)[:16]:
            self.told.heard("preview:", line)
        self._say("The sums are exact; Topaz confirms, and a job builds the PDF and posts it with the CSV.")
        known = {message["id"] for message in self._messages()}
        await self._click(panel, "payroll:confirm:")
        await self.stage.advance(1)
        posted = [m for m in self._messages() if m["id"] not in known and m.get("attachments")]
        if len(posted) != 1:
            raise DemoBroken(f"{len(posted)} messages with files appeared instead of one")
        return await self._paid(posted[0], int(operation_id))

    async def _quantities(self, panel: dict[str, Any], random: Random) -> dict[str, Any]:
        outcome = await self._click(panel, "payroll:quantities:")
        if outcome.kind != "modal" or outcome.modal is None or outcome.interaction_id is None:
            raise DemoBroken(f"the form for quantities did not open, but {outcome.kind}")
        values = {
            component["custom_id"]: f"{random.randint(40, 9_000) / 10:.2f}"
            for component in walk(outcome.modal["components"])
            if component.get("type") == 4
        }
        answer = await self.officer.submit(outcome.interaction_id, values)
        await self.stage.settle()
        return await self._answer(answer)

    async def _paid(self, message: dict[str, Any], operation_id: int) -> Paid:
        guild_id = self.stage.scene.guild.id
        db = self.stage.runtime.db
        files = {
            attachment["filename"]: self.stage.world.attachment(int(message["id"]), attachment["filename"])
            for attachment in message["attachments"]
        }
        pdf_name = next(name for name in files if name.endswith(".pdf"))
        csv_name = next(name for name in files if name.endswith(".csv"))
        sheet = await db.read(payroll_report, guild_id, operation_id)
        operation = await db.read(get_operation, guild_id, operation_id)
        if sheet is None or operation is None:
            raise DemoBroken("the payroll is not in the database")
        return Paid(
            payroll_id=pdf_name.removeprefix("payroll-").removesuffix(".pdf"),
            operation=operation,
            sheet=sheet,
            pdf=files[pdf_name],
            csv=files[csv_name],
        )

    async def _choose(
        self, panel: dict[str, Any], select: dict[str, Any], values: list[str]
    ) -> dict[str, Any]:
        outcome = await self.officer.choose(panel["id"], select["custom_id"], values)
        await self.stage.settle()
        return await self._answer(outcome)

    async def _click(self, panel: dict[str, Any], action: str) -> Outcome:
        outcome = await self.officer.click(panel["id"], part(panel, action)["custom_id"])
        await self.stage.settle()
        return outcome

    async def _answer(self, outcome: Outcome) -> dict[str, Any]:
        message = await outcome.final() if outcome.kind == "deferred" else outcome.message
        if message is None:
            raise DemoBroken(f"the bot answered with {outcome.kind} where a message was due")
        return message

    def _messages(self) -> list[dict[str, Any]]:
        return self.stage.world.messages(self.stage.scene.text.id)

    def _say(self, words: str) -> None:
        self.told.say(self.stage.world.clock.now(), words)


def walk(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every component of a message or modal, nested ones included."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        if component.get("component"):
            yield from walk([component["component"]])
        if component.get("accessory"):
            yield from walk([component["accessory"]])


def part(message: dict[str, Any], action: str) -> dict[str, Any]:
    """Return the first component whose custom id starts with `action`.

    :raises DemoBroken: there is none; the message's words are quoted.
    """
    for component in walk(message.get("components") or []):
        if str(component.get("custom_id", "")).startswith(action) and not component.get("disabled"):
            return component
    words = " / ".join(plain_text(message)[:5]) or message.get("content")
    raise DemoBroken(f"there is no {action} on the message that says: {words}")


def plain_text(message: dict[str, Any]) -> list[str]:
    """Return the lines of a message's text components."""
    found: list[str] = []
    for component in walk(message.get("components") or []):
        if component.get("type") == 10:
            lines = (line.strip("`").removeprefix("### ") for line in str(component["content"]).splitlines())
            found += [line.removeprefix("-# ").replace("**", "") for line in lines if line.strip()]
    return found
