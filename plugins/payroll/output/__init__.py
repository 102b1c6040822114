"""Payrolls on paper: PDF and CSV, built without Discord or database, off the event loop."""
