"""What a test reads off a panel or a form that the bot shows."""

from __future__ import annotations

from typing import Any


def text_of(message: Any) -> str:
    """All that a panel says."""
    found = []

    def walk(parts: Any) -> None:
        for part in parts:
            if "content" in part:
                found.append(part["content"])
            walk(part.get("components") or [])

    walk(message["components"])
    return "\n".join([*found, message.get("content") or ""])


def buttons_of(message: Any) -> dict[str, str]:
    """The custom ids of a panel's buttons; resets by id, the others by label."""
    found: dict[str, str] = {}

    def walk(parts: Any) -> None:
        for part in parts:
            if part["type"] == 2:
                label = part["label"]
                found[part["custom_id"] if label == "Reset" else label] = part["custom_id"]
            walk([*(part.get("components") or []), *([part["accessory"]] if "accessory" in part else [])])

    walk(message["components"])
    return found


def inputs_of(modal: Any) -> dict[str, Any]:
    return {label["component"]["custom_id"]: label for label in modal["components"]}
