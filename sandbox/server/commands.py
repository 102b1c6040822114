"""The application's commands, global and per guild, and the menu a guild sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.server import menus
from sandbox.server.errors import Refused, unknown

if TYPE_CHECKING:
    from sandbox.server.world import World

Json = dict[str, Any]
GLOBAL = 0
CHAT_INPUT = 1
SUBCOMMAND, GROUP = 1, 2
_IN_GUILDS, _IN_DIRECT = 0, 1

_FIELDS = ("type", "name", "name_localizations", "description", "description_localizations", "options",
           "default_member_permissions", "dm_permission", "contexts", "integration_types",
           "nsfw")  # fmt: skip


class CommandRoom:
    """Keeps the commands of each scope: a guild's id, or 0 for the global ones."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scopes: dict[int, dict[tuple[int, str], Json]] = {}
        self._remembered: dict[tuple[int, str], Json] = {}
        self._remembered_context: dict[tuple[int, int, str], Json] = {}
        self.on_changed: list[Callable[[int], None]] = []
        """Called with the scope whenever its commands were changed."""

    def all(self, scope: int) -> list[Json]:
        """Return the commands of one scope, in the order they were made."""
        return list(self._scopes.get(scope, {}).values())

    def get(self, scope: int, command_id: int) -> Json:
        """Return one command. Raises RestError 10063."""
        for command in self._scopes.get(scope, {}).values():
            if command["id"] == str(command_id):
                return command
        raise unknown("application command")

    def overwrite(self, scope: int, bodies: list[Json]) -> list[Json]:
        """Make the scope hold exactly these commands; those of a known name keep their ids."""
        before = self._scopes.get(scope, {})
        self._scopes[scope] = {}
        for body in bodies:
            key = (int(body.get("type") or CHAT_INPUT), str(body["name"]))
            self._store(scope, key, body, before.get(key))
        self._changed(scope)
        return self.all(scope)

    def upsert(self, scope: int, body: Json) -> tuple[Json, bool]:
        """Add a command or replace the one of its name; the flag tells whether it is new."""
        key = (int(body.get("type") or CHAT_INPUT), str(body["name"]))
        before = self._scopes.setdefault(scope, {}).get(key)
        command = self._store(scope, key, body, before)
        self._changed(scope)
        return command, before is None

    def edit(self, scope: int, command_id: int, body: Json) -> Json:
        """Change fields of a command. Raises RestError 10063."""
        before = self.get(scope, command_id)
        merged = {**{key: before[key] for key in _FIELDS if key in before}, **body}
        del self._scopes[scope][(before["type"], before["name"])]
        command = self._store(scope, (before["type"], str(merged["name"])), merged, before)
        self._changed(scope)
        return command

    def delete(self, scope: int, command_id: int) -> None:
        """Remove a command; people with an old menu may still call it. Raises RestError 10063."""
        before = self.get(scope, command_id)
        del self._scopes[scope][(before["type"], before["name"])]
        self._changed(scope)

    def forget_guild(self, guild_id: int) -> None:
        """Drop a guild's commands, as when the bot is put out."""
        self._scopes.pop(guild_id, None)

    def menu(self, guild_id: int, kind: int = CHAT_INPUT) -> list[Json]:
        """Return a guild's slash commands, or those of another kind: 2 on users, 3 on messages.

        Its own stand in for global ones of the same name; those for direct messages alone are left out.
        Guild 0 stands for direct messages.
        """
        if guild_id == GLOBAL:
            return [
                command
                for (each, _), command in self._scopes.get(GLOBAL, {}).items()
                if each == kind and _is_for_direct(command)
            ]
        if self._world.bot_user.id not in self._world.guilds[guild_id].members:
            return []
        shown: dict[str, Json] = {}
        for scope in (GLOBAL, guild_id):
            for (each, name), command in self._scopes.get(scope, {}).items():
                if each == kind and (
                    scope or command["contexts"] is None or _IN_GUILDS in command["contexts"]
                ):
                    shown[name] = command
        return list(shown.values())

    def paths(self, guild_id: int) -> list[Json]:
        """Return the menu flat: one entry per callable path, with its command, description and options."""
        return [
            {
                "command": " ".join(words),
                "description": leaf["description"],
                "options": leaf.get("options") or [],
            }
            for command in self.menu(guild_id)
            for words, leaf in _leaves((command["name"],), command)
        ]

    def find(
        self, guild_id: int, path: str, *, stale: bool = False, locale: str = menus.DEFAULT_LOCALE
    ) -> tuple[Json, tuple[str, ...], list[Json]]:
        """Return the command of a path such as "panel open", the words after its name, and its options.

        The path may be in the language of ``locale``; what is returned is as registered. With ``stale`` a
        command that has left the menu is found by its last definition. Raises Refused.
        """
        words = tuple(path.removeprefix("/").split())
        if not words:
            raise Refused("name a command, such as panel open")
        for command in self._candidates(guild_id, stale):
            found = menus.descend(command, words, locale)
            if found is not None:
                return command, found[0], found[1].get("options") or []
        known = ", ".join(f"/{each['command']}" for each in self.paths(guild_id))
        raise Refused(f"/{' '.join(words)} is not in this guild's menu; it has: {known or 'no command'}", 404)

    def find_context(
        self,
        guild_id: int,
        kind: int,
        name: str,
        *,
        stale: bool = False,
        locale: str = menus.DEFAULT_LOCALE,
    ) -> Json:
        """Return the command of a name in the menu of a user (2) or message (3). Raises Refused (404)."""
        for command in self.menu(guild_id, kind):
            if menus.is_named(command, name, locale):
                return command
        for scope in (guild_id, GLOBAL):
            if stale and (scope, kind, name) in self._remembered_context:
                return self._remembered_context[(scope, kind, name)]
        known = ", ".join(menus.said(each, "name", locale) for each in self.menu(guild_id, kind))
        raise Refused(f"{name} is not in the menu there; it has: {known or 'no command'}", 404)

    def _candidates(self, guild_id: int, stale: bool) -> list[Json]:
        found = self.menu(guild_id)
        if stale:
            for scope in (guild_id, GLOBAL):
                found += [command for (each, _), command in self._remembered.items() if each == scope]
        return found

    def _store(self, scope: int, key: tuple[int, str], body: Json, before: Json | None) -> Json:
        kind, name = key
        command: Json = {
            "id": before["id"] if before else str(self._world.mint.next()),
            "application_id": str(self._world.application_id),
            "version": str(self._world.mint.next()),
            "default_member_permissions": None,
            "type": kind,
            "name": name,
            "name_localizations": body.get("name_localizations"),
            "description": body.get("description") or "",
            "description_localizations": body.get("description_localizations"),
            "nsfw": bool(body.get("nsfw")),
            "contexts": body.get("contexts"),
            "integration_types": body.get("integration_types") or [0],
        }
        if body.get("default_member_permissions") is not None:
            command["default_member_permissions"] = str(body["default_member_permissions"])
        if body.get("options"):
            command["options"] = [_clean(option) for option in body["options"]]
        if scope == GLOBAL:
            command["dm_permission"] = body.get("dm_permission") is not False
        else:
            command["guild_id"] = str(scope)
        if before is not None and {**before, "version": ""} == {**command, "version": ""}:
            command = before
        self._scopes[scope][key] = command
        if kind == CHAT_INPUT:
            self._keep_known(scope, name, command)
        else:
            self._remembered_context[(scope, kind, name)] = command
        return command

    def _keep_known(self, scope: int, name: str, command: Json) -> None:
        """Remember a definition with the sub-commands it used to have, for people with an old menu."""
        old = self._remembered.get((scope, name))
        self._remembered[(scope, name)] = command if old is None else _merged(old, command)

    def _changed(self, scope: int) -> None:
        for callback in self.on_changed:
            callback(scope)


def _is_for_direct(command: Json) -> bool:
    contexts = command["contexts"]
    return bool(command["dm_permission"]) if contexts is None else _IN_DIRECT in contexts


def _clean(option: Json) -> Json:
    body = {key: value for key, value in option.items() if value is not None}
    if "options" in body:
        body["options"] = [_clean(each) for each in body["options"]]
    return body


def _merged(old: Json, new: Json) -> Json:
    names = {option["name"] for option in new.get("options") or []}
    lost = [each for each in old.get("options") or [] if each["type"] in {SUBCOMMAND, GROUP}]
    kept = [each for each in lost if each["name"] not in names]
    options = [
        _merged(next((each for each in lost if each["name"] == option["name"]), option), option)
        if option["type"] == GROUP
        else option
        for option in new.get("options") or []
    ]
    return {**new, "options": options + kept} if options or kept else new


def _leaves(words: tuple[str, ...], node: Json) -> list[tuple[tuple[str, ...], Json]]:
    below = [each for each in node.get("options") or [] if each["type"] in {SUBCOMMAND, GROUP}]
    if not below:
        return [(words, node)]
    return [leaf for each in below for leaf in _leaves((*words, each["name"]), each)]
