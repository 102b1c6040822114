"""The audit log."""

from __future__ import annotations

from sandbox.server import audit, permissions
from sandbox.server.payloads import Json, people
from sandbox.server.payloads import events as event_shapes
from sandbox.server.payloads import threads as thread_shapes
from sandbox.server.rest import checks, queries
from sandbox.server.rest.router import Answer, Call, Routes
from sandbox.server.webhooks import shape as webhook

routes = Routes()


@routes("GET", "/guilds/{guild_id}/audit-logs")
def listing(call: Call) -> Answer:
    """Return what moderators did, the latest first (with ``after`` the oldest first)."""
    guild = call.guild()
    checks.in_guild(guild, permissions.VIEW_AUDIT_LOG)
    asked = {name: queries.optional_id(call, name) for name in ("user_id", "target_id", "action_type")}
    limit = queries.number(call, "limit", 50, 1, 100)
    before, after = queries.optional_id(call, "before"), queries.optional_id(call, "after")
    found = [
        each
        for each in guild.audit.entries
        if asked["user_id"] in {None, each.actor_id}
        and asked["target_id"] in {None, each.target_id}
        and asked["action_type"] in {None, int(each.action)}
        and (before is None or each.id < before)
        and (after is None or each.id > after)
    ]
    shown = found[:limit] if after is not None else found[::-1][:limit]
    world = call.world
    named = {each.actor_id for each in shown} | {
        each.target_id for each in shown if each.target_id is not None
    }
    body: Json = {
        "audit_log_entries": [audit.shape(each) for each in shown],
        "users": [people.user(world.users[each]) for each in sorted(named) if each in world.users],
        "webhooks": [webhook(each) for key, each in world.webhooks.by_id.items() if key in named],
        "threads": [thread_shapes.thread(each) for key, each in guild.threads.items() if key in named],
        "guild_scheduled_events": [
            event_shapes.event(each) for key, each in guild.events.items() if key in named
        ],
        "integrations": [],
        "application_commands": [],
        "auto_moderation_rules": [],
    }
    return 200, body
