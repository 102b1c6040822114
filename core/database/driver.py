"""peewee without PostgreSQL's driver until a PostgreSQL database is opened.

peewee imports whatever driver it finds. Importing psycopg takes a tenth of a second and 11 MiB, which a bot
on SQLite has no use for.
"""

from __future__ import annotations

import sys
from typing import Any

_DRIVER = "psycopg"


def import_peewee() -> None:
    """Import peewee, and its migrations, so that they find no driver; unless either is imported already."""
    if "peewee" in sys.modules or _DRIVER in sys.modules:
        return
    # What is None here cannot be found, and peewee goes on without it.
    sys.modules[_DRIVER] = None  # type: ignore[assignment]
    try:
        import playhouse.migrations  # noqa: F401
    finally:
        del sys.modules[_DRIVER]


def load_driver() -> None:
    """Give peewee the driver as it would have taken it by itself.

    :raises ImportError: it is not installed.
    """
    import peewee
    import psycopg
    from psycopg.pq import TransactionStatus
    from psycopg.types.json import Json, Jsonb

    taken: dict[str, Any] = vars(peewee)
    if taken["psycopg"] is not None:
        return
    taken.update(TransactionStatus=TransactionStatus, Json_pg3=Json, Jsonb_pg3=Jsonb)
    adapter: Any = peewee.Psycopg3Adapter
    adapter.txn_idle = TransactionStatus.IDLE
    adapter.txn_inerror = TransactionStatus.INERROR
    adapter.txn_unknown = TransactionStatus.UNKNOWN
    # Last: a thread that sees it finds the others too.
    taken["psycopg"] = psycopg


import_peewee()
