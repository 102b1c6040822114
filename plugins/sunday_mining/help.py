"""Pages of /help: what the commands of this plugin do not say by themselves."""

from __future__ import annotations

from redlegion import HelpTopic
from redlegion import translate as _

TOPICS = [
    HelpTopic(
        name="sunday",
        title=_("How a Sunday goes"),
        text=_(
            "1. Once: `/mining channels add` for each voice channel whose time counts; picking a "
            "category adds all of its channels, also those that are made in it later.\n"
            "2. `/mining start` when it begins. Whoever sits in one of the channels earns time from "
            "then on.\n"
            "3. `/mining stop` when it is over shows who took part for how long.\n"
            "4. `/payroll calculate` turns the ore into money, where the payroll is switched on.\n\n"
            "Time before the start does not count, and nobody has to leave and come back."
        ),
        rank="officer",
    ),
]
