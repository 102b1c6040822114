"""The command line: `redlegion run | migrate | doctor`, and whatever else the caller adds to it."""
