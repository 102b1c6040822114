"""What can happen to voice sessions: the values that the tracker hands out and the store writes."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import SessionRecord, VoiceSnapshot


@dataclass(frozen=True, slots=True)
class Started:
    """A member sat down; `session` is open."""

    session: SessionRecord


@dataclass(frozen=True, slots=True)
class Ended:
    """A member left voice; `session` is closed."""

    session: SessionRecord


@dataclass(frozen=True, slots=True)
class Moved:
    """A member changed channel; `opened` names `closed` as its previous session."""

    closed: SessionRecord
    opened: SessionRecord


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A stay too short to keep was followed by another: its row becomes the successor's.

    :param session: the open session, now in the new channel, with the id and link of `former`, and with its
        start unless one of the two is in the AFK channel: such time passes to nobody.
    :param former: the same session as it was before.
    """

    session: SessionRecord
    former: SessionRecord


@dataclass(frozen=True, slots=True)
class Discarded:
    """A stay too short to keep ended, or a bot was taken for a member; the row of `session` goes away."""

    session: SessionRecord


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Deaf, mute or stream changed in place.

    :param session: the open session when what its row says of deafened time has changed with it, else None.
    """

    snapshot: VoiceSnapshot
    session: SessionRecord | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """What the row of an open session says of deafened time is another after a gap; nothing has happened."""

    session: SessionRecord


Transition = Started | Ended | Moved | Rewritten | Discarded | StateChanged | Corrected
