"""The commands and components that the core itself brings, in every guild, whatever is on there."""

from __future__ import annotations

from core.commands.help_command import build_help_command, help_components
from core.commands.plugins_command import build_plugins_group
from core.commands.privacy_command import build_privacy_group, privacy_components
from core.commands.purge_command import purge_components
from core.commands.settings_command import settings_components
from core.commands.setup_command import build_setup_group, setup_components
from core.commands.switching import switching_components
from core.manifest import Component
from core.plugins.declarations import AnyCommand


def own_commands() -> list[AnyCommand]:
    """Return fresh commands of the core; they make the global menu."""
    return [build_plugins_group(), build_help_command(), build_setup_group(), build_privacy_group()]


def own_components() -> list[Component]:
    """Return the handlers of `core:action:key`; they pass the guard like those of a plugin."""
    return [
        *switching_components(),
        *help_components(),
        *settings_components(),
        *setup_components(),
        *privacy_components(),
        *purge_components(),
    ]
