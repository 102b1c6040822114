"""One table, in words that can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Table:
    """One table.

    :param columns: per column, what is said about it: type, null, default, collation, generated and more.
    :param rules: per constraint, index, trigger or trait of the table, by a name that does not depend on how
        it was made, its details.
    :param key: the columns of the primary key, in its order.
    """

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)

    @property
    def stored(self) -> list[str]:
        """The columns that hold values of their own, in order."""
        return [name for name, facts in self.columns.items() if facts["generated"] == "no"]
