"""Pages of /help: what the commands of this plugin do not say by themselves."""

from __future__ import annotations

from redlegion import HelpTopic
from redlegion import translate as _

TOPICS = [
    HelpTopic(
        name="shares",
        title=_("How the money is shared"),
        text=_(
            "The ore is valued at its prices. First the expenses are taken off that sum, then the "
            "organisation's part; what remains is shared by credited time. From each share goes what the "
            "game takes of a transfer.\n\n"
            "All amounts are whole aUEC and add up to the last one: the odd aUEC of the organisation's "
            "part stays with the crew, and what rounding leaves of the shares goes to those whom it "
            "cost the most.\n\n"
            "`/payroll show` has the newest payroll, with every line as PDF and CSV."
        ),
    ),
    HelpTopic(
        name="making",
        title=_("Make a payroll"),
        text=_(
            "`/payroll calculate` asks for the event, the ores and how much of each. Nothing is final "
            "before it is locked: quantities and prices can be changed, and a draft goes on where it "
            "was left, also after a restart.\n\n"
            "A price that is typed replaces the list's and is kept with the name of who typed it. A "
            "material without a price asks for one; nothing ever counts as zero.\n\n"
            "Locking posts the result, and makes it final. The rates are under `/plugins settings`."
        ),
        rank="officer",
    ),
]
