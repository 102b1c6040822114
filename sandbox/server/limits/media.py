"""The limits of addresses: a scheme Discord fetches or opens, and attachments that really come along."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sandbox.server.limits.violation import Path, Report, shorten

_ATTACHMENT = "attachment://"


def check_media(
    report: Report,
    path: Path,
    value: Any,
    files: Collection[str],
    *,
    required: bool = False,
    attachment_only: bool = False,
) -> None:
    """Check one media address: http, https, or attachment:// with the name of one of `files`."""
    url = report.text(path, value, 0, 2048, required=required)
    if url is None or (not url and not required):
        return
    if url.startswith(_ATTACHMENT):
        name = url.removeprefix(_ATTACHMENT)
        if name not in files:
            report.add(
                path,
                "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                f"The referenced attachment could not be found: {shorten(name)}",
            )
    elif attachment_only:
        report.add(path, "URL_TYPE_INVALID_SCHEME", "A file component takes attachment:// references only.")
    elif not url.startswith(("http://", "https://")):
        report.add(
            path,
            "URL_TYPE_INVALID_SCHEME",
            f"Scheme {shorten(url.split(':', 1)[0])} is not supported. Scheme must be one of "
            "('http', 'https', 'attachment').",
        )
