"""Backups: everything in the tables as one portable file, and back into either kind of database."""

from core.database.backup.archive import Archive, Manifest, TableEntry
from core.database.backup.dump import BackupDone, back_up
from core.database.backup.load import RestoreDone, restore

__all__ = ["Archive", "BackupDone", "Manifest", "RestoreDone", "TableEntry", "back_up", "restore"]
