"""What officers see and press; built to be shown, the state is in the database."""

from plugins.payroll.views.entry import entry_panel, event_panel
from plugins.payroll.views.modals import PER_MODAL, price_modal, quantity_modal
from plugins.payroll.views.preview import message_panel, preview_panel, prices_panel
from plugins.payroll.views.summary import summary_embed

__all__ = [
    "PER_MODAL",
    "entry_panel",
    "event_panel",
    "message_panel",
    "preview_panel",
    "price_modal",
    "prices_panel",
    "quantity_modal",
    "summary_embed",
]
