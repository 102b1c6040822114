"""An empty place on a PostgreSQL server to try something in, gone afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import peewee

from core.database.backends import Backend
from core.database.opening import connect
from core.errors import StartupError


class NoScratch(Exception):
    """The server gives no such place; the message says why, and what would help."""


@contextmanager
def scratch_on(url: str) -> Iterator[str]:
    """Make an empty database on a server, or a schema where the user may make no database.

    :param url: of a PostgreSQL database.
    :returns: the URL of the place; what is in it is dropped with the block's end.
    :raises NoScratch: the user may make neither, or the server does not answer.
    """
    name = f"redlegion_scratch_{secrets.token_hex(4)}"
    try:
        backend, _ = connect(url, shared=True)
        backend.connect()
    except StartupError as error:
        raise NoScratch(error.sentence) from error
    try:
        kind, place = _make(backend, name, url)
        try:
            yield place
        finally:
            drop = f"DROP {kind} {name} " + ("CASCADE" if kind == "SCHEMA" else "WITH (FORCE)")
            backend.execute_sql("SET client_min_messages = warning")
            backend.execute_sql(drop)
    finally:
        backend.close()


def size_of(url: str) -> int:
    """Return how many bytes the tables of a PostgreSQL database take, those of its first schema."""
    backend, _ = connect(url, shared=True)
    backend.connect()
    try:
        row = backend.execute_sql(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        ).fetchone()
        return int(row[0] or 0)
    finally:
        backend.close()


def _make(backend: Backend, name: str, url: str) -> tuple[str, str]:
    # A database is the better one: nothing in it reaches ours, whatever names are written out in full.
    ways = (
        ("DATABASE", f"CREATE DATABASE {name} TEMPLATE template0", _url(url, database=name, schema="public")),
        ("SCHEMA", f"CREATE SCHEMA {name}", _url(url, database=None, schema=name)),
    )
    for kind, statement, place in ways:
        try:
            backend.execute_sql(statement)
        except peewee.PeeweeException:
            continue
        return kind, place
    raise NoScratch(
        "PostgreSQL lets this user make neither a database nor a schema to try migrations in: run ALTER USER"
        " ... CREATEDB, or GRANT CREATE ON DATABASE, for its user."
    )


def _url(url: str, *, database: str | None, schema: str) -> str:
    """Return a URL with another database, if one is given, and one schema as the only one searched."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    # Of several -c for one setting the last one holds.
    query["options"] = f"{query.get('options', '')} -csearch_path={schema}".strip()
    path = parts.path if database is None else f"/{database}"
    return f"{parts.scheme}://{parts.netloc}{path}?{urlencode(query, quote_via=quote)}"
