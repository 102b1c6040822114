"""`redlegion plugins`: what is loaded, who implements which hook, and what is wrong with a plugin."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.cli.parser import Subcommands
from core.cli.tables import table
from core.errors import StartupError
from core.logs import configure_logging
from core.settings import Settings, load_settings

if TYPE_CHECKING:
    from core.plugins import PluginManager
    from core.plugins.listing import Listed


def add_command(commands: Subcommands) -> None:
    """Add `plugins` to the command line."""
    parser = commands.add_parser(
        "plugins",
        help="list plugins and hooks, or check a plugin",
        description="List what plugins.toml names, show who implements which hook, or check a plugin.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    parser.set_defaults(handler=_list, static=False, json=False)
    listing = actions.add_parser("list", help="list the plugins, and why some are not loaded (the default)")
    listing.add_argument(
        "--static", action="store_true", help="read the manifests only, without running any plugin's code"
    )
    listing.add_argument("--json", action="store_true", help="print JSON, for other programs")
    listing.set_defaults(handler=_list)
    hooks = actions.add_parser("hooks", help="show each hook and who implements it, in order")
    hooks.add_argument("--hook", metavar="NAME", help="only this one, with what it offers")
    hooks.add_argument("--json", action="store_true", help="print JSON, for other programs")
    hooks.set_defaults(handler=_hooks)
    check = actions.add_parser(
        "check",
        help="load a plugin as the bot would and print every problem; exit status 1 when there is one",
        description="Load a plugin as the bot would and print every problem that can be found, not just the "
        "first. Its migrations are tried on a scratch database; yours is not touched.",
    )
    check.add_argument(
        "plugin",
        nargs="?",
        metavar="NAME|PATH",
        help="a plugin's name or its folder; all under load if left out",
    )
    check.set_defaults(handler=_check)


def _list(arguments: argparse.Namespace) -> int:
    from core.plugins import listing

    settings = _settings()
    if arguments.static:
        found = list(listing.by_manifest(settings.plugins))
    else:
        found = list(listing.by_loading(_load(settings)))
    if arguments.json:
        print(json.dumps([dataclasses.asdict(each) for each in found], indent=2))
    elif not found:
        print(f"No plugins; name some under load in {settings.plugins_file}.")
    else:
        for line in _listing(found):
            print(line)
    return 1 if any(each.state == "quarantined" for each in found) else 0


def _listing(found: list[Listed]) -> Iterator[str]:
    rows = [
        (
            p.name,
            p.state,
            p.kind or "-",
            p.version or "-",
            p.source or "-",
            ", ".join(p.requires) or "-",
            p.title,
        )
        for p in found
    ]
    yield from table([("NAME", "STATE", "KIND", "VERSION", "FROM", "REQUIRES", "TITLE"), *rows])
    broken = [each for each in found if each.reason]
    if broken:
        yield ""
    for each in broken:
        yield f"{each.name}: {f'{each.hook}: ' if each.hook else ''}{each.reason}"


def _hooks(arguments: argparse.Namespace) -> int:
    manager = _load(_settings())
    names = list(manager.hooks)
    if arguments.hook is not None:
        if arguments.hook not in manager.hooks:
            raise StartupError(_no_hook(arguments.hook, names))
        names = [arguments.hook]
    found = [_hook(manager, name) for name in names]
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    rows = [(each["hook"], each["declared_by"], _turns(each["implementations"])) for each in found]
    for line in table([("HOOK", "DECLARED BY", "IMPLEMENTED BY"), *rows]):
        print(line)
    if arguments.hook is not None:
        print(f"\nIt offers: {', '.join(found[0]['arguments']) or 'nothing'}")
    return 0


def _hook(manager: PluginManager, name: str) -> dict[str, Any]:
    places = {target.plugin: target.place for target in manager.implementations(name)}
    return {
        "hook": name,
        "declared_by": manager.hooks[name],
        "arguments": list(manager.arguments_of(name)),
        "implementations": [
            {"plugin": plugin, "place": _PLACES[places.get(plugin, 0)]}
            for plugin in manager.implementers(name)
        ],
    }


_PLACES = {-1: "tryfirst", 0: "", 1: "trylast"}


def _turns(implementations: list[dict[str, str]]) -> str:
    said = [
        f"{each['plugin']} ({each['place']})" if each["place"] else each["plugin"] for each in implementations
    ]
    return ", ".join(said) or "-"


def _no_hook(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    advice = f"did you mean {' or '.join(near)}?" if near else "see them all with `redlegion plugins hooks`."
    return f"There is no hook {name}: {advice}"


def _check(arguments: argparse.Namespace) -> int:
    from core.cli import plugins_check

    return plugins_check.check(arguments.plugin)


def _load(settings: Settings) -> PluginManager:
    from core.commands.own import own_commands
    from core.commands.table import CommandTable
    from core.plugins import PluginManager

    manager = PluginManager.load(settings)
    # Commands that fit one by one and not together fall only here, as they do when the bot starts.
    CommandTable(manager, own_commands())
    return manager


def _settings() -> Settings:
    settings = load_settings()
    # What the log would say of a broken plugin is said here, once and in order.
    configure_logging("CRITICAL", settings.log_format, secrets=settings.secrets())
    return settings
