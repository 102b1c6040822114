"""How long and how much: the limits of every delivery, in one place."""

from __future__ import annotations

#: Seconds that one call of a plugin may take before it is cancelled.
DEADLINE = 5.0
#: Deliveries that may wait in one lane before it is emptied and told to look again.
LANE_LIMIT = 1_000
#: Failures in a row that open a breaker.
BREAKER_FAILURES = 5
#: Seconds that a breaker stays open at first; doubled each time that it opens again.
BREAKER_DELAY = 30.0
BREAKER_LONGEST_DELAY = 1_800.0
#: Open breakers of one plugin, and their share of the guilds where it is on, that are the owner's business.
ALERT_GUILDS = 10
ALERT_SHARE = 0.5
#: Deliveries that the trace remembers.
TRACE_LENGTH = 1_000
#: Hooks that no full lane and no open breaker may lose: the plugin's own coming and going.
LIFE = frozenset({"on_guild_enabled", "on_guild_disabled"})
