"""Find, check and load plugins; one broken plugin never stops the others."""

from core.plugins.manager import LoadedPlugin, PluginManager, Quarantined, Target

__all__ = ["LoadedPlugin", "PluginManager", "Quarantined", "Target"]
