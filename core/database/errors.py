"""What a database call can raise besides the errors of the function it ran."""

from __future__ import annotations


class DatabaseError(Exception):
    """The engine, not the called function, failed."""


class DatabaseBusy(DatabaseError):
    """The queue is full: nothing was queued, try again later."""


class DatabaseClosed(DatabaseError):
    """The database is not started or already closed; nothing was queued."""


class DatabaseUnavailable(DatabaseError):
    """The server could not be reached for so long that the call was given up; nothing was written."""


class CommitUnknown(DatabaseError):
    """The connection died during COMMIT: the change may be stored or not; look, or repeat it with its key."""


class StatementTooSlow(DatabaseError):
    """A function took longer than others can wait and was stopped; nothing of it was written."""


class Stopped(DatabaseError):
    """Raised inside a function that takes too long and must end here; its caller gets another error."""


class MigrationFailed(DatabaseError):
    """A migration broke a rule and was rolled back; the message names it and says what to change."""
