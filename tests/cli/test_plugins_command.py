"""`redlegion plugins list` and `hooks`: what is loaded, and who implements what."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support.plugin_desk import Desk

from core.cli.app import main


def test_list_says_what_is_loaded_and_why_the_rest_is_not(desk: Desk) -> None:
    desk.write("sound", kind="library", version="2.1")
    desk.write("needs_it", requires=["sound"], title="Needs")
    desk.write("odd", "@hookimpl\ndef on_resync(ctx): ...")
    status, out = desk.run(load=["odd", "needs_it", "sound", "market", "nowhere"])
    assert status == 1
    table, reasons = out.split("\n\n")
    assert table.splitlines() == [
        "NAME      STATE        KIND     VERSION  FROM    REQUIRES  TITLE",
        "sound     loaded       library  2.1      folder  -         Sound",
        "market    loaded       library  0.1.0    own     -         Market",
        "needs_it  loaded       feature  1.0.0    folder  sound     Needs",
        "nowhere   quarantined  -        -        -       -",
        "odd       quarantined  feature  1.0.0    folder  -         Odd",
    ]
    nowhere, odd = reasons.splitlines()
    assert nowhere.startswith("nowhere: there is no plugin of this name")
    assert odd == "odd: on_resync: an on_* hook must be `async def`"


def test_list_as_json(desk: Desk) -> None:
    desk.write("sound")
    desk.write("odd", "raise SystemExit(9)")
    status, out = desk.run("list", "--json")
    assert status == 1
    sound, odd = json.loads(out)
    assert (sound["name"], sound["state"], sound["hook"], sound["reason"]) == ("sound", "loaded", None, "")
    assert sound["folder"] == str(desk.folder.path / "sound")
    assert (odd["state"], odd["reason"], odd["kind"]) == ("quarantined", "SystemExit: 9", "feature")


def test_static_runs_no_code(desk: Desk) -> None:
    desk.write("loud", "raise SystemExit('it was run')", title="Loud one")
    desk.write("odd", summary=None)
    status, out = desk.run("list", "--static", load=["loud", "odd", "payroll", "nowhere"])
    assert status == 1
    lines = out.splitlines()
    assert lines[1].split() == ["loud", "found", "feature", "1.0.0", "folder", "-", "Loud", "one"]
    assert lines[3].split()[:3] == ["payroll", "found", "feature"]
    assert "odd: manifest.toml: summary: this key is missing; add it; docs/plugins.md explains" in out
    assert "it was run" not in out
    assert not {"loud", "odd"} & sys.modules.keys()


def test_nothing_to_list(desk: Desk) -> None:
    assert desk.run("list") == (0, "No plugins; name some under load in plugins.toml.\n")


SPECS = "from redlegion import hookspec\n@hookspec\nasync def collect_names(ctx, event): ...\n"


def test_hooks_in_their_order(desk: Desk) -> None:
    desk.write("asker", "from asker import specs\n@hookimpl\ndef register_hookspecs():\n    return specs")
    (desk.folder.path / "asker" / "specs.py").write_text(SPECS, encoding="utf-8")
    for name, option in (("one", "trylast=True"), ("two", ""), ("three", "tryfirst=True")):
        code = (
            f"@hookimpl({option})\nasync def collect_names(ctx): ...\n@hookimpl\nasync def on_resync(): ..."
        )
        desk.write(name, code, requires=["asker"])
    status, out = desk.run("hooks")
    assert status == 0
    lines = {line.split()[0]: line.split(maxsplit=2)[1:] for line in out.splitlines()}
    assert lines["HOOK"] == ["DECLARED", "BY  IMPLEMENTED BY"]
    assert [each.strip() for each in lines["on_resync"]] == ["core", "one, two, three"]
    assert [each.strip() for each in lines["on_startup"]] == ["core", "-"]
    assert [each.strip() for each in lines["collect_names"]] == [
        "asker",
        "three (tryfirst), two, one (trylast)",
    ]

    status, out = desk.run("hooks", "--hook", "register_hookspecs")
    assert out.splitlines()[1].split() == ["register_hookspecs", "core", "asker"]
    assert out.splitlines()[-1] == "It offers: nothing"
    status, out = desk.run("hooks", "--json", "--hook", "collect_names")
    assert json.loads(out) == [
        {
            "hook": "collect_names",
            "declared_by": "asker",
            "arguments": ["ctx", "event"],
            "implementations": [
                {"plugin": "three", "place": "tryfirst"},
                {"plugin": "two", "place": ""},
                {"plugin": "one", "place": "trylast"},
            ],
        }
    ]


def test_no_such_hook(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    Path("plugins.toml").write_text("[plugins]\nload = []\n", encoding="utf-8")
    assert main(["plugins", "hooks", "--hook", "on_resinc"]) == 1
    assert capsys.readouterr().err == "There is no hook on_resinc: did you mean on_resync?\n"
