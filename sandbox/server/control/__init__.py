"""The control address: people, clock, faults and truth over HTTP, for driving a sandbox from outside."""

from __future__ import annotations

from sandbox.server.control.routes import control_routes

__all__ = ["control_routes"]
