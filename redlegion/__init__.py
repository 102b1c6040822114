"""The public names for plugin authors; whatever stands in `__all__` is kept stable within an API version."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.commands.patience import deferred_if_slow
    from core.commands.replies import modal_values, reply, selected, shown
    from core.context import Context
    from core.database import Schema
    from core.dispatch import HookFailed
    from core.errors import UserError
    from core.guilds.ranks import Rank, requires
    from core.guilds.settings_fields import ChannelId, Rate, RoleId
    from core.hookspecs import hookimpl, hookspec
    from core.i18n import plural, translate
    from core.jobs import enqueue, publish
    from core.manifest import Component, HealthCheck, HelpTopic, Job, custom_id
    from core.names import clean_name
    from core.runtime import Runtime

__all__ = [
    "ChannelId",
    "Component",
    "Context",
    "HealthCheck",
    "HelpTopic",
    "HookFailed",
    "Job",
    "Rank",
    "Rate",
    "RoleId",
    "Runtime",
    "Schema",
    "UserError",
    "clean_name",
    "custom_id",
    "deferred_if_slow",
    "enqueue",
    "hookimpl",
    "hookspec",
    "modal_values",
    "plural",
    "publish",
    "reply",
    "requires",
    "selected",
    "shown",
    "translate",
]

_HOMES = {
    "ChannelId": "core.guilds.settings_fields",
    "Component": "core.manifest",
    "Context": "core.context",
    "HealthCheck": "core.manifest",
    "HelpTopic": "core.manifest",
    "HookFailed": "core.dispatch",
    "Job": "core.manifest",
    "Rank": "core.guilds.ranks",
    "Rate": "core.guilds.settings_fields",
    "RoleId": "core.guilds.settings_fields",
    "Runtime": "core.runtime",
    "Schema": "core.database",
    "UserError": "core.errors",
    "clean_name": "core.names",
    "custom_id": "core.manifest",
    "deferred_if_slow": "core.commands.patience",
    "enqueue": "core.jobs",
    "hookimpl": "core.hookspecs",
    "hookspec": "core.hookspecs",
    "modal_values": "core.commands.replies",
    "plural": "core.i18n",
    "publish": "core.jobs",
    "reply": "core.commands.replies",
    "requires": "core.guilds.ranks",
    "selected": "core.commands.replies",
    "shown": "core.commands.replies",
    "translate": "core.i18n",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that rules need not load Discord."""
    if name not in _HOMES:
        raise AttributeError(f"redlegion has no public name {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
