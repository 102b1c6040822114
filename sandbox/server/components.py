"""Components of messages and modals: stored whole, and found again by their custom ids."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.server.payloads import messages as shapes

if TYPE_CHECKING:
    from sandbox.server.messages import Attachment

ROW, BUTTON, STRING_SELECT, TEXT_INPUT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = range(
    1, 9
)
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 19, 21, 22, 23
SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})
LINK_STYLE, PREMIUM_STYLE = 5, 6

Json = dict[str, Any]


def walk(parts: list[Json]) -> Iterator[Json]:
    """Yield every component of a tree, parents before children."""
    for part in parts:
        yield part
        yield from walk(part.get("components") or [])
        for single in ("accessory", "component"):
            if isinstance(part.get(single), dict):
                yield from walk([part[single]])


def find(parts: list[Json], custom_id: str) -> Json | None:
    """Return the component with a custom id, or None."""
    return next((part for part in walk(parts) if part.get("custom_id") == custom_id), None)


def custom_ids(parts: list[Json]) -> list[str]:
    """Return the custom ids in a tree."""
    return [str(part["custom_id"]) for part in walk(parts) if part.get("custom_id")]


def leading(parts: list[Json], name: str) -> str | None:
    """Return what a button does that leads away from Discord's chat, named by its url, SKU or label."""
    for part in walk(parts):
        if part["type"] == BUTTON and name in {part.get("url"), part.get("sku_id"), part.get("label")}:
            return {LINK_STYLE: "opens a page", PREMIUM_STYLE: "opens the shop"}.get(part["style"])
    return None


def numbered(parts: list[Json]) -> list[Json]:
    """Return a modal's components as Discord keeps them: each with an id of its own."""
    return stored(parts, {}, lambda: 0)


def stored(parts: list[Json], named: Mapping[str, Attachment], new_id: Callable[[], int]) -> list[Json]:
    """Return a message's components as Discord keeps them: numbered, defaults written, media addressed."""
    taken = {part["id"] for part in walk(parts) if part.get("id")}
    numbers = (number for number in itertools.count(1) if number not in taken)
    return [_stored(part, named, numbers, new_id) for part in parts]


def _stored(
    part: Json, named: Mapping[str, Attachment], numbers: Iterator[int], new_id: Callable[[], int]
) -> Json:
    body = {key: value for key, value in part.items() if value is not None}
    body["id"] = part.get("id") or next(numbers)
    kind = part["type"]
    if "components" in body:
        body["components"] = [_stored(each, named, numbers, new_id) for each in body["components"]]
    for single in ("accessory", "component"):
        if single in body:
            body[single] = _stored(body[single], named, numbers, new_id)
    if isinstance(body.get("emoji"), dict):
        body["emoji"] = _emoji(body["emoji"])
    if "sku_id" in body:
        body["sku_id"] = str(body["sku_id"])
    if "options" in body:
        body["options"] = [_option(each) for each in body["options"]]
    if "default_values" in body:
        body["default_values"] = [{**each, "id": str(each["id"])} for each in body["default_values"]]
    if kind in SELECTS:
        body.setdefault("min_values", 1)
        body.setdefault("max_values", 1)
    elif kind == CONTAINER:
        body.setdefault("accent_color", None)
        body["spoiler"] = bool(body.get("spoiler"))
    elif kind == SEPARATOR:
        body.setdefault("spacing", 1)
        body.setdefault("divider", True)
    elif kind == THUMBNAIL:
        body |= _described(body)
        body["media"] = _media(body["media"], named, new_id)
    elif kind == GALLERY:
        body["items"] = [
            each | _described(each) | {"media": _media(each["media"], named, new_id)}
            for each in body["items"]
        ]
    elif kind == FILE:
        sent = str(body["file"].get("url", "")).removeprefix("attachment://")
        found = named.get(sent)
        body["file"] = _media(body["file"], named, new_id)
        body["name"] = found.filename if found else None
        body["size"] = found.size if found else None
        body["spoiler"] = bool(body.get("spoiler"))
    return body


def _option(sent: Json) -> Json:
    option = {key: value for key, value in sent.items() if value is not None}
    if isinstance(option.get("emoji"), dict):
        option["emoji"] = _emoji(option["emoji"])
    return option


def _emoji(sent: Json) -> Json:
    emoji: Json = {"name": sent.get("name")}
    if sent.get("id"):
        emoji |= {"id": str(sent["id"]), "animated": bool(sent.get("animated"))}
    return emoji


def _described(part: Json) -> Json:
    return {"description": part.get("description"), "spoiler": bool(part.get("spoiler"))}


def _media(sent: Json, named: Mapping[str, Attachment], new_id: Callable[[], int]) -> Json:
    url = shapes.resolve(str(sent.get("url", "")), named)
    media: Json = {"id": str(new_id()), "url": url, "proxy_url": url, "width": None, "height": None}
    found = next((each for each in named.values() if each.url == url), None)
    media["content_type"] = found.content_type if found else None
    if found:
        media["attachment_id"] = str(found.id)
    return media
