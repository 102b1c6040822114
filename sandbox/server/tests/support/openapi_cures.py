"""Discord's API description made fit to judge: what it gets wrong of real clients, cured; its objects closed.

As published it rejects things that every client sends and the service takes (ids as numbers, permissions as
decimal strings, forwards), and its objects are open, so a misspelt key would pass.
"""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]

_BITS = ("permissions", "allow", "deny", "default_member_permissions")
_DECIMAL = {"type": "string", "pattern": "^[0-9]+$"}

# Sent by well-behaved clients and taken by the service, but absent from the description.
_UNDOCUMENTED = {
    "ApplicationCommandCreateRequest": ("nsfw", "default_permission"),
    "ApplicationCommandUpdateRequest": ("nsfw", "id", "default_permission"),
    "ApplicationCommandPatchRequestPartial": ("nsfw", "default_permission"),
    "MessageEditRequestPartial": ("tts", "enforce_nonce"),
    "BaseCreateMessageCreateRequest": ("tts",),
    "CreateForumThreadRequest": ("type",),
    "CreateTextThreadWithMessageRequest": ("type",),
    "IncomingWebhookInteractionRequest": ("enforce_nonce",),
    "IncomingWebhookRequestPartial": ("enforce_nonce",),
    "IncomingWebhookUpdateRequestPartial": ("tts", "enforce_nonce"),
    "IncomingWebhookUpdateForInteractionCallbackRequestPartial": ("tts", "enforce_nonce"),
    "RichEmbed": ("flags",),
    "MessageAttachmentRequest": ("content_type", "size", "url", "proxy_url", "spoiler"),
}
# The same, of bodies that have no name of their own.
_UNDOCUMENTED_AT = {
    ("/channels/{channel_id}/permissions/{overwrite_id}", "put"): ("id",),
}


def cured_for_requests(document: Json) -> Json:
    """Return a copy that judges what a client sends: the three cures, and closed objects."""
    cured = cured_for_answers(document)
    schemas = cured["components"]["schemas"]
    schemas["SnowflakeType"]["type"] = ["string", "integer"]
    _take_decimal_bits(cured)
    for (path, method), keys in _UNDOCUMENTED_AT.items():
        body = cured["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        body["properties"].update({key: {} for key in keys})
    for name, keys in _UNDOCUMENTED.items():
        if name in schemas:
            schemas[name]["properties"].update({key: {} for key in keys})
    _close(cured)
    return cured


def cured_for_answers(document: Json) -> Json:
    """Return a copy that judges what the service sends: forwards exist, field errors have codes in words."""
    cured = copy.deepcopy(document)
    schemas = cured["components"]["schemas"]
    kinds = schemas["MessageReferenceType"]["oneOf"]
    if all(kind.get("const") != 1 for kind in kinds):
        kinds.append({"title": "FORWARD", "const": 1})
    # Media channels (16) exist, and discord.py offers them wherever any channel of a guild may be chosen.
    channels = schemas["ChannelTypes"]["oneOf"]
    if all(kind.get("const") != 16 for kind in channels):
        channels.append({"title": "GUILD_MEDIA", "const": 16})
    # The service names a broken field limit in words ("BASE_TYPE_REQUIRED"); only the outer code is a number.
    field_error = copy.deepcopy(schemas["Error"])
    field_error["properties"]["code"] = {"type": ["integer", "string"]}
    schemas["FieldError"] = field_error
    schemas["InnerErrors"]["properties"]["_errors"]["items"] = {"$ref": "#/components/schemas/FieldError"}
    schemas["ErrorDetails"] = {
        "type": "object",
        "properties": {"_errors": schemas["InnerErrors"]["properties"]["_errors"]},
        "additionalProperties": {"$ref": "#/components/schemas/ErrorDetails"},
    }
    return cured


def _take_decimal_bits(node: Any) -> None:
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            for name in _BITS:
                schema = properties.get(name)
                if isinstance(schema, dict) and "integer" in str(schema.get("type")):
                    properties[name] = {"anyOf": [schema, _DECIMAL]}
        for value in node.values():
            _take_decimal_bits(value)
    elif isinstance(node, list):
        for value in node:
            _take_decimal_bits(value)


def _close(node: Any, *, composed: bool = False) -> None:
    """Forbid keys that are not described, except where an object is put together out of several by allOf."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and not composed and "allOf" not in node:
            node.setdefault("additionalProperties", False)
        for name, value in node.items():
            _close(value, composed=name == "allOf")
    elif isinstance(node, list):
        for value in node:
            _close(value, composed=composed)
