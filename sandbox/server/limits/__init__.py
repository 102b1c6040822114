"""Discord's written limits that its OpenAPI document is silent on, as pure functions over JSON bodies."""

from __future__ import annotations

from sandbox.server.limits.callbacks import check_callback
from sandbox.server.limits.commands import check_commands
from sandbox.server.limits.messages import check_message
from sandbox.server.limits.violation import Violation, error_body

__all__ = ["Violation", "check_callback", "check_commands", "check_message", "error_body"]
