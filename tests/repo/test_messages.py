"""The English catalogs hold every text of the sources, and are the ones that `make messages` writes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from repo_sources import ROOT, sources

from tools.messages import PLACE, catalog_of, outdated, packages, written


def test_catalogs_are_up_to_date() -> None:
    names = [str(path.relative_to(ROOT)) for path, _ in outdated()]
    assert names == [], "run `make messages`"


@pytest.mark.parametrize("package", list(packages()), ids=lambda path: path.name)
def test_english_is_complete(package: Path) -> None:
    file = package / PLACE / "redlegion.po"
    if not file.is_file():
        pytest.skip("this package shows no texts")
    with file.open("rb") as opened:
        catalog = read_po(opened)
    assert [message.id for message in catalog if message.id and not all(_strings(message.string))] == []


def _strings(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def test_catalogs_are_reproducible(tmp_path: Path) -> None:
    (tmp_path / "views.py").write_text(
        '_("Hello {name}.")\nplural(n, "{n} member", "{n} members")\n', encoding="utf-8"
    )
    first, second = written(catalog_of(tmp_path)), written(catalog_of(tmp_path))
    assert first == second
    assert b'msgid_plural "{n} members"' in first[0]


def test_no_text_hides_in_an_f_string() -> None:
    # Up to Python 3.11 an f-string is one token, in which Babel sees no call.
    hidden = [
        f"{source.path}:{call.lineno}"
        for source in sources("core", "plugins")
        for string in ast.walk(source.tree())
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in {"_", "plural", "translate"}
        and call.args
        and isinstance(call.args[-1], ast.Constant)
        and isinstance(call.args[-1].value, str)
    ]
    assert hidden == []
