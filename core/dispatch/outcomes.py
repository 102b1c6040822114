"""What is said of a call that did not end well: to the log, to the breaker, and to whoever waits for it."""

from __future__ import annotations

import logging

from core.dispatch import limits
from core.dispatch.calls import Call
from core.dispatch.errors import DeliveryDropped

log = logging.getLogger(__name__)


def name_failure(call: Call) -> None:
    """Log a call that did not end well."""
    plugin, hook = call.target.plugin, call.target.hook
    if call.outcome == "timed out":
        log.error(
            "%s.%s took longer than %s s and was stopped", plugin, hook, limits.DEADLINE, exc_info=call.error
        )
    elif call.outcome == "failed":
        log.error("%s.%s failed", plugin, hook, exc_info=call.error)


def what_happened(call: Call) -> str:
    """Return a few words about a call that did not end well."""
    if call.outcome == "timed out":
        return f"{call.target.hook} took longer than {limits.DEADLINE:g} s"
    return f"{call.target.hook} raised {type(call.error).__name__}"


def failure_of(call: Call) -> BaseException | None:
    """Return what whoever waits for a call is told; None if it ended well."""
    plugin, hook = call.target.plugin, call.target.hook
    match call.outcome:
        case "done" | "nonsense":
            return None
        case "timed out":
            return TimeoutError(f"{plugin}.{hook} took longer than {limits.DEADLINE:g} s")
        case "stopped" | "cancelled":
            return DeliveryDropped(plugin, hook, "it was stopped")
    # A future may not hold what would end the loop of whoever awaits it.
    if isinstance(call.error, Exception) and not isinstance(call.error, StopIteration):
        return call.error
    return RuntimeError(f"{plugin}.{hook} raised {call.error!r}")
