"""The small guild of the tests of the sandbox's Discord, for those that use more than that."""

from __future__ import annotations

from support.places import bot, place  # noqa: F401
