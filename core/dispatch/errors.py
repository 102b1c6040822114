"""What those who deliver or ask are told when it does not work."""

from __future__ import annotations


class UnknownHook(LookupError):
    """No plugin and not the core offers a hook of this name; nobody would ever hear of it."""

    def __init__(self, hook: str, reason: str) -> None:
        super().__init__(f"{hook}: {reason}")
        self.hook = hook


class BreakerOpen(Exception):
    """The plugin failed so often in this guild that it is left alone for a while."""

    def __init__(self, plugin: str, guild_id: int) -> None:
        super().__init__(f"{plugin} keeps failing in guild {guild_id} and is left alone for a while")
        self.plugin = plugin
        self.guild_id = guild_id


class DeliveryDropped(Exception):
    """A delivery was taken out of its lane before it began.

    :param reason: why, in a few words.
    """

    def __init__(self, plugin: str, hook: str, reason: str) -> None:
        super().__init__(f"{plugin}.{hook} was not called: {reason}")
        self.plugin = plugin
        self.hook = hook


class HookFailed(Exception):
    """A plugin's filter failed, so the value that it should have passed on is not known.

    :param reason: what happened, in a few words; the cause has the details.
    """

    def __init__(self, plugin: str, hook: str, reason: str) -> None:
        super().__init__(f"{plugin}.{hook} failed: {reason}")
        self.plugin = plugin
        self.hook = hook
