"""The catalog of SQLite: from pragmas, and from the text of CREATE TABLE for what no pragma tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from core.database.backends import EmbeddedSqlite
from core.database.catalog.tables import Table

_GENERATED = frozenset({2, 3})
_CONSTRAINTS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_NAME = re.compile(r'"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|(\w+)')
_COLLATE = re.compile(r'\bCOLLATE\s+"?(\w+)', re.IGNORECASE)
#: Clauses that change what a constraint does, and that no pragma shows.
_CLAUSES = re.compile(r"\bON\s+CONFLICT\s+\w+|(?<!NOT )\bDEFERRABLE\s+INITIALLY\s+DEFERRED", re.IGNORECASE)
_QUOTED = re.compile(r"""'[^']*(?:'|$)|"[^"]*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$)""")
_QUOTED_OR_MARK = re.compile(rf"{_QUOTED.pattern}|([(),])")
_CHECK = re.compile(r"\bCHECK\s*\(", re.IGNORECASE)
_AS = re.compile(r"\bAS\s*\(", re.IGNORECASE)


def read_sqlite(database: EmbeddedSqlite) -> dict[str, Table]:
    """Return the tables of the main schema, by name."""
    tables: dict[str, Table] = {}
    listed = database.execute_sql(
        "SELECT l.name, l.strict, l.wr, m.sql FROM pragma_table_list AS l JOIN sqlite_master AS m"
        " ON m.name = l.name AND m.type = 'table' WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite\\_%'"
        " ESCAPE '\\'"
    ).fetchall()
    for name, strict, without_rowid, sql in listed:
        table = tables[name] = Table()
        _read_columns(database, name, table, sql)
        table.rules["STRICT"] = "yes" if strict else "no"
        table.rules["row ids"] = "no" if without_rowid else "yes"
        table.rules["AUTOINCREMENT"] = "yes" if re.search(r"\bAUTOINCREMENT\b", _bare(sql), re.I) else "no"
        table.rules["primary key"] = ", ".join(table.key) or "none"
        _read_references(database, name, table)
        _read_indexes(database, name, table)
        for check in _bodies(_CHECK, sql):
            table.rules[f"check ({check})"] = "present"
        for definition in _definitions(sql):
            for clause in _CLAUSES.findall(_bare(definition)):
                table.rules[f"{_spaced(clause).upper()} in {_plain(definition)}"] = "present"
    triggers = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    for trigger, name, sql in database.execute_sql(triggers).fetchall():
        if name in tables:
            tables[name].rules[f"trigger {trigger}"] = _spaced(sql)
    return tables


def _read_columns(database: EmbeddedSqlite, name: str, table: Table, sql: str) -> None:
    texts = {}
    for definition in _definitions(sql):
        if (match := _NAME.match(definition)) and not (match[4] and match[4].upper() in _CONSTRAINTS):
            texts[next(group for group in match.groups() if group is not None)] = definition[match.end() :]
    key: dict[int, str] = {}
    for _, column, kind, required, default, position, hidden in _pragma(database, "table_xinfo", name):
        text = texts.get(column, "")
        collation = _COLLATE.search(_bare(text))
        expressions = list(_bodies(_AS, text)) if hidden in _GENERATED else []
        table.columns[column] = {
            "type": kind.upper(),
            "null": "not allowed" if required else "allowed",
            "default": default or "none",
            "collation": collation[1].upper() if collation else "BINARY",
            "generated": f"as {expressions[0] if expressions else '?'}" if hidden in _GENERATED else "no",
        }
        if position:
            key[position] = column
    table.key = [key[position] for position in sorted(key)]


def _read_references(database: EmbeddedSqlite, name: str, table: Table) -> None:
    targets: dict[int, list[tuple[str, str]]] = {}
    actions: dict[int, tuple[str, str]] = {}
    for number, _, target, here, there, on_update, on_delete, _ in _pragma(
        database, "foreign_key_list", name
    ):
        targets.setdefault(number, []).append((here, there or "its key"))
        actions[number] = (target, _actions(on_update, on_delete))
    for number, pairs in targets.items():
        here, there = (", ".join(side) for side in zip(*pairs, strict=True))
        target, action = actions[number]
        table.rules[f"foreign key ({here}) to {target} ({there})"] = action


def _read_indexes(database: EmbeddedSqlite, name: str, table: Table) -> None:
    for _, index, unique, origin, _ in _pragma(database, "index_list", name):
        columns = ", ".join(str(row[2]) for row in _pragma(database, "index_info", index))
        if origin == "u":
            table.rules[f"unique ({columns})"] = "present"
        elif origin == "c":
            sql = database.execute_sql("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()[0]
            body = _plain(re.split(r"\bON\b", sql, maxsplit=1, flags=re.IGNORECASE)[1])
            table.rules[f"index {index}"] = f"{'UNIQUE ' if unique else ''}{body}"


def _pragma(database: EmbeddedSqlite, pragma: str, argument: str) -> list[tuple[Any, ...]]:
    quoted = argument.replace('"', '""')
    return list(database.execute_sql(f'PRAGMA {pragma}("{quoted}")').fetchall())


def _actions(on_update: str, on_delete: str) -> str:
    said = [f"ON {word} {action}" for word, action in (("UPDATE", on_update), ("DELETE", on_delete))]
    return " ".join(text for text in said if not text.endswith("NO ACTION")) or "no action"


def _depths(text: str) -> Iterator[tuple[int, str, int]]:
    """Yield (position, letter, depth of brackets after it) for each bracket and comma outside of quotes."""
    depth = 0
    for match in _QUOTED_OR_MARK.finditer(text):
        if letter := match[1]:
            depth += (letter == "(") - (letter == ")")
            yield match.start(), letter, depth


def _definitions(sql: str) -> list[str]:
    """Return what stands between the commas of a CREATE TABLE."""
    cuts = [position for position, letter, depth in _depths(sql) if depth == 1 and letter in "(,"]
    ends = [position for position, letter, depth in _depths(sql) if depth == 0 and letter == ")"]
    if not cuts or not ends:
        return []
    # The bracket that opens the table's body is the first one; those of types lie deeper.
    borders = [*(cut for cut in cuts if cut < ends[0]), ends[0]]
    return [sql[start + 1 : end].strip() for start, end in pairwise(borders)]


def _bodies(opening: re.Pattern[str], sql: str) -> Iterator[str]:
    """Yield what stands in the brackets that `opening` ends with."""
    for match in opening.finditer(sql):
        inner = sql[match.end() - 1 :]
        end = next((position for position, _, depth in _depths(inner) if depth == 0), None)
        if end is not None:
            yield _plain(inner[1:end])


def _bare(sql: str) -> str:
    """Return a text without quoted names and literals."""
    return _QUOTED.sub("", sql)


def _plain(text: str) -> str:
    return _spaced(text).replace('"', "")


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
