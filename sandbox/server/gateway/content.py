"""What a message looks like to who lacks the message content intent."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_BLANK: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def without_content(message: Json, me: str) -> Json:
    """Return a message of an event as it reaches a client without the intent.

    Direct messages, the bot's own, and those that mention it (``me``: its user id) keep what they say.
    """
    if "guild_id" not in message:
        return message
    return _blanked(message, me)


def _blanked(message: Json, me: str) -> Json:
    if message.get("author", {}).get("id") == me or any(
        user["id"] == me for user in message.get("mentions", ())
    ):
        shown = dict(message)
    else:
        shown = message | _BLANK
        shown.pop("poll", None)
        if message.get("message_snapshots"):
            shown["message_snapshots"] = [
                {**each, "message": each["message"] | _BLANK} for each in message["message_snapshots"]
            ]
    if message.get("referenced_message"):
        shown["referenced_message"] = _blanked(message["referenced_message"], me)
    return shown
