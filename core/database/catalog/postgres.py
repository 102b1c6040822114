"""The catalog of PostgreSQL."""

from __future__ import annotations

import re
from typing import Any

from core.database.backends import ServerPostgres
from core.database.catalog.tables import Table

_TABLE = (
    " JOIN pg_class AS t ON t.oid = {} AND t.relkind IN ('r', 'p')"
    " JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema() "
)

_COLUMNS = f"""
SELECT t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid), a.attgenerated::text, a.attidentity::text,
    CASE WHEN a.attcollation <> y.typcollation THEN c.collname ELSE 'default' END
FROM pg_attribute AS a {_TABLE.format("a.attrelid")}
JOIN pg_type AS y ON y.oid = a.atttypid
LEFT JOIN pg_collation AS c ON c.oid = a.attcollation
LEFT JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY t.relname, a.attnum
"""

_SEQUENCES = f"""
SELECT t.relname, a.attname, format_type(s.seqtypid, NULL), s.seqincrement, s.seqcycle
FROM pg_sequence AS s
JOIN pg_depend AS d ON d.objid = s.seqrelid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
{_TABLE.format("d.refobjid")}
JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
"""

_TRAITS = f"""
SELECT t.relname, t.relpersistence::text, t.relrowsecurity FROM pg_class AS o {_TABLE.format("o.oid")}
"""

_KEYS = f"""
SELECT t.relname, a.attname FROM pg_constraint AS c {_TABLE.format("c.conrelid")}
CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (number, place)
JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.number
WHERE c.contype = 'p' ORDER BY t.relname, k.place
"""

_CONSTRAINTS = f"""
SELECT t.relname, c.contype::text, pg_get_constraintdef(c.oid)
FROM pg_constraint AS c {_TABLE.format("c.conrelid")}
WHERE c.contype IN ('c', 'f', 'p', 'u', 'x')
"""

_INDEXES = f"""
SELECT t.relname, i.relname, pg_get_indexdef(i.oid), x.indisvalid
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid {_TABLE.format("x.indrelid")}
WHERE NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
"""

_TRIGGERS = f"""
SELECT t.relname, g.tgname, pg_get_triggerdef(g.oid), g.tgenabled::text, g.tgisinternal
FROM pg_trigger AS g {_TABLE.format("g.tgrelid")}
"""

_FOREIGN_KEY = re.compile(r"^FOREIGN KEY \((.*?)\) REFERENCES (.*?)\((.*?)\)(.*)$")
_IDENTITY = {"": "no", "a": "always", "d": "by default"}
_PERSISTENCE = {"p": "permanent", "u": "unlogged", "t": "temporary"}


def read_postgres(database: ServerPostgres) -> dict[str, Table]:
    """Return the tables of the current schema, by name."""

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return list(database.execute_sql(sql).fetchall())

    tables: dict[str, Table] = {}
    for name, persistence, secured in ask(_TRAITS):
        tables[name] = Table(
            rules={
                "storage": _PERSISTENCE[persistence],
                "row security": "on" if secured else "off",
                "foreign keys": "enforced",
            }
        )
    for name, column, kind, required, default, generated, identity, collation in ask(_COLUMNS):
        tables[name].columns[column] = {
            "type": kind,
            "null": "not allowed" if required else "allowed",
            "default": default if default and not generated else "none",
            "collation": collation,
            "generated": f"as {default}" if generated else "no",
            "identity": _IDENTITY[identity],
            "sequence": "none",
        }
    for name, column, kind, step, cycles in ask(_SEQUENCES):
        words = f"{kind}, step {step}{', starting over' if cycles else ''}"
        tables[name].columns[column]["sequence"] = words
    for name, column in ask(_KEYS):
        tables[name].key.append(column)
    for name, kind, text in ask(_CONSTRAINTS):
        _add_constraint(tables[name].rules, kind, text)
    schema = ask("SELECT current_schema()")[0][0]
    for name, index, text, valid in ask(_INDEXES):
        plain = _local(text, schema)
        tables[name].rules[f"index {index}"] = plain if valid else f"{plain} (invalid)"
    for name, trigger, text, enabled, internal in ask(_TRIGGERS):
        if not internal:
            plain = _local(text, schema)
            tables[name].rules[f"trigger {trigger}"] = plain if enabled == "O" else f"{plain} (switched off)"
        elif enabled != "O":
            tables[name].rules["foreign keys"] = "not enforced"
    return tables


def _add_constraint(rules: dict[str, str], kind: str, text: str) -> None:
    if kind == "p":
        rules["primary key"] = text
    elif kind == "f" and (match := _FOREIGN_KEY.match(text)):
        rules[f"foreign key ({match[1]}) to {match[2]} ({match[3]})"] = match[4].strip() or "no action"
    else:
        rules[re.sub(r"\s+", " ", text).strip()] = "present"


def _local(text: str, schema: str) -> str:
    return text.replace(f" ON {schema}.", " ON ").replace(f" FUNCTION {schema}.", " FUNCTION ")
