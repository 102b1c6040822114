"""Domain events that must arrive: stored with the change, handed to each consumer until it took them.

An event is first one row of the core. That row fans out, in one transaction, into one row per plugin that
listens; each of those goes through the plugin's lane and is tried again until the handler succeeds. The
events of a guild reach a consumer in the order of their commits: one that fails holds up those behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from core import hookspecs
from core.jobs.event_types import UnusableEvent, event_type, from_json, to_json
from core.jobs.store import DELIVERY, EVENT, behind, insert, last_open

if TYPE_CHECKING:
    from core.plugins import PluginManager

#: The owner of rows that belong to no plugin.
CORE = "core"

#: The declared hooks of each running bot in this process, newest last.
_books: list[HookBook] = []


class HookBook:
    """Which class of event each `on_*` hook carries.

    :param manager: knows the hooks of the core and of the loaded plugins.
    """

    def __init__(self, manager: PluginManager) -> None:
        self._manager = manager

    def open(self) -> None:
        """Let `publish` check against these hooks."""
        _books.append(self)

    def close(self) -> None:
        """Check no more."""
        if self in _books:
            _books.remove(self)

    def event_type(self, hook: str) -> type[Any]:
        """Return the class of a hook's event.

        :raises UnusableEvent: there is no such hook, or its class cannot be stored.
        """
        spec = self._manager.spec_of(hook)
        if spec is None or not hook.startswith("on_"):
            raise UnusableEvent(
                f"there is no hook {hook} to publish on; declare it with @hookspec in the module that "
                "register_hookspecs returns"
            )
        return event_type(hook, cast(FunctionType, spec))


def publish(event_id: int, *, guild_id: int, hook: str, event: object, at: datetime) -> None:
    """Store a domain event, to be delivered to every plugin that listens to `hook`. Store function.

    Each handler gets it at least once: it finds this id as `ctx.delivery`, the same each time, and looks
    first whether its work is there already.

    :param event_id: from `ctx.ids.next()`, taken outside; one id is one event.
    :param event: of the class that the hook declares; a frozen dataclass of plain values.
    :param at: when it happened; aware. It waits for earlier ones of the guild, and for this time.
    :raises UnusableEvent: an unknown hook, another class, or a value that JSON cannot hold.
    """
    kind = _books[-1].event_type(hook) if _books else _core_type(hook) or type(event)
    insert(
        event_id,
        plugin=CORE,
        guild_id=guild_id,
        name=EVENT,
        key=str(event_id),
        payload={"hook": hook, "event": to_json(hook, kind, event)},
        due=behind(at, event_id, last_open(CORE, guild_id, EVENT)),
    )


def fan_out(
    event_id: int,
    guild_id: int,
    payload: Mapping[str, Any],
    consumers: Sequence[tuple[int, str]],
    at: datetime,
) -> None:
    """Store one delivery per consumer; those that are there already stay as they are. Store function.

    :param consumers: a new id and the plugin, of each.
    :param at: the due time of the event, which rises from event to event of a guild.
    """
    for delivery_id, plugin in consumers:
        insert(
            delivery_id,
            plugin=plugin,
            guild_id=guild_id,
            name=DELIVERY,
            key=str(event_id),
            payload={"id": event_id, **payload},
            due=behind(at, delivery_id, last_open(plugin, guild_id, DELIVERY)),
        )


def stored_event(book: HookBook, payload: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the hook and the event of a stored row; raises as `from_json` and `HookBook.event_type`."""
    hook: str = payload["hook"]
    return hook, from_json(hook, book.event_type(hook), payload["event"])


def _core_type(hook: str) -> type[Any] | None:
    """Return the event class of a hook of the core, for store functions that run where no bot does."""
    spec = getattr(hookspecs, hook, None)
    return event_type(hook, spec) if spec is not None else None
