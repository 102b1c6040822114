"""A Discord that runs on loopback: for bots to be run, tested and shown without the real one."""

from __future__ import annotations

from sandbox.server.app import Addresses, SandboxServer
from sandbox.server.clock import AttachedClock, WorldClock
from sandbox.server.errors import Refused
from sandbox.server.keep import Keep
from sandbox.server.people import Outcome, Person
from sandbox.server.world import World

__all__ = [
    "Addresses",
    "AttachedClock",
    "Keep",
    "Outcome",
    "Person",
    "Refused",
    "SandboxServer",
    "World",
    "WorldClock",
]
