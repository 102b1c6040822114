"""Pages of /help: what the commands of this plugin do not say by themselves."""

from __future__ import annotations

from redlegion import HelpTopic
from redlegion import translate as _

TOPICS = [
    HelpTopic(
        name="time",
        title=_("Which of your time counts"),
        text=_(
            "While an event runs, your time in its voice channels counts, to the second. Moving "
            "between those channels loses nothing, and neither does a mute; being in two of them at "
            "once counts once. If the server asks for a role, time counts while you have it.\n\n"
            "The AFK channel earns nothing. Time spent deafened counts, and is shown.\n\n"
            "**≈** means partly estimated: I was offline for a moment while you came, went, moved or "
            "changed roles. Whoever did neither has exact time.\n\n"
            "`/voice me` shows where you were and what it earned you."
        ),
    ),
    HelpTopic(
        name="corrections",
        title=_("Correct what counts"),
        text=_(
            "A stay that must not count is voided with `/voice void` and a reason. It stays in the "
            "records and earns nothing; `/voice unvoid` takes that back. `/voice operation` shows who "
            "was where, and `/voice why` why a member's stays counted or did not.\n\n"
            "An event that was started late or stopped late is mended with `/operation edit`; "
            "`/operation pause` takes a span out, `/operation count` puts one in. Each shows who gains "
            "or loses time before you confirm it.\n\n"
            "A payroll that is locked does not change by it: correct first, then calculate."
        ),
        rank="officer",
    ),
]
