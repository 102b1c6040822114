"""What the project's own plugins explain in /help: there, short, and naming only commands that exist."""

from __future__ import annotations

import re

from core.commands.own import own_commands
from core.commands.table import CommandTable
from core.plugins import PluginManager
from sandbox.stage import OWN_PLUGINS

#: Commands in a text, such as `/mining start`.
COMMAND = re.compile(r"`/([a-z][a-z -]*)`")
MOST = 1_200


def test_each_plugin_explains_itself_in_few_words_and_names_commands_that_exist() -> None:
    manager = PluginManager(OWN_PLUGINS.load, ())
    assert not manager.quarantined
    table = CommandTable(manager, own_commands())
    for plugin in manager.loaded.values():
        assert plugin.help_topics, f"{plugin.name} has no topic"
        for topic in plugin.help_topics.values():
            assert len(topic.text) < MOST
            named = COMMAND.findall(topic.text)
            missing = [name for name in named if table.command(name) is None]
            assert not missing, f"{plugin.name}.{topic.name} names {missing}"
