"""What a database says about its own tables, in words that can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from core.database.backends import Backend, EmbeddedSqlite

_RULE = re.compile(r"^(FOREIGN KEY \(.*?\) REFERENCES .*?\(.*?\))(.*)$")

_POSTGRES_COLUMNS = """
SELECT t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute AS a
JOIN pg_class AS t ON t.oid = a.attrelid AND t.relkind IN ('r', 'p')
JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema()
LEFT JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY t.relname, a.attnum
"""

_POSTGRES_CONSTRAINTS = """
SELECT t.relname, c.contype::text, pg_get_constraintdef(c.oid)
FROM pg_constraint AS c
JOIN pg_class AS t ON t.oid = c.conrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema()
WHERE c.contype IN ('c', 'f', 'p', 'u', 'x')
"""

_POSTGRES_INDEXES = """
SELECT t.relname, i.relname, pg_get_indexdef(i.oid), x.indisvalid
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS t ON t.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema()
WHERE NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
"""


@dataclass(slots=True)
class Table:
    """One table.

    :param columns: per column, what is said about it: type, null, default.
    :param rules: per constraint or index, by a name that does not depend on how it was made, its details.
    """

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)


def read_catalog(database: Backend) -> dict[str, Table]:
    """Return the tables of the current schema, by name; `database` is connected in this thread."""
    return _read_sqlite(database) if isinstance(database, EmbeddedSqlite) else _read_postgres(database)


def _read_postgres(database: Backend) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for table, column, kind, required, default in database.execute_sql(_POSTGRES_COLUMNS).fetchall():
        tables.setdefault(table, Table()).columns[column] = {
            "type": kind,
            "null": "not allowed" if required else "allowed",
            "default": default or "none",
        }
    for table, kind, text in database.execute_sql(_POSTGRES_CONSTRAINTS).fetchall():
        rules = tables[table].rules
        if kind == "p":
            rules["primary key"] = text
        elif (match := _RULE.match(text)) and kind == "f":
            rules[_foreign_key(match[1])] = match[2].strip() or "no action"
        else:
            rules[_spaced(text)] = "present"
    schema = database.execute_sql("SELECT current_schema()").fetchone()[0]
    for table, index, text, valid in database.execute_sql(_POSTGRES_INDEXES).fetchall():
        plain = text.replace(f" ON {schema}.", " ON ")
        tables[table].rules[f"index {index}"] = plain if valid else f"{plain} (invalid)"
    return tables


def _read_sqlite(database: Backend) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    listed = database.execute_sql(
        "SELECT l.name, l.strict, m.sql FROM pragma_table_list AS l JOIN sqlite_master AS m"
        " ON m.name = l.name AND m.type = 'table' WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for name, strict, sql in listed:
        table = tables[name] = Table()
        table.rules["STRICT"] = "yes" if strict else "no"
        key: dict[int, str] = {}
        for _, column, kind, required, default, position, _ in _pragma(database, "table_xinfo", name):
            table.columns[column] = {
                "type": kind.upper(),
                "null": "not allowed" if required else "allowed",
                "default": default or "none",
            }
            if position:
                key[position] = column
        table.rules["primary key"] = ", ".join(key[position] for position in sorted(key))
        _read_sqlite_keys(database, name, table)
        for check in _checks(sql):
            table.rules[f"check ({check})"] = "present"
    return tables


def _read_sqlite_keys(database: Backend, name: str, table: Table) -> None:
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
    for _, index, unique, origin, _ in _pragma(database, "index_list", name):
        columns = ", ".join(str(row[2]) for row in _pragma(database, "index_info", index))
        if origin == "u":
            table.rules[f"unique ({columns})"] = "present"
        elif origin == "c":
            sql = database.execute_sql("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()[0]
            body = _spaced(sql.split(" ON ", 1)[1]).replace('"', "")
            table.rules[f"index {index}"] = f"{'UNIQUE ' if unique else ''}{body}"


def _pragma(database: Backend, pragma: str, argument: str) -> list[tuple[Any, ...]]:
    quoted = argument.replace('"', '""')
    return list(database.execute_sql(f'PRAGMA {pragma}("{quoted}")').fetchall())


def _actions(on_update: str, on_delete: str) -> str:
    said = [f"ON {word} {action}" for word, action in (("UPDATE", on_update), ("DELETE", on_delete))]
    return " ".join(text for text in said if not text.endswith("NO ACTION")) or "no action"


def _foreign_key(text: str) -> str:
    match = re.match(r"FOREIGN KEY \((.*?)\) REFERENCES (.*?)\((.*?)\)$", text)
    return f"foreign key ({match[1]}) to {match[2]} ({match[3]})" if match else text


def _checks(sql: str) -> list[str]:
    found = []
    for match in re.finditer(r"\bCHECK\s*\(", sql, re.IGNORECASE):
        depth, quoted = 1, False
        for position in range(match.end(), len(sql)):
            letter = sql[position]
            if letter == "'":
                quoted = not quoted
            elif not quoted:
                depth += (letter == "(") - (letter == ")")
            if depth == 0:
                found.append(_spaced(sql[match.end() : position]).replace('"', "").strip())
                break
    return found


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
