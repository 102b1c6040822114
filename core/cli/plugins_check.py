"""`redlegion plugins check`: everything that is wrong with a plugin, found without a database of yours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.cli.tables import table
from core.commands.own import own_commands
from core.commands.table import CommandTable
from core.database import CORE_SCHEMA
from core.database.scratch import NoScratch, scratch_on
from core.errors import StartupError
from core.logs import configure_logging
from core.manifest import ManifestError, read_manifest
from core.plugins import PluginManager, discovery
from core.plugins.coverage import Remark, remarks
from core.plugins.rehearsal import rehearse
from core.settings import PluginSelection, load_settings


def check(wanted: str | None) -> int:
    """Print what is wrong with a plugin, and return the exit status.

    :param wanted: a plugin's name, the folder of its package, or None for all that plugins.toml names.
    :returns: 1 when there is a problem, 0 when there are notes at most.
    :raises StartupError: there is nothing to look at.
    """
    names, selection = _what_to_load(wanted)
    configure_logging("CRITICAL", "text")
    manager = PluginManager(selection.load, selection.folders)
    # Commands that fit one by one and not together fall only here, as they do when the bot starts.
    CommandTable(manager, own_commands())
    rows = [("PROBLEM", "plugins.toml", problem) for problem in manager.folder_problems]
    server, why_not = _server()
    if why_not is not None:
        rows.append(("note", "DATABASE_URL", f"migrations are tried on SQLite only: {why_not}"))
    for name in names:
        found = sorted(_remarks(manager, name, server), key=lambda each: not each.wrong)
        rows += [
            (
                "PROBLEM" if each.wrong else "note",
                name,
                f"{each.hook}: {each.words}" if each.hook else each.words,
            )
            for each in found
        ] or [("ok", name, "nothing is wrong with it")]
    for line in table(rows):
        print(line)
    return 1 if any(row[0] == "PROBLEM" for row in rows) else 0


def _server() -> tuple[str | None, str | None]:
    """Return the configured PostgreSQL if migrations can be tried there; else None, and why not."""
    try:
        url = load_settings().database_url
    except StartupError:
        # An author's own folder need not be that of a bot.
        return None, None
    if not url.startswith("postgres"):
        return None, None
    try:
        with scratch_on(url):
            return url, None
    except NoScratch as error:
        return None, str(error)


def _remarks(manager: PluginManager, name: str, server: str | None) -> Iterator[Remark]:
    plugin = manager.loaded.get(name)
    if plugin is None:
        yield from (Remark(True, each.hook, each.reason) for each in manager.problems[name])
        return
    needs = manager.needs(name)
    yield from remarks(plugin, manager.loaded, needs)
    if plugin.schema is not None:
        before = [CORE_SCHEMA, *(s for s in manager.schemas if s.name in needs)]
        found = list(rehearse(before, plugin.schema))
        if server is not None:
            others = rehearse(before, plugin.schema, server)
            found += [f"on PostgreSQL: {words}" for words in others if words not in found]
        yield from (Remark(True, "register_schema", words) for words in found)


def _what_to_load(wanted: str | None) -> tuple[list[str], PluginSelection]:
    """Return the names to look at, and what to load for it: these, what they require, and all the bot has."""
    if wanted is None or not _is_path(wanted):
        selection = load_settings().plugins
        if wanted is None:
            if not selection.load:
                raise StartupError("There is nothing to check: name a plugin, or its folder.")
            return list(dict.fromkeys(selection.load)), selection
        name = wanted
    else:
        folder = Path(wanted).absolute()
        if not folder.is_dir():
            raise StartupError(
                f"{folder} is not a folder: give the one that holds the plugin's manifest.toml."
            )
        name = folder.name
        try:
            selection = load_settings().plugins
        except StartupError:
            # An author's own folder need not be that of a bot.
            selection = PluginSelection()
        selection = selection.model_copy(update={"folders": (folder.parent, *selection.folders)})
    load = _with_required(name, selection)
    return [name], selection.model_copy(update={"load": load})


def _is_path(wanted: str) -> bool:
    return "/" in wanted or "\\" in wanted or wanted in {".", ".."}


def _with_required(name: str, selection: PluginSelection) -> tuple[str, ...]:
    """Return what the bot loads, this plugin, and what that requires, as far as it can be found."""
    load = dict.fromkeys(selection.load)
    waiting = [name]
    while waiting:
        load[waiting[0]] = None
        try:
            candidate = discovery.find(waiting.pop(0), selection.folders)
            required = read_manifest(candidate.folder / "manifest.toml").requires
        except (discovery.NotAPlugin, ManifestError):
            # Said when it is loaded, together with the rest.
            continue
        waiting += [each for each in required if each not in load]
    return tuple(load)
