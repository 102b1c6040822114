"""The bot's application as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.payloads import Json, people

if TYPE_CHECKING:
    from sandbox.server.world import World

_GRANTED = {"presences": 1 << 12, "members": 1 << 14, "message_content": 1 << 18}


def flags(world: World) -> int:
    """Return the application's flags, which tell the privileged intents granted to it."""
    return sum(bit for name, bit in _GRANTED.items() if name in world.privileged_intents)


def application(world: World) -> Json:
    """Return the application object its own bot gets."""
    return {
        "id": str(world.application_id),
        "name": world.bot_user.username,
        "icon": None,
        "description": "",
        "type": None,
        "verify_key": "0" * 64,
        "flags": flags(world),
        "flags_new": str(flags(world)),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": people.user(world.application_owner),
        "bot": people.user(world.bot_user),
        "approximate_guild_count": len(world.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
        "bot_public": True,
        "bot_require_code_grant": False,
        "rpc_origins": [],
        "tags": [],
        "integration_types_config": {"0": {}},
    }
