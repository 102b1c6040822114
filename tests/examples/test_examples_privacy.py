"""The example plugin answers for what it keeps of people: handed out, and forgotten."""

from __future__ import annotations

import json
from typing import Any

from shift_log.models import RemarkRow
from support.all_tables import tables_with
from support.panels import buttons_of, text_of

from sandbox.stage import Stage


async def write(stage: Stage, text: str) -> None:
    member = stage.scene.members[0]
    form = await stage.slash(member, "shift note")
    assert form.interaction_id is not None
    await member.submit(form.interaction_id, {"text": text})
    await stage.settle()


def remarks() -> list[tuple[str, str]]:
    rows: Any = RemarkRow.select(RemarkRow.name, RemarkRow.text)
    return list(rows.tuples())


async def test_a_remark_is_handed_out_and_its_author_forgotten(each_stage: Stage) -> None:
    stage, member = each_stage, each_stage.scene.members[0]
    await write(stage, "Drill 3 is worn out.")
    outcome = await stage.slash(member, "privacy export")
    assert outcome.message is not None
    [attached] = outcome.message["attachments"]
    document = json.loads(stage.world.attachment(int(outcome.message["id"]), attached["filename"]))
    [remark] = document["plugins"]["shift_log"]["data"]["written"]
    assert remark["text"] == "Drill 3 is worn out."
    name = remark["name"]
    asked = (await stage.slash(member, "privacy forget")).message
    assert "Shift log: 1" in text_of(asked)
    assert asked is not None
    pressed = await member.click(asked["id"], buttons_of(asked)["Forget me"])
    assert "✅ Forgotten" in text_of(pressed.message)
    assert await stage.runtime.db.read(tables_with, str(member.id)) == {}
    assert await stage.runtime.db.read(tables_with, name) == {}
    assert await stage.runtime.db.read(remarks) == [("", "Drill 3 is worn out.")]
