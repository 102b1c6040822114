"""Why windows cannot be edited, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plugins.operations import store
from plugins.operations.rules.windows import Bounds, Edit, EditRefused, Wrong
from redlegion import UserError, plural
from redlegion import translate as _


@contextmanager
def refusals(windows: list[Bounds], edit: Edit) -> Iterator[None]:
    """Say in words why an edit cannot be.

    :param windows: those of now.
    """
    try:
        yield
    except EditRefused as error:
        raise refusal(windows, error.wrong, edit) from None
    except store.AlreadyPaid as error:
        raise UserError(
            _("The payroll of {title} is locked, so its windows stay as they are.").format(
                title=error.operation.title
            ),
            _("What was paid by then can only be settled between you."),
        ) from None
    except store.ChannelsTaken as error:
        raise UserError(
            _("{channels} counted for {titles} at that time, and time counts for one operation only.").format(
                channels=", ".join(f"<#{channel}>" for channel in sorted(error.titles)),
                titles=", ".join(sorted(set(error.titles.values()))),
            ),
            _("Shorten that operation first with /operation edit, or choose another time."),
        ) from None
    except store.OnlySums:
        raise UserError(
            _("That reaches into a time of which only daily sums are kept, so nobody can say who sat where."),
            _("Choose a time within the days for which voice sessions are kept; /setup shows how many."),
        ) from None
    except store.WindowsChanged:
        raise UserError(
            _("Somebody has changed the windows since, so nothing was done."),
            _("Run the command again to see what it would come to now."),
        ) from None
    except store.NoSuchOperation:
        raise UserError(
            _("There is no such operation here."), _("Run the command again and pick one.")
        ) from None


def refusal(windows: list[Bounds], wrong: Wrong, edit: Edit | None = None) -> UserError:
    """Return why an edit cannot be, and what to do.

    :param windows: those of now.
    :param edit: None where it could not be read.
    """
    times = _span(edit)
    match wrong:
        case Wrong.NO_WINDOW:
            return UserError(
                plural(
                    len(windows), "This operation has {n} window.", "This operation has {n} windows."
                ).format(n=len(windows)),
                _("/operation windows shows them with their numbers."),
            )
        case Wrong.FUTURE:
            return UserError(
                _("That is not over yet: {times}.").format(times=times),
                _("Give a time that has passed; with a date it is clear which day is meant."),
            )
        case Wrong.UPSIDE_DOWN:
            return UserError(
                _("A window must end after it begins: {times}.").format(times=times),
                _("Give a date too if it went past midnight, such as 2026-09-06 21:05."),
            )
        case Wrong.STILL_OPEN:
            return UserError(
                _("The operation is running, so its last window has no end yet."),
                _("End it with /mining stop and edit the end then, or take time out with /operation pause."),
            )
        case Wrong.NOTHING_LEFT:
            return UserError(
                _("Nothing of the operation would be left."),
                _("Leave at least one window in which it counts."),
            )
        case Wrong.UNCHANGED:
            return UserError(
                _("The windows are like that already: {times}.").format(times=times),
                _("/operation windows shows them."),
            )


def _span(edit: Edit | None) -> str:
    if edit is None:
        return ""
    return " – ".join(
        "…" if each is None else f"<t:{int(each.timestamp())}:f>" for each in (edit.start, edit.end)
    )
