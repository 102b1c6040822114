"""Whether a manifest says what its plugin uses, as far as that can be seen without running it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import peewee
from discord import app_commands

from core import hookspecs
from core.database import User
from core.guilds.ranks import Rank, rank_needed
from core.hookspecs import PROJECT
from core.plugins.checks import family_of, specs_of
from core.plugins.declarations import AnyCommand, leaves_of
from core.plugins.loading import LoadedPlugin

#: Events that Discord sends only to who asked for them.
INTENTS = {
    "on_member_roles_changed": "members",
    "on_member_left": "members",
    "on_scheduled_event_changed": "guild_scheduled_events",
}
VOICE_HOOKS = frozenset(
    {"on_voice_session_started", "on_voice_session_ended", "on_voice_session_moved", "on_voice_state_changed"}
)
#: What a call of this name needs of the bot in Discord.
PERMISSIONS = {
    "send": "send_messages",
    "history": "read_message_history",
    "fetch_message": "read_message_history",
    "add_reaction": "add_reactions",
    "create_thread": "create_public_threads",
    "create_text_channel": "manage_channels",
    "create_voice_channel": "manage_channels",
    "create_stage_channel": "manage_channels",
    "create_category": "manage_channels",
    "create_role": "manage_roles",
    "add_roles": "manage_roles",
    "remove_roles": "manage_roles",
    "create_scheduled_event": "create_events",
    "create_webhook": "manage_webhooks",
    "move_to": "move_members",
    "purge": "manage_messages",
    "pin": "pin_messages",
    "kick": "kick_members",
    "ban": "ban_members",
    "timeout": "moderate_members",
}
_NO_WORDS = "…"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that the author should know.

    :param wrong: whether it is sure to go wrong; else it is worth a look.
    """

    wrong: bool
    hook: str | None
    words: str


def remarks(
    plugin: LoadedPlugin, all_plugins: Mapping[str, LoadedPlugin], needs: frozenset[str]
) -> list[Remark]:
    """Return what a plugin that loads still gets wrong.

    :param needs: the plugins that it requires, directly or not.
    """
    voice = plugin.manifest.records_voice or any(all_plugins[n].manifest.records_voice for n in needs)
    return [
        *_descriptions(plugin),
        *_ranks(plugin),
        *_events(plugin, voice),
        *_forgotten_marks(plugin),
        *_members(plugin),
        *_source(plugin),
    ]


def _descriptions(plugin: LoadedPlugin) -> Iterator[Remark]:
    hook = "register_commands"
    groups = [each for each in plugin.commands if isinstance(each, app_commands.Group)]
    inner = [
        each for group in groups for each in group.walk_commands() if isinstance(each, app_commands.Group)
    ]
    described: list[AnyCommand] = [*groups, *inner, *leaves_of(plugin.commands)]
    for command in described:
        if not str(command.description).strip(_NO_WORDS + " "):
            yield Remark(True, hook, f"/{command.qualified_name} has no description")
    for leaf in leaves_of(plugin.commands):
        for parameter in leaf.parameters:
            if not str(parameter.description).strip(_NO_WORDS + " "):
                words = f"the option {parameter.display_name} of /{leaf.qualified_name} has no description"
                yield Remark(False, hook, words)


def _ranks(plugin: LoadedPlugin) -> Iterator[Remark]:
    used: dict[Rank, str] = {}
    for leaf in leaves_of(plugin.commands):
        rank = rank_needed(leaf)
        if rank is not None:
            used.setdefault(rank, f"/{leaf.qualified_name}")
    for component in plugin.components.values():
        used.setdefault(Rank(component.rank), f"the component {component.action}")
    for rank in sorted(used.keys() - {*plugin.manifest.ranks}, key=lambda each: each.level):
        yield Remark(True, None, f"manifest.toml: ranks lacks {rank.value!r}, which {used[rank]} needs")
    for rank in plugin.manifest.ranks:
        if rank not in used:
            yield Remark(False, None, f"manifest.toml: ranks names {rank.value!r}, which nothing needs")


def _events(plugin: LoadedPlugin, voice: bool) -> Iterator[Remark]:
    for hook, intent in INTENTS.items():
        manifest = plugin.manifest
        if hook in plugin.targets and intent not in (*manifest.intents, *manifest.optional_intents):
            yield Remark(True, hook, f"it is never called: manifest.toml lacks the intent {intent!r}")
    for hook in sorted(VOICE_HOOKS & plugin.targets.keys()):
        if not voice:
            yield Remark(
                True,
                hook,
                "it is never called: neither this manifest nor a required plugin has records_voice",
            )


def _forgotten_marks(plugin: LoadedPlugin) -> Iterator[Remark]:
    """Look for what was meant as a hook and is none."""
    here = plugin.module.__name__
    marked = {id(value) for value in vars(plugin.module).values()}
    known = {*specs_of(hookspecs)}
    for name, value in vars(plugin.module).items():
        if (
            not isinstance(value, FunctionType)
            or f"{PROJECT}_impl" in vars(value)
            or value.__module__ != here
        ):
            continue
        if name in known:
            yield Remark(True, name, "it lacks @hookimpl, so it is never called")
        elif family_of(name) is not None:
            yield Remark(False, name, "it is named like a hook and lacks @hookimpl")
    for module_name, module in sorted(sys.modules.items()):
        if not module_name.startswith(f"{here}."):
            continue
        for name, value in vars(module).items():
            if (
                isinstance(value, FunctionType)
                and f"{PROJECT}_impl" in vars(value)
                and id(value) not in marked
            ):
                where = (
                    f"it is marked in {module_name}, but not imported into __init__.py, so it is never called"
                )
                yield Remark(True, name, where)


def _members(plugin: LoadedPlugin) -> Iterator[Remark]:
    kept = [
        f"{model._meta.table_name}.{field.column_name}"
        for model in (plugin.schema.models if plugin.schema is not None else ())
        for field in model._meta.sorted_fields
        if field.column_name == "user_id"
        or (isinstance(field, peewee.ForeignKeyField) and field.rel_model is User)
    ]
    if not kept:
        return
    if plugin.manifest.personal_data.strip().rstrip(".").casefold() in {"nothing", "none"}:
        yield Remark(True, None, f"manifest.toml: personal_data says nothing is kept, but there is {kept[0]}")
    for hook in ("collect_member_data", "on_member_forgotten"):
        if hook not in plugin.targets:
            yield Remark(False, hook, f"it is missing, though {kept[0]} is about a member")


def _source(plugin: LoadedPlugin) -> Iterator[Remark]:
    """Look at the plugin's code for what needs a permission, and for names that nothing answers to."""
    needed: dict[str, str] = {}
    for file in _files(plugin):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, UnicodeDecodeError):
            # A file that is never imported; what is imported has been read by Python itself.
            continue
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            at = f"{file.name}:{call.lineno}"
            for permission in _permissions_of(call):
                needed.setdefault(permission, at)
            yield from _dangling(plugin, call, at)
    for permission in sorted(needed.keys() - {*plugin.manifest.permissions}):
        words = f"manifest.toml: permissions may lack {permission!r}, see {needed[permission]}"
        yield Remark(False, None, words)


def _files(plugin: LoadedPlugin) -> list[Path]:
    file = plugin.module.__file__
    assert file is not None, "only packages with an __init__.py are plugins"
    return [path for path in sorted(Path(file).parent.rglob("*.py")) if "migrations" not in path.parts]


def _permissions_of(call: ast.Call) -> Iterator[str]:
    function = call.func
    if isinstance(function, ast.Attribute):
        owner = function.value
        # A follow-up belongs to its interaction, which needs no permission.
        followup = isinstance(owner, ast.Attribute) and owner.attr == "followup"
        if function.attr in PERMISSIONS and not followup:
            yield PERMISSIONS[function.attr]
            if function.attr == "send":
                given = {keyword.arg for keyword in call.keywords}
                yield from ["embed_links"] if given & {"embed", "embeds"} else []
                yield from ["attach_files"] if given & {"file", "files"} else []
        if function.attr == "claim" and isinstance(owner, ast.Attribute) and owner.attr == "seat":
            yield "connect"


def _dangling(plugin: LoadedPlugin, call: ast.Call, at: str) -> Iterator[Remark]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
    if name == "custom_id" and len(call.args) >= 2:
        action = _text(call.args[1])
        if action is not None and action not in plugin.components:
            yield Remark(True, "register_components", f"no component answers to {action!r}, see {at}")
    if name == "enqueue":
        given = {keyword.arg: _text(keyword.value) for keyword in call.keywords}
        job = given.get("name")
        if given.get("plugin") == plugin.name and job is not None and job not in plugin.jobs:
            yield Remark(True, "register_jobs", f"no job is called {job!r}, see {at}")


def _text(node: Any) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
