"""What docs/plugins.md says is what the example does and what the sources offer."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from example_places import EXAMPLE, ROOT, SOURCE

import redlegion
import redlegion.database
import redlegion.voice
from core import events, hookspecs
from core.context import Context, SeatAccess, VoiceAccess
from core.jobs import BACKOFF
from core.manifest import API_VERSION, Manifest
from core.plugins.checks import ALL_HOOKS

GUIDE = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
SPECS = "core/hookspecs.py"
PIECES = re.findall(r"```(?:python|toml)\n# ([^\n]+)\n(.*?)```", GUIDE, flags=re.DOTALL)
QUOTED = re.compile(r"`([^`]+)`")


def place(name: str) -> Path:
    """The file that a piece of the guide is taken from."""
    if name.startswith("shift_log/"):
        return SOURCE / name
    if name == "README.md of the example":
        return EXAMPLE / "README.md"
    return ROOT / name if name.startswith("tests/examples/") else EXAMPLE / name


def section(title: str) -> str:
    """The text under a heading of the reference."""
    found = re.search(rf"^### {title}\n(.*?)(?=^##|\Z)", GUIDE, flags=re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def first_words(title: str) -> list[str]:
    """The names in the first column of a table."""
    return [name for row in rows(title) for name in QUOTED.findall(row[0])]


@pytest.mark.parametrize(
    ("name", "body"), [piece for piece in PIECES if piece[0] != SPECS], ids=lambda text: text[:40]
)
def test_every_piece_is_in_the_example(name: str, body: str) -> None:
    text, start = place(name).read_text(encoding="utf-8"), 0
    for part in re.split(r"^ *# \.\.\.\n", body, flags=re.MULTILINE):
        wanted = part.strip("\n")
        at = text.find(wanted, start)
        assert at >= 0, f"{name} does not say:\n{wanted}"
        start = at + len(wanted)


def test_every_piece_names_its_file() -> None:
    assert len(PIECES) == len(re.findall(r"^```(?:python|toml)$", GUIDE, flags=re.MULTILINE))
    shown = {place(name).name for name, _body in PIECES}
    written = {path.name for path in (SOURCE / "shift_log").rglob("*") if path.suffix in {".py", ".toml"}}
    assert written <= shown


def test_every_hook_stands_there_with_its_signature() -> None:
    wanted = []
    for node in ast.parse((ROOT / SPECS).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body, node.decorator_list = [], []
            wanted.append(ast.unparse(node).removesuffix(":"))
    said = [line for name, body in PIECES if name == SPECS for line in body.splitlines()]
    assert said == wanted
    assert first_words("Hooks") == [line.split("(")[0].split()[-1] for line in wanted]
    assert all(getattr(hookspecs, name).redlegion_spec for name in first_words("Hooks"))


def test_every_key_of_the_manifest() -> None:
    assert {row[0]: row[1] for row in rows("Manifest")} == {
        f"`{name}`": "yes" if field.is_required() else "no" for name, field in Manifest.model_fields.items()
    }
    assert f"this is API {'.'.join(map(str, API_VERSION))}" in section("Manifest")


def test_every_event_and_its_fields() -> None:
    classes: dict[str, Any] = {
        name: each
        for name, each in vars(events).items()
        if dataclasses.is_dataclass(each) and each.__module__ == events.__name__
    }
    assert {QUOTED.findall(row[0])[0]: QUOTED.findall(row[1]) for row in rows("Events")} == {
        name: [field.name for field in dataclasses.fields(each)] for name, each in classes.items()
    }


def test_every_member_of_the_context() -> None:
    said = {re.sub(r"^(await )?(ctx|Context)\.|\(.*", "", name) for name in first_words("Context")}
    assert said == _public(Context)
    text = {QUOTED.findall(row[0])[0]: row[1] for row in rows("Context")}
    for access, line in ((VoiceAccess, text["ctx.voice"]), (SeatAccess, text["ctx.seat"])):
        assert set(re.findall(r"(\w+)\(", line)) == _public(access) - {"guild_id", "owner"}


def _public(kind: type) -> set[str]:
    fields = {field.name for field in dataclasses.fields(kind)}
    return {name for name in {*vars(kind), *fields} if not name.startswith("_")}


def test_every_public_name() -> None:
    assert sorted(first_words("redlegion")) == sorted(redlegion.__all__)
    assert sorted(first_words("redlegion.database")) == sorted(redlegion.database.__all__)
    assert sorted(first_words("redlegion.voice")) == sorted(redlegion.voice.__all__)


def test_numbers_are_those_of_the_code() -> None:
    assert BACKOFF == (5, 30, 120, 600, 3600)
    assert "after 5 s, 30 s, 2 min, 10 min and 1 h" in " ".join(GUIDE.split())
    assert "docs/plugins.md" in ALL_HOOKS


def test_the_guide_is_found() -> None:
    for name in ("README.md", "docs/architecture.md"):
        assert "plugins.md" in (ROOT / name).read_text(encoding="utf-8")
