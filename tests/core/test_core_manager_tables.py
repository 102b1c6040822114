"""A plugin's tables are its own, and refer only to what it may rest on."""

from __future__ import annotations

import pytest
from support.plugin_folder import PluginFolder

from core.plugins import PluginManager

HEAD = """
from pathlib import Path
from redlegion.database import *
from redlegion.database import SQL

{models}

@hookimpl
def register_schema():
    return Schema("{name}", [{listed}], Path(__file__).parent / "migrations")
"""
MODEL = """
class Row(BaseModel):
    {fields}
    class Meta:
        table_name = "{table}"
        {more}
"""


def model(fields: str = "pass", table: str = "odd_row", more: str = "") -> str:
    return MODEL.format(fields=fields, table=table, more=more)


def write(folder: PluginFolder, name: str, models: str, listed: str = "Row", **manifest: object) -> None:
    folder.write(name, HEAD.format(name=name, models=models, listed=listed), **manifest)
    (folder.path / name / "migrations").mkdir(exist_ok=True)


BANK = """
class Account(BaseModel):
    held = Money()
    class Meta:
        table_name = "bank_account"
"""
FROM_BANK = "from bank import Account\n"
REASONS = {
    "no prefix": (
        model(table="row"),
        "the table row must be named odd_..., as tables bear their plugin's name",
    ),
    "another's": (
        model(table="bank_row"),
        "the table bank_row bears the name of the plugin bank; name it odd_...",
    ),
    "longer name": (
        model(table="odd_extra_row"),
        "the table odd_extra_row bears the name of the plugin odd_extra; name it odd_...",
    ),
    "the core's": (model(table="guilds"), "the table guilds belongs to the core"),
    "history": (
        model(table="odd_migration"),
        "the table odd_migration is where the bot keeps which migrations",
    ),
    "not required": (
        FROM_BANK + model("account_id = Reference(Account)"),
        "odd_row refers to bank_account, which belongs neither to this plugin nor to the core nor",
    ),
    "not required, in SQL": (
        model(
            'other = Snowflake(constraints=[SQL(\'REFERENCES "bank_account" ("id") ON DELETE RESTRICT\')])'
        ),
        "odd_row refers to bank_account, which belongs neither",
    ),
    "unknown, on the table": (
        model(more="constraints = [SQL('FOREIGN KEY (id) REFERENCES nowhere(id)')]"),
        "odd_row refers to nowhere, which belongs neither",
    ),
    "cascade from the core": (
        model("guild_id = ForeignKeyField(Guild, on_delete='CASCADE')"),
        "odd_row refers to guilds with ON DELETE CASCADE; use Reference, which restricts",
    ),
    "nothing said": (
        model("guild_id = ForeignKeyField(Guild)"),
        "odd_row refers to guilds with ON DELETE NO ACTION; use Reference, which restricts",
    ),
    "set null in SQL": (
        model("guild_id = Snowflake(constraints=[SQL('references guilds (id) on delete  set null')])"),
        "odd_row refers to guilds with ON DELETE SET NULL",
    ),
    "money by cascade": (
        model("parent_id = ForeignKeyField('self', on_delete='CASCADE')\n    sum = Money()"),
        "odd_row holds money, ore or time (sum), which no ON DELETE CASCADE may take away; use Reference",
    ),
    "time by cascade": (
        model("parent_id = ForeignKeyField('self', on_delete='SET NULL', null=True)\n    since = Instant()"),
        "odd_row holds money, ore or time (since), which no ON DELETE SET NULL may take away",
    ),
}


def test_a_name_that_fits_the_core_s_tables(folder: PluginFolder) -> None:
    models = model(table="guild_plugins")
    write(folder, "guild", models)
    (entry,) = PluginManager(["guild"], [folder.path]).quarantined
    assert str(entry) == "guild: register_schema: the table guild_plugins belongs to the core"


@pytest.mark.parametrize("case", REASONS)
def test_a_foreign_table_is_named_and_the_others_start(folder: PluginFolder, case: str) -> None:
    models, words = REASONS[case]
    write(folder, "bank", BANK, "Account")
    write(folder, "odd", models, after=["bank"])
    folder.write("odd_extra")
    manager = PluginManager(folder.names, [folder.path])
    assert list(manager.loaded) == ["bank", "odd_extra"]
    (entry,) = manager.quarantined
    assert (entry.name, entry.hook) == ("odd", "register_schema")
    assert entry.reason.startswith(words)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("Schema('odd', [int], Path(__file__).parent)", "a model derives from redlegion.database.BaseModel"),
        (
            "Schema('odd', [], Path('/no/such/folder'))",
            "migrations must be the path of a folder, and /no/such",
        ),
        ("Schema('bank', [], Path(__file__).parent)", "it must return Schema('odd', models, migrations)"),
        ("Schema('odd', [Row, Row], Path(__file__).parent)", "two models have the table odd_row"),
        ("Schema('odd', None, Path(__file__).parent)", "TypeError: 'NoneType' object is not iterable"),
    ],
)
def test_no_schema(folder: PluginFolder, answer: str, words: str) -> None:
    folder.write(
        "odd",
        "from pathlib import Path\nfrom redlegion.database import BaseModel\n"
        f"{model()}\n@hookimpl\ndef register_schema():\n    return {answer}",
    )
    (entry,) = PluginManager(["odd"], [folder.path]).quarantined
    assert entry.hook == "register_schema"
    assert entry.reason.startswith(words)


def test_what_it_may_rest_on(folder: PluginFolder) -> None:
    write(folder, "bank", BANK, "Account")
    folder.write("middle", requires=["bank"])
    write(
        folder,
        "odd",
        FROM_BANK
        + model(
            "account_id = Reference(Account)\n    guild_id = Reference(Guild)\n"
            "    user_id = Reference(User)\n"
            "    parent_id = ForeignKeyField('self', on_delete='CASCADE')\n"
            "    other = Snowflake(constraints=[SQL('REFERENCES bank_account (id) ON DELETE RESTRICT')])"
        ),
        requires=["middle"],
    )
    manager = PluginManager(folder.names, [folder.path])
    assert manager.quarantined == []
    assert [schema.name for schema in manager.schemas] == ["bank", "odd"]
