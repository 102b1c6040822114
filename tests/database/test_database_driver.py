"""PostgreSQL's driver is left alone until a PostgreSQL database is opened."""

from __future__ import annotations

import subprocess
import sys

import peewee
import psycopg
import pytest

from core.database.driver import load_driver


@pytest.mark.parametrize("module", ["core.runtime", "core.database"])
def test_what_a_bot_on_sqlite_imports_has_no_driver_of_postgresql(module: str) -> None:
    """It would cost every such bot a tenth of a second at its start, and 11 MiB."""
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, {module}; print('peewee' in sys.modules, 'psycopg' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.split() == ["True", "False"]


def test_the_driver_is_given_to_peewee_whole() -> None:
    """peewee's adapter must have what it would have taken by itself, whichever way it was imported."""
    load_driver()

    adapter = vars(peewee)["Psycopg3Adapter"]
    connection_info = psycopg.pq.TransactionStatus
    assert vars(peewee)["psycopg"] is psycopg
    assert (adapter.txn_idle, adapter.txn_inerror, adapter.txn_unknown) == (
        connection_info.IDLE,
        connection_info.INERROR,
        connection_info.UNKNOWN,
    )
    assert adapter().json_type is vars(peewee)["Json_pg3"] is psycopg.types.json.Json
    assert adapter().jsonb_type is psycopg.types.json.Jsonb
