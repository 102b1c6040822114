"""Pages of /help: what the commands of this plugin do not say by themselves."""

from __future__ import annotations

from redlegion import HelpTopic
from redlegion import translate as _

TOPICS = [
    HelpTopic(
        name="prices",
        title=_("Where prices come from"),
        text=_(
            "A list of prices by UEX is part of the bot. Each price keeps where it comes from and of "
            "what day it is, and both stand in the payroll that uses it. Prices in the game change: an "
            "officer can type the real ones in while a payroll is made."
        ),
    ),
]
