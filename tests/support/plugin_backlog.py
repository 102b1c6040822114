"""What waits for a plugin that is off: jobs that come due, and published events."""

from __future__ import annotations

from datetime import timedelta

from support.plugin_spies import MADE_UP
from support.plugin_uses import Uses

from core.jobs import enqueue, publish
from core.jobs.event_types import UnusableEvent


async def leave_jobs(uses: Uses, after: float) -> list[str]:
    """Store a job of each kind that a plugin declares; returns what the spies call them.

    :param after: seconds from now when they are due.
    """
    ctx = uses.stage.runtime.context_for(uses.name, uses.guild_id)
    stored = []
    for name in uses.plugin.jobs:
        job_id = ctx.ids.next()
        key = f"made-up-{job_id}"
        due = ctx.clock.now() + timedelta(seconds=after)
        await ctx.write(
            enqueue,
            job_id,
            plugin=uses.name,
            guild_id=uses.guild_id,
            name=name,
            key=key,
            payload={MADE_UP: key},
            due=due,
        )
        stored.append(f"{name} {key}")
    return stored


async def leave_events(uses: Uses) -> list[str]:
    """Store an event for each hook that a plugin listens to, as another plugin would; returns the hooks."""
    ctx = uses.stage.runtime.context_for("stagehand", uses.guild_id)
    hooks = []
    for hook in uses.hooks:
        # That one it hears anyway, when it is switched on.
        if not hook.startswith("on_") or hook == "on_resync":
            continue
        event_id = ctx.ids.next()
        uses.spies.made_up.add(event_id)
        try:
            await ctx.write(
                publish,
                event_id,
                guild_id=uses.guild_id,
                hook=hook,
                event=uses.spies.events[hook],
                at=ctx.clock.now(),
            )
        except (UnusableEvent, KeyError):
            # Events of this hook cannot be stored, or the plugin does not look at them.
            continue
        hooks.append(hook)
    return hooks
