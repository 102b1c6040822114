"""`redlegion plugins check`, and what doctor and migrate say of a plugin that is broken."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.plugin_desk import Desk

from core.cli.app import INTERRUPTED, main

ROOT = Path(__file__).parents[2]


def problems(out: str) -> list[str]:
    return [line.split(maxsplit=2)[2] for line in out.splitlines() if line.startswith("PROBLEM")]


def notes(out: str) -> list[str]:
    return [line.split(maxsplit=2)[2] for line in out.splitlines() if line.startswith("note")]


def test_check_prints_every_problem_of_what_does_not_load(desk: Desk) -> None:
    desk.write(
        "odd",
        """
        @hookimpl
        def on_resync(ctx): ...

        @hookimpl
        def register_jobs():
            return [7, Job("pay", print)]
        """,
    )
    desk.write("sound")
    status, out = desk.run("check")
    assert status == 1
    assert problems(out) == [
        "on_resync: an on_* hook must be `async def`",
        "register_jobs: it must return a list of Job objects; int is none",
        "register_jobs: the handler of job 'pay' must be `async def handler(ctx, payload)`",
    ]
    assert out.splitlines()[-1].split() == ["ok", "sound", *["nothing", "is", "wrong", "with", "it"]]
    assert desk.run("check", "sound")[0] == 0


COMMANDS = """
group = app_commands.Group(name="shift", description="x")

@group.command(name="start")
@requires("officer")
async def start(interaction: discord.Interaction, place: str) -> None: ...

async def pressed(interaction, ctx, key):
    await ctx.bot.get_channel(1).send("x", embed=None, file=None)
    await interaction.followup.send("x")
    await ctx.seat.claim(3)
    custom_id("odd", "nobody", 1)

@hookimpl
def register_commands():
    return [group]

@hookimpl
def register_components():
    return [Component("go", pressed, "member")]

@hookimpl
async def on_member_left(ctx): ...

@hookimpl
async def on_voice_session_ended(ctx): ...

async def on_resync(ctx): ...

def register_nothing(): ...
"""


def test_check_compares_the_manifest_with_what_is_used(desk: Desk) -> None:
    desk.write("odd", COMMANDS, ranks=["member", "admin"], permissions=["send_messages"])
    (desk.folder.path / "odd" / "lost.py").write_text(
        "from redlegion import hookimpl\n@hookimpl\nasync def on_channel_deleted(ctx): ...\n",
        encoding="utf-8",
    )
    init = desk.folder.path / "odd" / "__init__.py"
    init.write_text(init.read_text(encoding="utf-8") + "\nfrom odd import lost\n", encoding="utf-8")
    status, out = desk.run("check", "odd")
    assert status == 1
    assert problems(out) == [
        "register_commands: /shift start has no description",
        "manifest.toml: ranks lacks 'officer', which /shift start needs",
        "on_member_left: it is never called: manifest.toml lacks the intent 'members'",
        (
            "on_voice_session_ended: it is never called: neither this manifest nor a required plugin has "
            "records_voice"
        ),
        "on_resync: it lacks @hookimpl, so it is never called",
        (
            "on_channel_deleted: it is marked in odd.lost, but not imported into __init__.py, so it is never "
            "called"
        ),
        f"register_components: no component answers to 'nobody', see __init__.py:{line_of(init, 'nobody')}",
    ]
    assert [each.split(", see")[0] for each in notes(out)] == [
        "register_commands: the option place of /shift start has no description",
        "manifest.toml: ranks names 'admin', which nothing needs",
        "register_nothing: it is named like a hook and lacks @hookimpl",
        "manifest.toml: permissions may lack 'attach_files'",
        "manifest.toml: permissions may lack 'connect'",
        "manifest.toml: permissions may lack 'embed_links'",
    ]


def line_of(file: Path, word: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if word in line)


TABLE = """
from pathlib import Path
from redlegion.database import BaseModel, Money, Reference, User

class Row(BaseModel):
    user_id = Reference(User)
    sum = Money()
    class Meta:
        table_name = "odd_row"

@hookimpl
def register_schema():
    return Schema("odd", [Row], Path(__file__).parent / "migrations")
"""
MIGRATION = """
from redlegion.database import BigAutoField, Instant, Money, Reference, Snowflake

def _models(db):
    class User(db.Model):
        id = Snowflake(primary_key=True)
        class Meta:
            table_name = "users"

    class Row(db.Model):
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        user_id = Reference(User)
        sum = Money({options})
        class Meta:
            table_name = "odd_row"
    return [Row]

def up(migrator, db):
    db.create_tables(_models(db), safe=False)

def down(migrator, db):
    {down}
"""
DROP = "db.drop_tables(_models(db), safe=False)"


@pytest.mark.parametrize(
    ("options", "down", "words"),
    [
        ("", DROP, []),
        ("null=True", DROP, ["migrations and models differ: odd_row"]),
        (
            "",
            "raise ValueError('no way back')",
            ["its migrations cannot be reverted: ValueError: no way back"],
        ),
        (
            "",
            "pass",
            [
                "after all is reverted: odd_row: the table is in no model",
                "after all is reverted: its migration",
            ],
        ),
        ("nonsense=", DROP, ["its migration 0001_initial fails: SyntaxError"]),
    ],
)
def test_check_rehearses_the_migrations(desk: Desk, options: str, down: str, words: list[str]) -> None:
    desk.write("odd", TABLE, personal_data="Whom it owes what.")
    desk.migration("odd", MIGRATION.format(options=options, down=down))
    status, out = desk.run("check")
    assert status == bool(words)
    found = problems(out)
    assert len(found) == len(words), out
    for said, wanted in zip(found, words, strict=True):
        assert said.startswith(f"register_schema: {wanted}")
    assert "on_member_forgotten: it is missing, though odd_row.user_id is about a member" in notes(out)
    assert not (Path.cwd() / "data").exists(), "the bot's own database was touched"


def test_check_of_members_that_nobody_is_told_of(desk: Desk) -> None:
    desk.write("odd", TABLE)
    desk.migration("odd", MIGRATION.format(options="", down=DROP))
    status, out = desk.run("check", "odd")
    assert status == 1
    assert problems(out) == [
        "manifest.toml: personal_data says nothing is kept, but there is odd_row.user_id"
    ]


def test_check_of_a_folder_that_no_bot_knows(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    place = ROOT / "examples/redlegion-shift-log/src/shift_log"
    desk.folder.names.append("shift_log")
    assert main(["plugins", "check", str(place)]) == 0
    assert problems(capsys.readouterr().out) == []
    desk.write("lonely", requires=["sunday_mining"], ranks=[])
    assert main(["plugins", "check", f"{desk.folder.path}/lonely/"]) == 0
    assert capsys.readouterr().out == "ok  lonely  nothing is wrong with it\n"
    assert main(["plugins", "check", "./nowhere"]) == 1
    assert "nowhere is not a folder: give the one that holds" in capsys.readouterr().err


def test_check_of_a_name_that_nobody_has(desk: Desk) -> None:
    status, out = desk.run("check", "nowhere")
    assert status == 1
    assert problems(out)[0].startswith("there is no plugin of this name; check its spelling")


def test_check_sees_what_the_bot_s_other_plugins_have(desk: Desk) -> None:
    code = """
    @app_commands.command(name="dig", description="x")
    @requires("guest")
    async def dig(interaction: discord.Interaction) -> None: ...

    @hookimpl
    def register_commands():
        return [dig]
    """
    desk.write("first", code, ranks=["guest"])
    desk.write("second", code, ranks=["guest"])
    status, out = desk.run("check", "second")
    assert status == 1
    assert problems(out) == ["register_commands: /dig belongs to both first and second"]


def test_the_project_s_own_plugins_have_no_problem(desk: Desk) -> None:
    own = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/manifest.toml"))
    status, out = desk.run("check", load=own)
    assert problems(out) == []
    assert status == 0


def test_doctor_names_a_pending_migration_that_would_fail(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.write("odd", TABLE)
    desk.migration("odd", MIGRATION.format(options="", down=DROP))
    desk.run("list")
    assert main(["migrate"]) == 0
    capsys.readouterr()
    broken = "def up(migrator, db):\n    raise ValueError(db.execute_sql('SELECT count(*) FROM odd_row'))\n"
    desk.migration("odd", f"{broken}\ndef down(migrator, db):\n    pass\n", "0002_broken")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (line,) = [each for each in lines if each.startswith("FAIL")]
    assert line.startswith("FAIL  migrations  odd: its migration 0002_broken fails: ValueError")
    assert line.endswith("; the bot starts without this plugin until that is corrected")


def test_doctor_says_that_there_is_more(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write("odd", "@hookimpl\ndef on_resync(ctx): ...\n@hookimpl\ndef register_jobs():\n    return 3")
    desk.run("list")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  plugin      odd: on_resync: an on_* hook must be `async def`; correct that" in out
    assert "(1 more with `redlegion plugins check odd`)" in out


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise KeyboardInterrupt", "odd: KeyboardInterrupt"),
        (
            "@hookimpl\ndef register_jobs():\n    raise KeyboardInterrupt('not yours')",
            "odd: register_jobs: KeyboardInterrupt: not yours",
        ),
    ],
)
def test_an_interrupt_that_a_plugin_raises_ends_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str], code: str, words: str
) -> None:
    desk.write("odd", code)
    desk.write("sound")
    status, out = desk.run("check", "odd")
    assert status == 1
    assert problems(out) == [words.removeprefix("odd: ")]
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert f"FAIL  plugin      {words}; correct that" in out
    assert "ok    plugins     sound" in out


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C as at a terminal: what a shell without job control starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("wrapped", ["{}", "@hookimpl\ndef register_jobs():\n    {}\n    return []"])
def test_ctrl_c_ends_it_also_while_a_plugin_is_loaded(desk: Desk, wrapped: str) -> None:
    desk.write("odd", "import os, signal\n" + wrapped.format("os.kill(os.getpid(), signal.SIGINT)"))
    before = signal.getsignal(signal.SIGINT)
    assert desk.run("check", "odd")[0] == INTERRUPTED
    assert signal.getsignal(signal.SIGINT) is before


def test_migrate_goes_on_without_a_plugin_whose_migration_fails(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.write("odd", TABLE)
    desk.migration(
        "odd", "def up(migrator, db):\n    raise ValueError('no')\n\ndef down(migrator, db): ...\n"
    )
    desk.write("sound", TABLE.replace("odd", "sound"))
    desk.migration("sound", MIGRATION.format(options="", down=DROP).replace("odd", "sound"))
    desk.run("list")
    assert main(["migrate"]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == "applied sound/0001_initial"
    assert shown.err == (
        "odd: register_schema: its migration 0001_initial could not be applied: ValueError: no; the bot "
        "starts without this plugin until that is corrected\n"
    )
