"""Write the table in docs/commands.md from the commands themselves: `make commands`."""

from __future__ import annotations

import sys
from pathlib import Path

from core.commands.own import own_commands
from core.commands.table import CORE, CommandTable
from core.plugins import PluginManager
from core.plugins.declarations import leaves_of
from core.settings import read_plugins_file

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/commands.md"
START, END = "<!-- commands: written by `make commands` -->", "<!-- end of commands -->"


def table() -> str:
    """Return the table of every command: its words, the least rank, its plugin, and what it does.

    :raises RuntimeError: a plugin does not load, so its commands would be missing.
    """
    selection = read_plugins_file(ROOT / "plugins.toml")
    manager = PluginManager(selection.load, selection.folders)
    if manager.quarantined:
        raise RuntimeError("; ".join(str(entry) for entry in manager.quarantined))
    core = own_commands()
    owned = [(CORE, command) for command in core]
    owned += [(p.name, command) for p in manager.loaded.values() for command in p.commands]
    words = {leaf.qualified_name: leaf.description for _, command in owned for leaf in leaves_of([command])}
    rows = ["| command | rank | plugin | what it does |", "|---|---|---|---|"]
    for path, owner in sorted(CommandTable(manager, core).owners.items()):
        rows.append(f"| `/{path}` | {owner.rank.value} | {owner.plugin} | {words[path]} |")
    return "\n".join(rows)


def renewed(text: str) -> str:
    """Return the document's text with the table as it should be."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{table()}\n\n{END}{after}"


def main() -> int:
    """Write the document anew if it is out of date."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if (fresh := renewed(text)) != text:
        DOCUMENT.write_text(fresh, encoding="utf-8")
        print(DOCUMENT.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
