"""The limits of embeds: lengths of each part, 25 fields, 6,000 characters over a whole message."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sandbox.server.limits.media import check_media
from sandbox.server.limits.scalars import check_link, check_moment
from sandbox.server.limits.violation import Path, Report

MAX_EMBEDS = 10
MAX_TOTAL = 6000
# What a person sees of an embed; one without any of it is refused.
_SHOWN = ("title", "description", "fields", "author", "footer", "image", "thumbnail", "video", "timestamp")


def check_embeds(report: Report, path: Path, value: Any, files: Collection[str]) -> None:
    """Check the embeds of one message; `files` are the names that attachment:// may refer to."""
    total = 0
    for index, embed in enumerate(report.items(path, value, 0, MAX_EMBEDS)):
        total += _check_embed(report, (*path, index), embed, files)
    if total > MAX_TOTAL:
        report.add(path, "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MAX_TOTAL}")


def _check_embed(report: Report, path: Path, embed: dict[str, Any], files: Collection[str]) -> int:
    if not any(embed.get(part) for part in _SHOWN):
        report.missing((*path, "description"))
    size = _length(report.text((*path, "title"), embed.get("title"), 0, 256))
    size += _length(report.text((*path, "description"), embed.get("description"), 0, 4096))
    check_link(report, (*path, "url"), embed.get("url"))
    check_moment(report, (*path, "timestamp"), embed.get("timestamp"))
    footer = report.mapping((*path, "footer"), embed.get("footer"))
    if footer is not None:
        size += _length(report.text((*path, "footer", "text"), footer.get("text"), 0, 2048))
        check_media(report, (*path, "footer", "icon_url"), footer.get("icon_url"), files)
    author = report.mapping((*path, "author"), embed.get("author"))
    if author is not None:
        size += _length(report.text((*path, "author", "name"), author.get("name"), 0, 256))
        check_link(report, (*path, "author", "url"), author.get("url"))
        check_media(report, (*path, "author", "icon_url"), author.get("icon_url"), files)
    for part in ("image", "thumbnail", "video"):
        media = report.mapping((*path, part), embed.get(part))
        if media is not None:
            check_media(report, (*path, part, "url"), media.get("url"), files)
    report.number((*path, "color"), embed.get("color"), 0, 0xFFFFFF)
    for index, field in enumerate(report.items((*path, "fields"), embed.get("fields"), 0, 25)):
        here = (*path, "fields", index)
        size += _length(report.text((*here, "name"), field.get("name"), 1, 256, required=True))
        size += _length(report.text((*here, "value"), field.get("value"), 1, 1024, required=True))
    return size


def _length(text: str | None) -> int:
    return len(text) if text is not None else 0
