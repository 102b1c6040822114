"""/operation: the windows in which an operation counts, shown and edited."""
