"""Files that people hand to a command or a modal."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from typing import TYPE_CHECKING, Any

from sandbox.server.errors import Refused
from sandbox.server.messages import Attachment
from sandbox.server.payloads.interactions import UPLOAD_LIMIT

if TYPE_CHECKING:
    from sandbox.server.world import World


class Uploads:
    """Takes a file as ``(filename, bytes)``, or ``{"filename", "data"}`` with the data in base64."""

    def __init__(self, world: World) -> None:
        self._world = world

    def take(self, given: Any, name: str = "the file") -> Attachment:
        """Store a file for the field ``name``, return it as an ephemeral attachment. Raises Refused."""
        if isinstance(given, dict):
            try:
                given = (str(given["filename"]), base64.b64decode(given["data"], validate=True))
            except (KeyError, TypeError, binascii.Error) as error:
                raise Refused('a file is {"filename": name, "data": base64}') from error
        if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], bytes)):
            raise Refused('a file is (filename, bytes) or {"filename": name, "data": base64}')
        if len(given[1]) > UPLOAD_LIMIT:
            size = len(given[1])
            raise Refused(f"{name} takes files of at most {UPLOAD_LIMIT:,} bytes, not {size:,}", 413)
        filename = re.sub(r"[^\w.\-]", "_", str(given[0])) or "file"
        number = self._world.mint.next()
        url = f"{self._world.cdn}/ephemeral-attachments/{self._world.application_id}/{number}/{filename}"
        kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        stored = Attachment(number, filename, given[1], kind, url, ephemeral=True)
        self._world.messages_room.files[(self._world.application_id, number, filename)] = stored
        return stored
