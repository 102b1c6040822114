"""Carries events to plugins, asks them, and keeps their faults where they happen."""

from core.dispatch.breakers import BreakerState
from core.dispatch.calls import HungCall
from core.dispatch.dispatcher import Dispatcher
from core.dispatch.errors import BreakerOpen, DeliveryDropped, HookFailed, UnknownHook
from core.dispatch.figures import HookFigure
from core.dispatch.trace import Delivery

__all__ = [
    "BreakerOpen",
    "BreakerState",
    "Delivery",
    "DeliveryDropped",
    "Dispatcher",
    "HookFailed",
    "HookFigure",
    "HungCall",
    "UnknownHook",
]
