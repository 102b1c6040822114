"""Everything that a member can do with one plugin, found in what it declares; what is said when it is off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord
import pytest
from support.happenings import HAPPENS, happenings, made_up
from support.mining import said
from support.plugin_spies import Spies

from core.jobs.event_types import UnusableEvent
from core.jobs.outbox import HookBook
from core.plugins import LoadedPlugin
from core.plugins.declarations import leaves_of
from sandbox.server import Person
from sandbox.server import components as parts
from sandbox.server.errors import Refused
from sandbox.stage import Stage
from sandbox.stories import Place, Scene

#: Hooks about the switch itself, and those that are asked of every loaded plugin, on or not.
_ALWAYS = frozenset(
    {
        "on_startup",
        "on_shutdown",
        "on_guild_enabled",
        "on_guild_disabled",
        "collect_unfinished",
        "collect_member_data",
        "decide_forgetting",
        "filter_retention",
        "on_member_forgotten",
    }
)
OLD_MENU = "is not in this guild's menu"


class Uses:
    """One plugin in the main guild of a stage, used by the guild's owner, who may do everything.

    :param spies: installed before the bot started.
    """

    def __init__(self, stage: Stage, plugin: str, spies: Spies) -> None:
        self.stage = stage
        self.name = plugin
        self.spies = spies
        self.guild_id = stage.scene.guild.id
        self.owner: Person = stage.scene.owner
        self._buttons: dict[str, list[tuple[int, str]]] = {}
        self._posted: set[int] = set()
        self._forms: list[tuple[str, int]] = []

    @property
    def plugin(self) -> LoadedPlugin:
        """Return it as the running bot has it."""
        return self.stage.runtime.manager.loaded[self.name]

    @property
    def paths(self) -> list[str]:
        """Return the words of its commands."""
        return [leaf.qualified_name for leaf in leaves_of(self.plugin.commands)]

    @property
    def hooks(self) -> list[str]:
        """Return the hooks of it that have to fall silent when it is off."""
        return [hook for hook in self.plugin.targets if hook not in _ALWAYS]

    @property
    def switches(self) -> list[str]:
        """Return the features to switch for it: itself, or all that need it when it is a library."""
        manager = self.stage.runtime.manager
        if self.plugin.manifest.kind == "feature":
            return [self.name]
        return [
            name
            for name, each in manager.loaded.items()
            if each.manifest.kind == "feature" and self.name in manager.needs(name)
        ]

    @property
    def refusal(self) -> str:
        """Return what whoever uses it is told while it is off."""
        title = self.plugin.manifest.title
        if self.plugin.manifest.kind == "feature":
            return f"{title} is switched off in this server. An admin can switch it on with /plugins enable."
        users = [self.stage.runtime.manager.loaded[name].manifest.title for name in self.switches]
        return (
            f"{title} is switched off in this server. It is on with the features that use it: "
            f"{', '.join(users)}. An admin switches one on with /plugins enable."
        )

    async def switch(self, word: str) -> None:
        """Switch it by hand, as an admin does, and let its menu reach Discord."""
        for feature in self.switches:
            outcome = await self.stage.slash(self.owner, f"plugins {word}", {"plugin": feature})
            title = self.stage.runtime.manager.loaded[feature].manifest.title
            assert f"**{title}** is {'on' if word == 'enable' else 'off'}." in said(outcome)
        await self.stage.advance(2)
        assert (self.name in self.stage.runtime.guilds.active(self.guild_id)) is (word == "enable")

    def rows(self) -> dict[str, list[Any]]:
        """Return all that lies in its tables. Store function."""
        models = self.plugin.schema.models if self.plugin.schema is not None else ()
        return {
            model._meta.table_name: list(model.select().order_by(model._meta.primary_key).dicts())
            for model in models
        }

    def stored_settings(self) -> Any:
        """Return its settings, None when it has none."""
        if self.plugin.settings_model is None:
            return None
        return self.stage.runtime.guilds.plugin_settings(self.guild_id, self.name)

    def menu(self, place: Place | Scene | None = None) -> list[str]:
        """Return what Discord offers in a guild, the main one by default."""
        guild_id = (place or self.stage.scene).guild.id
        return sorted(each["command"] for each in self.stage.world.commands.paths(guild_id))

    async def post(self) -> None:
        """Leave messages and open forms of it: a button, a select and a form for each of its components."""
        channel = self.stage.runtime.bot.get_channel(self.stage.scene.text.id)
        assert isinstance(channel, discord.TextChannel)
        # What was pressed may have been changed by its handler.
        self._buttons.clear()
        for action in self.plugin.components:
            custom_id = f"{self.name}:{action}:1"
            choices = [discord.SelectOption(label="1", value="1")]
            for part in (
                discord.ui.Button[Any](label="x", custom_id=custom_id),
                discord.ui.Select[Any](custom_id=custom_id, options=choices),
            ):
                view = discord.ui.View(timeout=None)
                view.add_item(part)
                sent = await channel.send("old", view=view)
                self._buttons.setdefault(action, []).append((sent.id, custom_id))
                self._posted.add(sent.id)
        await self.open_forms()

    async def open_forms(self) -> None:
        """Open a form of each component; one form can be sent once."""
        for action in self.plugin.components:
            name = f"{self.name}:{action}:1"
            opened = await self.stage.slash(self.owner, "stagehand form", {"name": name})
            assert opened.kind == "modal"
            assert opened.interaction_id is not None
            self._forms.append((action, opened.interaction_id))

    async def commands(self, *, on: bool) -> None:
        """Run every command from a menu that still shows it."""
        for path in self.paths:
            mark = len(self.spies.ran)
            schema = self.stage.world.commands.find(self.guild_id, path, stale=True)[2]
            given = {each["name"]: self.value(each) for each in schema if each.get("required")}
            outcome = await self.owner.slash(path, self.stage.scene.text, given, stale=True)
            await self.stage.settle()
            assert self._ran(mark, on, "command", path)
            if not on:
                assert said(outcome) == self.refusal, path
                with pytest.raises(Refused, match=OLD_MENU):
                    await self.owner.slash(path, self.stage.scene.text, given)

    async def autocompletes(self, *, on: bool) -> None:
        """Type into every option that offers choices."""
        for path in self.paths:
            for option in self.stage.world.commands.find(self.guild_id, path, stale=True)[2]:
                if option.get("autocomplete"):
                    mark = len(self.spies.ran)
                    name = option["name"]
                    typed = await self.owner.autocomplete(
                        path, self.stage.scene.text, {name: ""}, focused=name, stale=True
                    )
                    assert typed.kind == "choices", path
                    assert on or typed.choices == [], path
                    assert self._ran(mark, on, "autocomplete", f"{path}:{name}")

    async def components(self, *, on: bool) -> None:
        """Press, pick and send everything that lies around, made up by `post`; forms are used up."""
        for action, places in self._buttons.items():
            for message_id, custom_id in places:
                await self._press(message_id, custom_id, action, on=on)
        forms, self._forms = self._forms, []
        for action, opened in forms:
            mark = len(self.spies.ran)
            outcome = await self.owner.submit(opened, {"text": "1"})
            await self.stage.settle()
            assert self._ran(mark, on, "component", action)
            if not on:
                assert said(outcome) == self.refusal, action

    async def harvested(self) -> int:
        """Press and pick all that the plugin's own messages offer, while it is off; returns how many."""
        found = list(self._harvest())
        for message_id, custom_id in found:
            await self._press(message_id, custom_id, custom_id.split(":")[1], on=False)
        return len(found)

    async def events(self, *, on: bool) -> None:
        """Let happen on Discord whatever a plugin can hear of, and fire all other hooks of this one."""
        mark = len(self.spies.ran)
        await happenings(self.stage)
        runtime = self.stage.runtime
        intents = runtime.bot.intents
        for hook in self.hooks:
            happened = hook in HAPPENS and getattr(intents, HAPPENS[hook])
            if hook.startswith("on_") and not happened:
                runtime.dispatcher.deliver(self.guild_id, hook, self._event(hook))
            elif hook.startswith("decide_"):
                await runtime.dispatcher.decide(self.guild_id, hook, None)
            elif hook.startswith("collect_"):
                await runtime.dispatcher.collect(self.guild_id, hook, None)
            elif hook.startswith("filter_"):
                assert await runtime.dispatcher.filter(self.guild_id, hook, "value", None) is not None
        await self.stage.settle()
        heard = {name for kind, name in self.spies.since(mark, self.name, self.guild_id) if kind == "hook"}
        assert heard & {*self.hooks} == ({*self.hooks} if on else set())
        declared = {
            (hook, plugin)
            for hook in self.plugin.declared
            for plugin, _ in runtime.context_for(runtime.manager.hooks[hook], self.guild_id).declared(hook)
        }
        mine = {(hook, self.name) for hook in self.plugin.declared}
        assert declared & mine == (mine if on else set())

    async def help(self, *, on: bool) -> None:
        """Ask for its page, its topics and its commands."""
        plugin = self.plugin
        pages: dict[str, str] = {
            f"{self.name}.{each.name}": each.title for each in plugin.help_topics.values()
        }
        pages |= {path: f"/{path}" for path in self.paths}
        if self.paths:
            pages[self.name] = plugin.manifest.title
        for topic, title in pages.items():
            outcome = await self.stage.slash(self.owner, "help", {"topic": topic})
            if on:
                assert outcome.message is not None
                assert outcome.message["embeds"][0]["title"] == title
            else:
                shown = discord.utils.escape_markdown(topic)
                assert said(outcome).startswith(f"There is no help on {shown} for you here."), topic
            typed = await self.owner.autocomplete(
                "help", self.stage.scene.text, {"topic": topic}, focused="topic"
            )
            offered = {each["value"] for each in typed.choices or []}
            assert (topic in offered) is (on and topic != self.name)

    async def settings(self, *, on: bool) -> None:
        """Look at its settings, and at a panel of them that was opened before."""
        model = self.plugin.settings_model
        if model is None or not model.model_fields:
            return
        outcome = await self.stage.slash(self.owner, "plugins settings", {"plugin": self.name})
        assert outcome.message is not None
        typed = await self.owner.autocomplete(
            "plugins settings", self.stage.scene.text, {"plugin": self.name}, focused="plugin"
        )
        assert (self.name in {each["value"] for each in typed.choices or []}) is on
        if on:
            assert parts.find(outcome.message["components"], f"core:set_edit:{self.name}.0") is not None
            self._panel = int(outcome.message["id"])
        else:
            refusal = (
                f"{self.plugin.manifest.title} is switched off in this server. "
                "Its settings are there again once it is on: /plugins enable."
            )
            assert said(outcome) == refusal
            pressed = await self.owner.click(self._panel, f"core:set_edit:{self.name}.0")
            await self.stage.settle()
            assert said(pressed) == refusal

    async def all(self, *, on: bool) -> None:
        """Use everything."""
        await self.commands(on=on)
        await self.autocompletes(on=on)
        await self.components(on=on)
        await self.events(on=on)
        await self.help(on=on)
        await self.settings(on=on)

    async def _press(self, message_id: int, custom_id: str, action: str, *, on: bool) -> None:
        message = self.stage.world.messages_room.by_id[message_id]
        part = parts.find(message.components, custom_id)
        assert part is not None
        mark = len(self.spies.ran)
        if part["type"] == parts.BUTTON:
            outcome = await self.owner.click(message_id, custom_id)
        else:
            values = [each["value"] for each in part.get("options", ())][: part.get("min_values", 1)]
            outcome = await self.owner.choose(message_id, custom_id, values)
        await self.stage.settle()
        assert self._ran(mark, on, "component", action)
        if not on:
            assert said(outcome) == self.refusal, custom_id

    def _ran(self, mark: int, on: bool, kind: str, name: str) -> bool:
        """Say whether just this ran, or nothing at all of the plugin."""
        ran = [each for each in self.spies.since(mark, self.name, self.guild_id) if each[0] == kind]
        return ran == ([(kind, name)] if on else [])

    def _harvest(self) -> Iterator[tuple[int, str]]:
        for message in self.stage.world.messages_room.by_id.values():
            seen = message.visible_to in {None, self.owner.id} and message.guild_id == self.guild_id
            for part in parts.walk(message.components) if seen and message.id not in self._posted else ():
                custom_id = str(part.get("custom_id") or "")
                if custom_id.startswith(f"{self.name}:") and not part.get("disabled"):
                    yield message.id, custom_id

    def value(self, option: Any, place: Place | Scene | None = None) -> Any:
        """Return something that Discord's client would send for an option, in the main guild by default."""
        scene = place or self.stage.scene
        if option.get("choices"):
            return option["choices"][0]["value"]
        match option["type"]:
            case 3:
                return "x" * max(1, option.get("min_length", 1))
            case 4 | 10:
                return option.get("min_value", 1)
            case 5:
                return True
            case 7:
                kinds = option.get("channel_types") or [2]
                return next(c.id for c in scene.guild.channels.values() if c.type in kinds)
            case 8:
                return next(iter(scene.guild.roles))
            case 6 | 9:
                return scene.members[0].id
        raise AssertionError(f"say what somebody gives for option {option['name']}, of type {option['type']}")

    def _event(self, hook: str) -> Any:
        try:
            kind = HookBook(self.stage.runtime.manager).event_type(hook)
        except UnusableEvent:
            return None
        return made_up(kind, self.guild_id, self.stage.world.clock.now())
